"""The charts of the report in a browser: pointer, keyboard, slider, lasso; still figures."""

import json
import re

import browser
import fabricated
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect
from sklearn.metrics import precision_score, recall_score

SCHEMES = ("light", "dark")
# Until the charts have the width of the window.
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
OTHER = {"name": "<b>1234567890", "kind": "commit", "changes": "train.epochs=20"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run with classes of hostile names, and another run beside it."""
    folder = tmp_path_factory.mktemp("run")
    paths = fabricated.run(folder, fabricated.EVIL, empty=["012"], per_class=25, right=0.8)
    fabricated.report_again(folder, paths)
    context = fabricated.context(folder)
    curve = {"epochs": list(range(1, 31)), "values": [0.125] * 30}
    context["curves"] = [OTHER | {"curves": {"loss": curve, "accuracy": curve}}]
    text = f"window.reportContext = {json.dumps(context)};\n"
    (folder / "plots/report_context.js").write_text(text)
    return folder


@pytest.fixture(scope="module")
def opened(run, page_at):
    return page_at(run / "plots/report.html", 1300)


@pytest.fixture
def page(opened):
    """The page at its full width, with an empty console so far."""
    opened.page.set_viewport_size({"width": 1300, "height": 900})
    opened.page.evaluate("document.querySelectorAll('dialog[open]').forEach((one) => one.close())")
    yield opened.page
    assert opened.console == []


@pytest.fixture(scope="module")
def predictions(run):
    return pd.read_csv(run / "data/evaluation/predictions.csv", keep_default_na=False)


def readout(page, key):
    return page.locator(f'[data-chart="{key}"] .readout').inner_text().replace("\n", " ")


def plot(page, key):
    return page.locator(f'[data-chart="{key}"] .plot')


def curve(run, name):
    table = pd.read_csv(run / f"metrics/train/plots/metrics/{name}.tsv", sep="\t")
    return table.set_index("step").iloc[:, 0]


def test_an_epoch_under_the_pointer_shows_in_all_curves(page, run):
    place = plot(page, "loss")
    place.scroll_into_view_if_needed()
    area = place.locator(".u-over").bounding_box()
    page.mouse.move(area["x"] + area["width"] * 14 / 29, area["y"] + 60)  # epochs 1 to 30
    for key in ("loss", "accuracy", "macro_f1"):
        text = readout(page, key)
        assert "epoch 15 " in text
        for part in ("train", "val"):
            assert f"{curve(run, f'{part}/{key}')[15]:.4g}" in text
    page.mouse.move(5, 5)
    best = json.loads((run / "metrics/train/metrics.json").read_text())["best_epoch"]
    assert f"epoch {best} (best)" in readout(page, "accuracy")


def test_arrow_keys_move_from_epoch_to_epoch(page, run):
    place = plot(page, "accuracy")
    place.focus()
    page.keyboard.press("Home")
    assert "epoch 1 " in readout(page, "accuracy")
    page.keyboard.press("ArrowRight")
    assert f"validation {curve(run, 'val/accuracy')[2]:.4g}" in readout(page, "accuracy")
    assert "epoch 2 " in readout(page, "loss")
    page.keyboard.press("End")
    assert "epoch 30 " in readout(page, "loss")
    assert "validation \N{EN DASH}" in readout(page, "loss")  # this run has 27 epochs


def test_another_run_is_laid_over_and_taken_away(page):
    box = page.locator("#overlay input")
    assert page.locator("#overlay label").inner_text() == f"{OTHER['name']} commit"
    assert box.is_checked()
    assert f"{OTHER['name']} 0.125" in readout(page, "loss")
    assert OTHER["name"] not in readout(page, "macro_f1")  # has no such curve
    box.uncheck()
    assert OTHER["name"] not in readout(page, "loss")
    box.check()


def test_both_curves_of_a_class_show_one_threshold(page, predictions):
    select = page.locator("#curve-class select")
    label = next(text for text in select.locator("option").all_inner_texts() if "$x_1$" in text)
    select.select_option(label=label)
    plot(page, "precision_recall").focus()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("PageDown")
    text = readout(page, "precision_recall")
    threshold, right, wrong = re.match(r"from ([\d.]+) on: (\d+) right, (\d+) wrong", text).groups()
    assert text.partition(" on:")[0] == readout(page, "roc").partition(" on:")[0]
    name = fabricated.EVIL[1]
    accepted = predictions[f"p_{name}"] >= float(threshold) - 0.0005
    own = predictions["true"] == name
    assert abs(int(right) - (accepted & own).sum()) <= 1
    assert abs(int(wrong) - (accepted & ~own).sum()) <= 1
    precision, recall = (float(readout(page, key)[-5:]) for key in ("precision_recall", "roc"))
    assert precision == pytest.approx(precision_score(own, accepted), abs=0.02)
    assert recall == pytest.approx(recall_score(own, accepted), abs=0.02)


def test_a_class_of_the_table_becomes_that_of_the_curves(page):
    page.locator("#classes summary", has_text="AP and AUROC").click()
    button = page.locator("button[data-curve]").nth(2)
    button.click()
    assert page.locator("#curve-class select").input_value() == "2"
    area = button.locator("xpath=ancestor::tr").locator("td").nth(1).inner_text()
    assert (
        page.locator("#curve-class [data-part=precision_recall]")
        .inner_text()
        .startswith(f"AP {area}")
    )


def test_the_slider_says_what_a_threshold_keeps(page, predictions):
    slider = page.locator("#threshold input[type=range]")
    slider.focus()
    page.locator("#threshold input[type=number]").fill("0.949")
    slider.press("ArrowRight")
    expect(page.locator("#threshold input[type=number]")).to_have_value("0.950")
    kept = predictions[predictions["confidence"] >= 0.95]
    right = kept["true"] == kept["predicted"]
    part = lambda name: page.locator(f"#threshold [data-part={name}]").inner_text()  # noqa: E731
    assert part("coverage") == f"{100 * len(kept) / len(predictions):.1f} %"
    assert part("accuracy") == f"{right.mean():.3f}"
    assert part("refused") == str(len(predictions) - len(kept))
    assert part("mistakes") == str((~right).sum())
    assert "0.950:" in slider.get_attribute("aria-valuetext")
    page.locator("#threshold input[type=number]").fill("")  # no number: the threshold stays
    slider.focus()
    expect(page.locator("#threshold input[type=number]")).to_have_value("0.950")
    for name in fabricated.EVIL[:2]:
        row = page.locator("#threshold tbody tr", has_text=name).locator("td").all_inner_texts()
        called = kept["predicted"] == name
        own = (predictions["true"] == name).sum()
        hit = (called & right).sum()
        expected = [hit / called.sum(), hit / own]
        assert [float(text) for text in row[:2]] == pytest.approx(expected, abs=0.001)


def test_the_refused_pictures_come_into_the_gallery(page, predictions):
    page.locator("#threshold input[type=number]").fill("0.9")
    page.locator("#threshold input[type=number]").press("Enter")
    page.locator("[data-part=show-refused]").click()
    low = (predictions["confidence"] < 0.9).sum()
    assert page.locator("#gallery-status").inner_text().startswith(f"{low} of ")
    page.locator("[data-part=show-mistakes]").click()
    sure = predictions["confidence"] >= 0.9
    mistakes = (sure & (predictions["true"] != predictions["predicted"])).sum()
    assert page.locator("#gallery-status").inner_text().startswith(f"{mistakes} of ")
    page.locator("#gallery-filters button[type=reset]").click()


def test_the_chosen_threshold_is_marked_and_the_chart_sets_it(page):
    page.locator("[data-part=chosen]").click()
    number = page.locator("#threshold input[type=number]")
    assert number.input_value() == "0.900"  # of the fabricated scores
    mark = page.locator("#threshold .mark")
    assert mark.evaluate("(one) => one.style.getPropertyValue('--at')") == "0.9"
    place = plot(page, "coverage")
    place.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert number.input_value() == "0.005"


def point(page, row):
    """Where a picture lies in the window: the map has a margin of 14 pixels, a border of 1."""
    canvas = page.locator("#point-map canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = page.evaluate(f"[trackbed.pictures().x[{row}], trackbed.pictures().y[{row}]]")
    wide = box["width"] - 2 - 28
    return box["x"] + 15 + x / 1000 * wide, box["y"] + 15 + y / 1000 * wide


def test_a_point_shows_its_picture_and_a_click_opens_it(page, predictions):
    page.mouse.move(*point(page, 5))
    assert predictions["filename"][5] in page.locator("#map-point").inner_text()
    page.locator("#map-float canvas[data-ready]").wait_for(timeout=5000)
    page.mouse.click(*point(page, 5))
    lightbox = page.locator("#lightbox")
    assert lightbox.is_visible()
    assert predictions["filename"][5] in lightbox.inner_text()


def test_a_lasso_fills_the_gallery(page, predictions):
    place = page.locator("#point-map canvas").first
    place.scroll_into_view_if_needed()
    canvas = place.bounding_box()
    middle = canvas["x"] + canvas["width"] / 2
    corners = [(canvas["x"] + 2, canvas["y"] + 2), (middle, canvas["y"] + 2)]
    corners += [(middle, canvas["y"] + canvas["height"] - 2)]
    corners += [(canvas["x"] + 2, canvas["y"] + canvas["height"] - 2)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
    across = page.evaluate("trackbed.pictures().x")
    inside = [row for row, x in enumerate(across) if x < 500]  # of 0 to 1000
    status = page.locator("#map-marked").inner_text()
    wrong = (predictions["true"] != predictions["predicted"]).iloc[inside].sum()
    assert status == f"{len(inside)} pictures marked, {wrong} wrong"
    page.locator("#point-map button[name=gallery]").click()
    assert page.evaluate("trackbed.shown().length") == len(inside)
    assert "of the map" in page.locator("#gallery-chosen").inner_text()
    page.locator("#gallery-chosen button").click()
    assert page.evaluate("trackbed.shown().length") == len(predictions)


def test_keys_mark_points_and_show_them(page, predictions):
    page.locator("#point-map canvas").first.focus()
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    wrong = predictions[predictions["true"] != predictions["predicted"]]
    sure = wrong.assign(confidence=np.floor(1000 * wrong["confidence"]))
    surest = sure.sort_values("confidence", ascending=False, kind="stable").index[0]
    assert predictions["filename"][surest] in page.locator("#map-point").inner_text()
    page.keyboard.press(" ")
    assert page.locator("#map-marked").inner_text() == "1 picture marked, 1 wrong"
    page.keyboard.press("n")
    assert page.locator("#map-marked").inner_text().startswith("25 pictures marked")
    page.keyboard.press("ArrowRight")
    assert predictions["filename"][surest] not in page.locator("#map-point").inner_text()
    page.keyboard.press("s")
    assert page.evaluate("trackbed.shown().length") == 25
    assert page.evaluate(f"trackbed.shown().includes({surest})")
    page.locator("#gallery-chosen button").click()


COLOURS = """() => {
const canvas = document.querySelector("#point-map canvas");
const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
const found = new Map();
for (let at = 0; at < data.length; at += 4) {
  if (data[at + 3] < 255) continue;
  const colour = [data[at], data[at + 1], data[at + 2]].join();
  found.set(colour, (found.get(colour) ?? 0) + 1);
}
return Object.fromEntries([...found].filter(([, count]) => count > 60));
}"""


def test_the_map_is_coloured_by_class_or_by_mistake(run, page_at, predictions):
    page = page_at(run / "plots/report.html", 1300).page
    blue, orange = "0,114,178", "213,94,0"
    assert len(page.evaluate(COLOURS)) >= 5  # classes with test images
    page.locator(".map-controls select[name=colour]").select_option("wrong")
    assert set(page.evaluate(COLOURS)) == {blue, orange}
    assert page.locator("#map-legend").inner_text().split() == ["right", "wrong"]
    page.locator(".map-controls input[name=wrong]").check()
    assert set(page.evaluate(COLOURS)) == {orange}
    page.evaluate("trackbed.filter({wrong: false})")  # what the gallery does not show is pale
    assert page.evaluate(COLOURS) == {}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [400, 768, 1300, 1920])
def test_charts_fit_at_every_width(opened, width, scheme):
    page = opened.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.evaluate(FRAMES)
    found = opened.result(browser.WIDTH)
    assert found["page"] <= width
    assert found["wide"] == []
    assert page.locator(".chart.live .plot:visible").count() == 7
    assert page.locator(".chart.live svg:visible").count() == 0
    canvas = page.locator("#point-map canvas").first
    assert canvas.bounding_box()["width"] <= width - 20


def test_in_print_and_without_script_the_still_figures_are_there(opened, run, page_at):
    opened.page.emulate_media(media="print")
    assert opened.page.locator(".chart svg:visible").count() == 7
    assert opened.page.locator(".chart .plot:visible").count() == 0
    opened.page.emulate_media(media="screen")
    plain = page_at(run / "plots/report.html", 1000, java_script_enabled=False).page
    assert plain.locator(".chart svg:visible").count() == 7
    assert plain.locator("#threshold:visible, #curve-class:visible, #overlay:visible").count() == 0


def test_charts_hold_where_every_answer_is_right_and_certain(tmp_path, page_at):
    fabricated.report(tmp_path, names=["A"])  # one class has the probability 1
    assert page_at(tmp_path / "plots/report.html", 1300).console == []
