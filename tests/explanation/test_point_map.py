"""The data of the map in the report, and the sheet of its pictures."""

import base64
import io
import json

import fabricated
import numpy as np
import pytest
from PIL import Image

from trackbed.evaluation import embedding_map
from trackbed.explanation import point_map
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError

NAMES = ["A", "B", "C"]


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Positions, predictions, records folder and index; every fourth prediction is wrong."""
    folder = tmp_path_factory.mktemp("map") / "records"
    table = fabricated.write_records(folder, NAMES, [6] * 3)
    rows = table[table["part"] == "test"]
    labels = (rows["label"] + (np.arange(len(rows)) % 4 == 3)).to_numpy() % 3
    predictions = tables.predictions(rows, NAMES, 0.1 + 0.7 * np.eye(3)[labels])
    draw = np.random.default_rng(0)
    positions = embedding_map.table(rows, draw.random((len(rows), 4)), 0)
    return positions, predictions, folder, table


def opened(uri):
    data = base64.b64decode(uri.removeprefix("data:image/webp;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_every_point_has_its_place_answer_and_picture(case):
    positions, predictions, *_ = case
    found = point_map.point_map(*case)
    data = found.data
    assert (found.points, found.mistakes, found.pictured) == (18, 4, 18)
    assert data["x"] == [round(1000 * x) for x in positions["x"]]
    assert [data["classes"][label] for label in data["predicted"]] == list(predictions["predicted"])
    assert data["confidence"] == [800] * 18
    assert data["file"] == list(predictions["filename"])
    assert data["cell"] == list(range(18))
    json.dumps(data)


def test_a_cell_of_the_sheet_holds_the_picture_of_its_point(case):
    found = point_map.point_map(*case)
    whole, side = opened(found.pictures), found.data["side"]
    row, column = divmod(13, found.data["columns"])
    cell = whole[row * side : (row + 1) * side, column * side : (column + 1) * side]
    label = found.data["true"][13]
    expected = np.asarray(fabricated.picture(label).resize((side, side))).astype(int)
    assert np.abs(cell.mean(axis=(0, 1)) - expected.mean(axis=(0, 1))).max() < 6


def test_without_room_for_all_mistakes_have_a_picture_first(case, monkeypatch):
    monkeypatch.setattr(point_map, "PIXELS", 7 * point_map.SMALLEST_SIDE**2)
    found = point_map.point_map(*case)
    assert found.pictured == 7
    wrong = np.array(found.data["true"]) != np.array(found.data["predicted"])
    assert (np.array(found.data["cell"])[wrong] >= 0).all()


@pytest.mark.parametrize(("count", "side"), [(1, 96), (1085, 96), (12_630, 28), (10**6, 20)])
def test_pictures_are_as_large_as_fits(count, side):
    assert point_map.picture_side(count) == side


def test_more_mistakes_than_room_are_thinned_out():
    wrong = np.array([True] * 9 + [False] * 9)
    assert point_map.pictured(wrong, 3).tolist() == [0, 4, 8]
    assert point_map.pictured(wrong, 11).tolist() == [*range(9), 9, 17]


def test_positions_of_other_records_are_refused(case):
    positions, *rest = case
    with pytest.raises(UserError, match=r"map\.csv is of other records.*-f evaluate"):
        point_map.point_map(positions.iloc[::-1].reset_index(drop=True), *rest)


def test_no_test_image_no_map(case):
    positions, predictions, *rest = case
    assert point_map.point_map(positions.head(0), predictions.head(0), *rest) is None
