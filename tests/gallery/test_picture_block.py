"""What the page knows of the test pictures, against the tables that it comes from."""

import dataclasses
import json

import fabricated
import numpy as np
import pandas as pd
import pytest
import unpacking
from test_sprite_sheets import opened

from trackbed.gallery import picture_block, predicted_pictures
from trackbed.gallery.closer_look import Project
from trackbed.pipeline import index


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """The pictures of a run of hostile names, and its block."""
    folder = tmp_path_factory.mktemp("run")
    fabricated.run(folder, fabricated.EVIL, empty=["012"])
    run = fabricated.read(folder)
    found = index.FINDINGS_TABLE.read(run.records)
    answers, table = run.evaluation, run.data.index
    part = predicted_pictures.joined(answers.predictions, table, answers.positions, found, 0.5)
    return part, picture_block.content(part, Project(run.records, run.models, run.exported, table))


def test_the_block_repeats_the_predictions(case):
    part, block = case
    table = part.predictions
    names = np.array(block["classes"], object)
    assert block["classes"] == fabricated.EVIL
    assert unpacking.names(block["file"]) == table["filename"].tolist()
    for column in ("true", "predicted"):
        assert names[unpacking.numbers(block[column])].tolist() == table[column].tolist()
    groups = np.array(unpacking.names(block["groups"]), object)
    assert groups[unpacking.numbers(block["group"])].tolist() == table["group"].tolist()
    shares = unpacking.numbers(block["confidence"])
    assert shares == pytest.approx(1000 * table["confidence"] - 0.5, abs=0.5)
    assert unpacking.numbers(block["x"]) == pytest.approx(1000 * part.positions["x"], abs=0.5)
    assert set(unpacking.numbers(block["width"])) == {64}
    assert block["threshold"] == 500


def unpacked(packed, rows, classes):
    count, labels, values = (
        unpacking.numbers(packed[key]) for key in ("count", "labels", "values")
    )
    found = np.zeros((rows, classes))
    found[np.repeat(np.arange(rows), count), labels] = values
    return found / 255


def test_probabilities_come_back_but_for_rounding(case):
    part, block = case
    columns = [f"p_{name}" for name in part.classes]
    found = unpacked(block["probabilities"], len(part.rows), len(columns))
    assert found == pytest.approx(part.predictions[columns].to_numpy(), abs=0.5 / 255 + 1e-9)


def test_of_many_classes_the_highest_and_the_true_one_stay():
    shares = np.r_[np.linspace(0.06, 0.02, 24), 0.04]
    row = {f"p_class {label}": [share] for label, share in enumerate(shares)}
    fixed = {"record": [0], "filename": ["a"], "group": ["a"], "true": ["class 23"]}
    answers = pd.DataFrame({**fixed, "predicted": ["class 0"], "confidence": [0.06], **row})
    part = predicted_pictures.PredictedPictures(answers, *[pd.DataFrame()] * 3, None)
    found = unpacked(picture_block.packed_probabilities(part), 1, 25)[0]
    assert set(np.flatnonzero(found)) == {*np.argsort(-shares)[:10], 23}


def test_slices_and_findings_list_their_pictures(case):
    part, _ = case
    rows = part.rows.assign(brightness=np.arange(len(part.rows), dtype=float))
    records = part.predictions["record"]
    found = pd.DataFrame(
        [(records[3], index.NEAR, records[7]), (10**6, index.BLACK, -1)],
        columns=["record", "finding", "other_record"],
    )
    changed = dataclasses.replace(part, findings=found)
    assert picture_block.findings(changed) == {index.NEAR: [3, 7]}
    thirds = picture_block.slice_members(rows)["brightness"]
    assert len(thirds["names"]) == 3
    low, high = np.quantile(rows["brightness"], [1 / 3, 2 / 3])
    assert thirds["of"].count("0") == (rows["brightness"] < low).sum()
    assert thirds["of"].count("2") == (rows["brightness"] > high).sum()
    assert thirds["of"] == "".join(sorted(thirds["of"]))


def test_a_cell_holds_the_picture_of_its_row(case):
    part, block = case
    sheets, row = block["sheets"], 40
    place = unpacking.numbers(block["cell"])[row]
    side, inside = sheets["side"], place % sheets["per"]
    x, y = inside % sheets["columns"] * side, inside // sheets["columns"] * side
    whole = opened(sheets["pictures"][place // sheets["per"]])
    found = np.asarray(whole.crop((x, y, x + side, y + side)), float)
    pictures = [fabricated.picture(label) for label in range(len(fabricated.EVIL))]
    grey = [np.asarray(one.convert("L").resize((side, side)), float) for one in pictures]
    distances = [np.abs(found - one).mean() for one in grey]
    assert fabricated.EVIL[np.argmin(distances)] == part.predictions["true"][row]
    assert min(distances) < 10


def test_a_group_of_its_own_needs_no_name(case):
    alone = case[0].predictions.assign(group=case[0].predictions["filename"])
    assert picture_block.groups(alone) == {"groups": None, "group": None}


def test_names_cannot_end_the_script(case):
    text = str(picture_block.script(case[1]))
    assert not {"<", ">", "&", "'"} & set(text)
    assert json.loads(text)["classes"] == fabricated.EVIL
