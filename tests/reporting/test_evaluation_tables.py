import fabricated

from trackbed.pipeline import index, tables
from trackbed.reporting import evaluation_tables
from trackbed.reporting.evaluation_tables import Confusion


def test_a_pair_shows_the_surest_of_its_own_mistakes(tmp_path):
    fabricated.run(tmp_path, ["A", "B", "C"], right=0.6)
    records = tmp_path / "data/records"
    table = tables.read_predictions(tmp_path / "data/evaluation")
    confusions = [Confusion("B", "C", 9, 50), Confusion("C", "A", 8, 50)] * 6
    found = evaluation_tables.pictured_pairs(confusions, table, records, index.read(records))
    assert [pair.anchor for pair in found] == [f"pair-{n}" for n in range(1, 9)]
    mistakes = table[(table["true"] == "C") & (table["predicted"] == "A")]
    surest = mistakes["confidence"].nlargest(4).tolist()
    assert [card.confidence for card in found[1].cards] == surest
    assert {(card.true, card.predicted) for card in found[1].cards} == {("C", "A")}
