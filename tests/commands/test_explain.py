"""`trackbed explain` in a fabricated project, with a model that compares mean colours."""

import contextlib
import json

import browser
import fabricated
import numpy as np
import onnx_model
import pytest
from PIL import Image

from trackbed import cli
from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline import tables
from trackbed.records import reader

NAMES = ["BALLAST", "<script>alert(1)</script>", "NA"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Records, folds, an exported model and its predictions."""
    folder = tmp_path_factory.mktemp("explain")
    table = fabricated.write_records(folder / "data/records", NAMES, [8, 6, 4])
    fabricated.write_folds(folder / "data/folds", table)
    model = ExportedModel.load(onnx_model.write(folder / "exported", NAMES))
    rows = table[table["part"] == "test"]
    images = reader.pixels(folder / "data/records", rows, model.side, model.side)
    predictions = tables.predictions(rows, NAMES, model.probabilities(images))
    tables.PREDICTIONS_TABLE.write(folder / "data/evaluation", predictions)
    return folder, predictions


def called(folder, *arguments):
    with contextlib.chdir(folder):
        return cli.main(["explain", *map(str, arguments)])


@pytest.fixture(scope="module")
def written(project):
    folder, _ = project
    assert called(folder, "--json", "maps.jsonl", "--png", "maps", "--right", 2) == 0
    lines = (folder / "maps.jsonl").read_text().splitlines()
    return (folder / "plots/explanations.html").read_text(), [json.loads(one) for one in lines]


def test_the_surest_mistakes_come_first_then_right_answers(project, written):
    _, predictions = project
    wrong = predictions[predictions["true"] != predictions["predicted"]]
    wrong = wrong.sort_values(["confidence", "record"], ascending=[False, True])
    right = predictions[predictions["true"] == predictions["predicted"]]
    count = right.groupby("true").size().clip(upper=2).sum()
    files = [line["file"] for line in written[1]]
    assert files[: len(wrong)] == wrong["filename"].tolist()
    assert len(files) == len(wrong) + count


def test_a_line_of_json_has_the_maps_of_both_classes(written):
    first = written[1][0]
    assert first["true"] != first["predicted"]
    assert list(first["maps"]) == [first["predicted"], first["true"]]
    assert np.shape(first["maps"][first["true"]]) == (4, 4)


def test_each_map_is_a_png_as_large_as_the_picture(project, written):
    files = sorted((project[0] / "maps").iterdir())
    assert len(files) == sum(len(line["maps"]) for line in written[1])
    assert {Image.open(path).size for path in files} == {(64, 48)}
    assert files[0].name.startswith("0001_0")


def test_the_page_escapes_names(written):
    assert "<script>alert" not in written[0]
    assert "&lt;script&gt;" in written[0]


LOOK = """
const cards = [...document.querySelectorAll("#mistakes-cards > li")];
const dialog = document.querySelector("dialog");
const form = document.querySelector("#mistakes form");
const map = cards[0].querySelectorAll("img")[1];
map.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter"}));
const found = {images: cards[0].querySelectorAll("img").length, opened: dialog.open,
               text: dialog.textContent.replace(/\\s+/g, " ")};
dialog.close();
form.elements[0].selectedIndex = 1; form.dispatchEvent(new Event("change"));
found.left = new Set(cards.filter((one) => one.checkVisibility()).map((one) => one.dataset.true));
found.left = [...found.left];
return found;
"""


@pytest.fixture(scope="module")
def page(project, written):
    return project[0] / "plots/explanations.html"


def test_keys_and_filters_work_in_a_browser(page, written, page_at):
    opened = page_at(page)
    found = opened.result(LOOK)
    first = written[1][0]
    assert found["images"] == 3
    assert found["opened"]
    assert f"What speaks for {first['predicted']}" in found["text"]
    assert found["left"] == [first["true"]]
    assert opened.console == []


@pytest.mark.parametrize("width", [400, 1300, 1600])
def test_nothing_overflows_and_nothing_is_fetched(page, page_at, width):
    opened = page_at(page, width)
    found = opened.result(browser.WIDTH)
    assert found["page"] <= found["inner"]
    assert (found["wide"], opened.requests, opened.console) == ([], [], [])


def test_another_class_is_explained_on_demand(project, tmp_path):
    out = tmp_path / "page.html"
    arguments = ("--class", "NA", "--mistakes", 1, "--right", 0, "--out", out)
    assert called(project[0], *arguments, "--json", tmp_path / "maps") == 0
    (line,) = map(json.loads, (tmp_path / "maps").read_text().splitlines())
    assert "NA" in line["maps"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--class", "GRAS"], "--class: exported knows the classes BALLAST"),
        (["--mistakes", "-1"], "--mistakes: must be 0 or more"),
        (["nowhere.jpg"], "'nowhere.jpg': No such file or directory"),
        (["--most", "0", "data"], "--most: must be 1 or more"),
        (["--model", "nowhere"], "nowhere/model.json: no such file"),
        (["--out", "exported"], "--out exported: a folder; name a file."),
        (["--json", "data"], "--json data: a folder; name a file."),
        (["--json", "x.html", "--out", "x.html"], "--json x.html: is also --out."),
        (["--out", "exported/x.html"], "must lie outside of exported."),
        (["--out", "data/folds/folds.csv/x.html"], "data/folds/folds.csv: File exists."),
        (["--out", f"{'x' * 300}.html"], "File name too long."),
        (["--png", "exported/model.json"], "--png exported/model.json: a file; name a folder."),
        (["--png", "exported"], "which is no map; name another folder."),
    ],
)
def test_wrong_usage_is_refused_in_a_line(project, capsys, arguments, message):
    assert called(project[0], *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.fixture
def pictures(tmp_path):
    """Two pictures of unequal sides and a file that is none."""
    folder = tmp_path / "new"
    folder.mkdir()
    fabricated.picture(1).save(folder / "b 1.png")
    fabricated.picture(2).resize((90, 30)).save(folder / "c.jpg")
    (folder / "a.jpg").write_bytes(b"not a picture")
    return folder


def test_any_pictures_are_explained(project, pictures, tmp_path, capsys):
    lines, out = tmp_path / "lines", tmp_path / "page.html"
    options = ("--json", lines, "--png", tmp_path / "maps", "--out", out, "--class", "NA")
    assert called(project[0], pictures, *options) == 0
    found = [json.loads(one) for one in lines.read_text().splitlines()]
    assert [one["file"].rpartition("/")[2] for one in found] == ["b 1.png", "c.jpg"]
    assert {one["true"] for one in found} == {None}
    assert all("NA" in one["maps"] and one["predicted"] in one["maps"] for one in found)
    sizes = {Image.open(path).size for path in (tmp_path / "maps").iterdir()}
    assert sizes == {(64, 48), (90, 30)}
    assert "a.jpg: not an image" in capsys.readouterr().err
    assert "Not explained" in out.read_text()


def test_answers_are_those_of_predict(project, pictures, tmp_path):
    lines = tmp_path / "lines"
    assert called(project[0], pictures, "--json", lines, "--out", tmp_path / "page.html") == 0
    with contextlib.chdir(project[0]):
        command = ["predict", str(pictures), "--output", str(tmp_path / "answers.jsonl")]
        assert cli.main(command) == 0
    expected = [json.loads(one) for one in (tmp_path / "answers.jsonl").read_text().splitlines()]
    found = [json.loads(one) for one in lines.read_text().splitlines()]
    assert [one["predicted"] for one in found] == [one["class"] for one in expected]
    confidence = [one["confidence"] for one in expected]
    assert [one["confidence"] for one in found] == pytest.approx(confidence, abs=1e-6)


def test_maps_of_an_earlier_call_are_replaced(project, pictures, tmp_path):
    options = ("--out", tmp_path / "page.html", "--png", tmp_path / "maps")
    assert called(project[0], pictures, *options) == 0
    assert called(project[0], pictures / "c.jpg", *options) == 0
    assert len(list((tmp_path / "maps").iterdir())) == 1


def test_a_picture_is_not_overwritten(project, pictures, capsys):
    assert called(project[0], pictures, "--out", pictures / "c.jpg") == 2
    assert "c.jpg: is also " in capsys.readouterr().err
    assert Image.open(pictures / "c.jpg").size == (90, 30)


def test_no_usable_picture_is_an_error_code(project, pictures, tmp_path):
    assert called(project[0], pictures / "a.jpg", "--out", tmp_path / "page.html") == 3


def test_the_number_of_pictures_is_limited(project, pictures, tmp_path, capsys):
    options = ("--most", 1, "--json", tmp_path / "lines", "--out", tmp_path / "page.html")
    assert called(project[0], pictures / "c.jpg", pictures / "b 1.png", *options) == 0
    (line,) = map(json.loads, (tmp_path / "lines").read_text().splitlines())
    assert line["file"].endswith("c.jpg")
    assert "the first 1 of 2 pictures" in capsys.readouterr().err
