"""The test pictures in the order of the gallery, and tables that do not belong together."""

import fabricated
import pytest

from trackbed.gallery import predicted_pictures
from trackbed.pipeline import index
from trackbed.pipeline.errors import UserError


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Predictions, index, positions and findings of a run."""
    folder = tmp_path_factory.mktemp("run")
    fabricated.run(folder, per_class=12)
    run = fabricated.read(folder)
    answers = run.evaluation
    found = index.FINDINGS_TABLE.read(run.records)
    return answers.predictions, run.data.index, answers.positions, found


def test_the_gallery_begins_with_the_surest_mistakes(tables):
    part = predicted_pictures.joined(*tables, 0.5)
    table = part.predictions.assign(rounded=(1000 * part.predictions["confidence"]).round())
    wrong = table["true"] != table["predicted"]
    first = table[wrong].sort_values("rounded", ascending=False, kind="stable").index
    then = table[~wrong].sort_values("rounded", kind="stable").index
    assert part.order.tolist() == [*first, *then]


def test_tables_of_other_records_are_refused(tables):
    predictions, table, positions, found = tables
    renamed = predictions.assign(filename="a.jpg")
    with pytest.raises(UserError, match=r"record 0 is a\.jpg, in the index .*0000\.jpg\. Run"):
        predicted_pictures.joined(renamed, table, positions, found, None)
    with pytest.raises(UserError, match="in the index it is missing"):
        predicted_pictures.joined(renamed.assign(record=10**6), table, positions, found, None)
    moved = positions.assign(record=positions["record"] + 1)
    with pytest.raises(UserError, match=r"map\.csv is of other records"):
        predicted_pictures.joined(predictions, table, moved, found, None)
