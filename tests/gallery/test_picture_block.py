"""What the page knows of the test pictures, against the tables that it comes from."""

import base64
import json

import fabricated
import numpy as np
import pandas as pd
import pytest

from trackbed.gallery import picture_block
from trackbed.pipeline import index
from trackbed.pipeline.errors import UserError
from trackbed.records import reader


def part_of(folder):
    run = fabricated.read(folder)
    found = index.FINDINGS_TABLE.read(run.records)
    answers = run.evaluation
    return picture_block.tested(answers.predictions, run.data.index, answers.positions, found, 0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    fabricated.run(folder, fabricated.EVIL, empty=["012"])
    return folder


@pytest.fixture(scope="module")
def part(folder):
    return part_of(folder)


@pytest.fixture(scope="module")
def block(part, folder):
    return picture_block.content(part, folder / "data/records")


def test_the_block_repeats_the_predictions(block, part):
    table = part.predictions
    names = np.array(block["classes"], object)
    assert block["classes"] == fabricated.EVIL
    assert block["file"] == table["filename"].tolist()
    assert names[block["true"]].tolist() == table["true"].tolist()
    assert names[block["predicted"]].tolist() == table["predicted"].tolist()
    assert np.array(block["groups"], object)[block["group"]].tolist() == table["group"].tolist()
    assert block["confidence"] == pytest.approx(1000 * table["confidence"], abs=0.5)
    assert block["x"] == pytest.approx(1000 * part.positions["x"], abs=0.5)
    assert block["threshold"] == 500


def unpacked(packed, rows, classes):
    count = np.frombuffer(base64.b64decode(packed["count"]), np.uint8)
    labels = np.frombuffer(base64.b64decode(packed["labels"]), "<u2")
    found = np.zeros((rows, classes))
    found[np.repeat(np.arange(rows), count), labels] = np.frombuffer(
        base64.b64decode(packed["values"]), np.uint8
    )
    return found / 255


def test_probabilities_come_back_but_for_rounding(part):
    columns = [f"p_{name}" for name in part.classes]
    found = unpacked(picture_block.packed_probabilities(part), len(part.rows), len(columns))
    assert found == pytest.approx(part.predictions[columns].to_numpy(), abs=0.5 / 255 + 1e-9)


def test_of_many_classes_the_highest_and_the_true_one_stay():
    shares = np.r_[np.linspace(0.06, 0.02, 24), 0.04]
    names = [f"class {label}" for label in range(25)]
    row = {f"p_{name}": [share] for name, share in zip(names, shares, strict=True)}
    fixed = {key: [0] for key in ("record", "filename", "group")}
    answers = pd.DataFrame(
        {**fixed, "true": ["class 23"], "predicted": ["class 0"], "confidence": [0.06], **row}
    )
    part = picture_block.Tested(answers, *[pd.DataFrame()] * 3, None)
    found = unpacked(picture_block.packed_probabilities(part), 1, 25)[0]
    highest = set(np.argsort(-shares)[:20]) | {23}
    assert set(np.flatnonzero(found)) == highest


def test_slices_and_findings_list_their_pictures(part):
    rows = part.rows.assign(brightness=np.arange(len(part.rows), dtype=float))
    table = part.predictions
    found = pd.DataFrame(
        [(table["record"][3], index.NEAR, table["record"][7]), (10**6, index.BLACK, -1)],
        columns=["record", "finding", "other_record"],
    )
    changed = picture_block.Tested(table, rows, part.positions, found, None)
    assert picture_block.findings(changed) == {index.NEAR: [3, 7]}
    thirds = picture_block.slice_members(rows)["brightness"]
    assert len(thirds["names"]) == 3
    assert thirds["of"] == "".join(sorted(thirds["of"]))
    low, high = np.quantile(rows["brightness"], [1 / 3, 2 / 3])
    assert thirds["of"].count("0") == (rows["brightness"] < low).sum()
    assert thirds["of"].count("2") == (rows["brightness"] > high).sum()


def test_a_cell_holds_the_picture_of_its_row(block, part, folder):
    from test_sprite_sheets import opened

    sheets, row = block["sheets"], 40
    place = block["cell"][row]
    side, inside = sheets["side"], place % sheets["per"]
    x, y = inside % sheets["columns"] * side, inside // sheets["columns"] * side
    whole = opened(sheets["pictures"][place // sheets["per"]])
    found = np.asarray(whole.crop((x, y, x + side, y + side)), float)
    (pixels,) = reader.pixels(folder / "data/records", part.rows.iloc[[row]], side, side)
    grey = pixels @ np.array([0.299, 0.587, 0.114])
    assert np.abs(found - grey).mean() < 6
    assert block["aspect"][row] == 133  # of 64 x 48 pixels


def test_the_gallery_begins_with_the_surest_mistakes(part):
    table = part.predictions.assign(rounded=(1000 * part.predictions["confidence"]).round())
    wrong = table["true"] != table["predicted"]
    first = table[wrong].sort_values("rounded", ascending=False, kind="stable").index
    then = table[~wrong].sort_values("rounded", kind="stable").index
    assert part.order.tolist() == [*first, *then]


def test_a_group_of_its_own_needs_no_name(part):
    alone = part.predictions.assign(group=part.predictions["filename"])
    assert picture_block.groups(alone) == {"groups": None, "group": None}


def test_names_cannot_end_the_script(block):
    text = str(picture_block.script(block))
    assert not {"<", ">", "&", "'"} & set(text)
    assert json.loads(text)["classes"] == fabricated.EVIL


def test_tables_of_other_records_are_refused(folder):
    run = fabricated.read(folder)
    answers, found = run.evaluation, index.FINDINGS_TABLE.read(run.records)
    given = run.data.index, answers.positions, found, None
    renamed = answers.predictions.assign(filename="a.jpg")
    with pytest.raises(UserError, match=r"record 0 is a\.jpg, in the index .*0000\.jpg\. Run"):
        picture_block.tested(renamed, *given)
    with pytest.raises(UserError, match="in the index it is missing"):
        picture_block.tested(renamed.assign(record=10**6), *given)
    moved = answers.positions.assign(record=answers.positions["record"] + 1)
    with pytest.raises(UserError, match=r"map\.csv is of other records"):
        picture_block.tested(answers.predictions, run.data.index, moved, found, None)
