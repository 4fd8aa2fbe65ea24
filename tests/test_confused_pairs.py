import fabricated

from trackbed import index
from trackbed.judging import predictions
from trackbed.telling import confused_pairs
from trackbed.telling.findings import Confusion


def test_a_pair_shows_the_surest_of_its_own_mistakes(tmp_path):
    paths = fabricated.run(tmp_path, ["A", "B", "C"], right=0.6)
    table = predictions.read(tmp_path / "data/evaluation")
    confusions = [Confusion("B", "C", 9, 50), Confusion("C", "A", 8, 50)] * 6
    found = confused_pairs.shown(confusions, table, paths[0], index.read(paths[0]))
    assert [pair.anchor for pair in found] == [f"pair-{n}" for n in range(1, 9)]
    mistakes = table[(table["true"] == "C") & (table["predicted"] == "A")]
    surest = mistakes["confidence"].nlargest(4).tolist()
    assert [card.confidence for card in found[1].cards] == surest
    assert {(card.true, card.predicted) for card in found[1].cards} == {("C", "A")}
