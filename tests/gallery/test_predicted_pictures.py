"""The test pictures in the order of the gallery, and tables that do not belong together."""

import dataclasses

import fabricated
import numpy as np
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
    part = predicted_pictures.joined(*tables, None)
    table = part.predictions.assign(rounded=1000 * part.predictions["confidence"] // 1)
    wrong = table["true"] != table["predicted"]
    first = table[wrong].sort_values("rounded", ascending=False, kind="stable").index
    then = table[~wrong].sort_values("rounded", kind="stable").index
    assert part.order.tolist() == [*first, *then]


def test_confidences_alike_in_the_page_stay_in_their_order(tables):
    wrong = tables[0].assign(predicted="another", confidence=0.5)
    wrong.loc[wrong.index[:3], "confidence"] = [0.9504, 0.9506, 0.9512]  # 950, 950, 951
    part = dataclasses.replace(predicted_pictures.joined(*tables, None), predictions=wrong)
    assert part.order[:4].tolist() == [2, 0, 1, 3]


@pytest.mark.parametrize("chosen", [None, 0.7192, 0.7198, 0.0002, 0.99996])
def test_thresholds_keep_as_many_as_exact_confidences(tables, chosen):
    sure = np.r_[0.6, 0.7189, 0.71915, 0.71925, 0.71975, 0.71985, 0.72, 0.9995, 0.99999]
    table = tables[0].head(len(sure)).assign(confidence=sure)
    part = dataclasses.replace(
        predicted_pictures.joined(*tables, None), predictions=table, threshold=chosen
    )
    packed = part.thousandths
    if chosen is None:
        kept = [(packed >= step).sum() for step in range(1001)]
        assert kept == [(sure >= step / 1000).sum() for step in range(1001)]
    else:
        assert (packed >= round(1000 * chosen)).tolist() == (sure >= chosen).tolist()


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
