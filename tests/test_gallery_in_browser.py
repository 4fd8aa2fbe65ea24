"""The gallery, the lightbox and the confusion matrix of a report in a browser."""

import json
import time

import browser
import fabricated
import numpy as np
import pandas as pd
import pytest

from trackbed.evaluation import bootstrap

WIDTHS = [400, 768, 1300, 1920]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run with classes of hostile names; one of its images has a finding."""
    folder = tmp_path_factory.mktemp("run")
    fabricated.report(folder, names=fabricated.EVIL, empty=["012"], per_class=25, right=0.8)
    return folder


@pytest.fixture(scope="module")
def table(folder):
    """The predictions in the order of the file; sure: the confidence that the page knows."""
    table = pd.read_csv(folder / "data/evaluation/predictions.csv", keep_default_na=False)
    sure = np.floor(1000 * table["confidence"]).astype(int)
    return table.assign(sure=sure, wrong=table["true"] != table["predicted"])


@pytest.fixture(scope="module")
def opened(folder, page_at):
    """The report, one page for all tests."""
    return page_at(folder / "plots/report.html", 1300)


@pytest.fixture(autouse=True)
def fresh(request):
    """The gallery as it is at first, and no lightbox."""
    if "opened" in request.fixturenames:
        page = request.getfixturevalue("opened").page
        page.evaluate("document.getElementById('lightbox').close(); trackbed.filter()")


def shown(opened):
    return opened.page.evaluate("trackbed.shown()")


def until(opened, script):
    """Wait for an expression to hold; Playwright's own way is against the page's policy."""
    end = time.monotonic() + 10
    while not opened.page.evaluate(script):
        assert time.monotonic() < end, script


def status(opened):
    return opened.page.inner_text("#gallery-status")


def test_it_begins_with_the_surest_mistakes_of_all_pictures(opened, table):
    mistakes = table[table["wrong"]].sort_values("sure", ascending=False, kind="stable")
    right = table[~table["wrong"]].sort_values("sure", kind="stable")
    assert shown(opened) == [*mistakes.index, *right.index]
    assert status(opened) == f"{len(table)} of {len(table)} pictures, {len(mistakes)} wrong"
    first = opened.page.locator("#gallery-view li").first
    assert first.get_by_role("button").get_attribute("title") == mistakes["filename"].iloc[0]


def expected(table, **fields):
    found = table
    if "true" in fields:
        found = found[found["true"] == fabricated.EVIL[int(fields["true"])]]
    if "predicted" in fields:
        found = found[found["predicted"] == fabricated.EVIL[int(fields["predicted"])]]
    if "answer" in fields:
        found = found[found["wrong"] == (fields["answer"] == "wrong")]
    found = found[found["sure"] >= 10 * float(fields.get("low", 0))]
    return set(found[found["sure"] <= 10 * float(fields.get("high", 100))].index)


@pytest.mark.parametrize(
    "fields",
    [
        {"true": "0"},
        {"predicted": "2"},
        {"true": "4", "predicted": "5"},
        {"answer": "wrong"},
        {"answer": "right", "low": "95"},
        {"low": "60", "high": "90.5"},
        {"true": "1", "answer": "wrong", "high": "99"},
    ],
    ids=lambda fields: " ".join(f"{key}={value}" for key, value in fields.items()),
)
def test_the_filters_combine(opened, table, fields):
    form = opened.page.locator("#gallery-filters")
    for name, value in fields.items():
        field = form.locator(f"[name={name}]")
        field.select_option(value) if name in ("true", "predicted", "answer") else field.fill(value)
    assert set(shown(opened)) == expected(table, **fields) != set()
    form.get_by_role("button", name="clear").click()
    until(opened, f"trackbed.shown().length === {len(table)}")


def test_a_range_the_wrong_way_round_is_named(opened):
    opened.page.locator("#gallery-filters [name=low]").fill("90")
    opened.page.locator("#gallery-filters [name=high]").fill("60")
    assert status(opened) == "no pictures: the lower confidence is above the upper one"
    assert shown(opened) == []


def test_a_group_a_part_of_a_file_name_and_a_finding(opened, table, folder):
    search = opened.page.locator("#gallery-filters [name=text]")
    group = table["group"][30]
    search.fill(group)
    assert set(shown(opened)) == set(table.index[table["group"] == group])
    search.fill("na/00")
    inside = table["filename"].str.lower().str.contains("na/00", regex=False)
    inside |= table["group"].str.lower().str.contains("na/00", regex=False)
    assert set(shown(opened)) == set(table.index[inside]) != set()
    search.fill("no such file")
    assert shown(opened) == []
    assert "No picture fits." in opened.page.inner_text("#gallery-view")
    search.fill("")
    found = pd.read_csv(folder / "data/records/findings.csv", keep_default_na=False)
    near = found[found["finding"] == "near one in another class"]
    records = {*near["record"], *near["other_record"]} & set(table["record"])
    opened.page.locator("#gallery-filters [name=finding]").select_option(
        "near one in another class"
    )
    assert set(table["record"][shown(opened)]) == records != set()


@pytest.mark.parametrize(
    ("order", "key", "ascending"), [("least", "sure", True), ("most", "sure", False)]
)
def test_the_order_can_be_chosen(opened, table, order, key, ascending):
    opened.page.locator("#gallery-filters [name=sort]").select_option(order)
    found = table[key][shown(opened)]
    assert found.tolist() == sorted(table[key], reverse=not ascending)
    opened.page.locator("#gallery-filters [name=sort]").select_option("surest")


def test_labels_in_doubt_come_first_where_asked(opened, table):
    opened.page.locator("#gallery-filters [name=sort]").select_option("doubted")
    columns = [f"p_{name}" for name in table["true"]]
    own = np.array([table[column][row] for row, column in enumerate(columns)])
    assert (np.diff(own[shown(opened)]) > -1 / 255).all()
    opened.page.locator("#gallery-filters [name=sort]").select_option("surest")


def test_a_selection_has_a_label_a_way_back_and_an_event(opened, table):
    page = opened.page
    page.evaluate(
        "window.heard = null; document.addEventListener('trackbed:selection',"
        " (event) => { heard = event.detail; }); trackbed.select({rows: [5, 3], label: '<b>Two'})"
    )
    assert set(shown(opened)) == {3, 5}
    assert set(page.evaluate("heard.rows")) == {3, 5}
    assert page.evaluate("heard.label") == "<b>Two"
    assert "Only: <b>Two" in page.inner_text("#gallery-chosen")
    page.get_by_role("button", name="show all").click()
    assert len(shown(opened)) == len(table)
    assert not page.locator("#gallery-chosen").is_visible()


def test_filter_takes_all_its_keys(opened, table):
    opened.page.evaluate("trackbed.filter({true: 0, wrong: true, low: 500, high: 990})")
    wanted = expected(table, true="0", answer="wrong", low="50", high="99")
    assert set(shown(opened)) == wanted != set()
    kind, value = "group", table["group"][0]
    opened.page.evaluate(f"trackbed.filter({{{kind}: {value!r}}})")
    assert set(table["group"][shown(opened)]) == {value}


def test_only_what_is_in_view_is_in_the_document(opened, table):
    page = opened.page
    assert page.locator("#gallery-view li").count() < len(table)
    page.locator("#gallery-view").press("End")
    last = table["filename"][shown(opened)[-1]]
    until(opened, f"document.activeElement.title === {last!r}")
    assert page.locator("#gallery-view li").count() < len(table)


def test_keys_move_through_the_gallery_and_enter_opens(opened, table):
    page = opened.page
    view = page.locator("#gallery-view")
    view.locator("button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    cards = "[...document.querySelectorAll('#gallery-view li')]"
    columns = page.evaluate(f"{cards}.filter((one) => one.style.top === '0px').length")
    focused = table["filename"][shown(opened)[1 + columns]]
    assert page.evaluate("document.activeElement.title") == focused
    page.keyboard.press("Enter")
    assert focused in page.inner_text("#lightbox")
    page.keyboard.press("ArrowRight")
    assert table["filename"][shown(opened)[2 + columns]] in page.inner_text("#lightbox")
    page.keyboard.press("Escape")
    assert not page.locator("#lightbox").is_visible()
    # The focus is at the picture that was looked at last.
    assert (
        page.evaluate("document.activeElement.title")
        == table["filename"][shown(opened)[2 + columns]]
    )


def test_the_filters_stay_while_the_lightbox_is_open(opened, table):
    opened.page.locator("#gallery-filters [name=answer]").select_option("wrong")
    before, words = shown(opened), status(opened)
    opened.page.locator("#gallery-view button").nth(1).click()
    place = opened.page.locator("#lightbox [data-part=place]")
    assert place.inner_text() == f"2 of {len(before)}"
    opened.page.get_by_role("button", name="Next picture").click()
    assert place.inner_text() == f"3 of {len(before)}"
    opened.page.keyboard.press("End")
    assert place.inner_text() == f"{len(before)} of {len(before)}"
    opened.page.keyboard.press("Home")
    assert place.inner_text() == f"1 of {len(before)}"
    opened.page.get_by_role("button", name="Close").click()
    assert shown(opened) == before
    assert status(opened) == words


def test_the_lightbox_lists_probabilities_and_facts(opened, table):
    row = shown(opened)[0]
    opened.page.evaluate(f"trackbed.open({row})")
    text = opened.page.inner_text("#lightbox")
    answer = table.loc[row]
    for word in (answer["filename"], answer["group"], answer["true"], answer["predicted"]):
        assert word in text
    assert "✗ wrong" in text
    assert "64 \N{MULTIPLICATION SIGN} 48 pixels" in text
    shares = answer[[f"p_{name}" for name in fabricated.EVIL]].astype(float)
    listed = opened.page.locator("#lightbox [data-part=bars] li .n").all_inner_texts()
    percents = [f"{100 * share:.0f} %" for share in sorted(shares, reverse=True)]
    assert listed[0] == percents[0]
    assert len(listed) >= 2


def test_lightbox_and_gallery_give_the_same_percentages(opened, table):
    found = opened.page.evaluate(
        "trackbed.pictures().file.map((_, row) => Math.max(...trackbed.probabilities(row)))"
    )
    assert np.rint(1000 * np.array(found)).astype(int).tolist() == table["sure"].tolist()
    answers = opened.page.evaluate(
        "trackbed.pictures().file.map((_, row) => trackbed.probabilities(row)"
        "[trackbed.pictures().predicted[row]])"
    )
    assert answers == found


def pixels(opened, selector):
    opened.page.wait_for_selector(f"{selector} canvas")
    return opened.page.evaluate(
        f"(() => {{ const one = document.querySelector('{selector} canvas'); return [one.width,"
        " one.height, ...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]; })()"
    )


def coloured(values):
    """Share of the pixels that are not grey."""
    rgb = np.array(values[2:]).reshape(-1, 4)[:, :3].astype(int)
    return (np.ptp(rgb, axis=1) > 24).mean()


def test_the_map_lies_over_the_picture_and_stays_for_the_next(opened):
    page = opened.page
    page.evaluate("trackbed.open(trackbed.shown()[0])")
    label = page.locator("#lightbox [data-part=picture] canvas")
    page.wait_for_selector("#lightbox [data-part=picture] canvas")
    plain = pixels(opened, "#lightbox [data-part=picture]")
    page.keyboard.press("e")
    until(opened, "document.querySelector('#lightbox canvas').ariaLabel.startsWith('What')")
    assert pixels(opened, "#lightbox [data-part=picture]") != plain
    pressed = page.locator("#lightbox [aria-pressed=true]")
    assert pressed.inner_text().startswith("for ")
    page.keyboard.press("ArrowRight")
    until(opened, "document.querySelector('#lightbox canvas').ariaLabel.startsWith('What')")
    page.get_by_role("button", name="picture", exact=True).click()
    until(opened, "document.querySelector('#lightbox canvas').ariaLabel.startsWith('Test')")
    assert label.count() == 1


def test_an_overlay_is_that_of_the_package(opened):
    from trackbed.inference import class_activation

    draw = np.random.default_rng(0)
    picture = draw.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    values = draw.random((4, 5)).astype(np.float32)
    values[2, 3] = 1
    levels = np.rint(255 * values).astype(int)
    wanted = class_activation.overlay(picture, values)
    rgba = np.dstack([picture, np.full((60, 80), 255, np.uint8)]).ravel().tolist()
    found = opened.page.evaluate(
        """([pixels, values]) => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [80, 60];
        const brush = canvas.getContext("2d");
        brush.putImageData(new ImageData(new Uint8ClampedArray(pixels), 80, 60), 0, 0);
        trackbed.overlay(canvas, {high: 4, wide: 5, values: new Uint8Array(values)});
        return [...brush.getImageData(0, 0, 80, 60).data];
        }""",
        [rgba, levels.ravel().tolist()],
    )
    rgb = np.array(found).reshape(60, 80, 4)[:, :, :3]
    assert np.abs(rgb - wanted.astype(int)).mean() < 2
    assert np.abs(rgb - wanted.astype(int)).max() < 14


def test_a_cell_of_the_matrix_shows_and_filters_its_pictures(opened, table):
    page = opened.page
    pairs = table[table["wrong"]].groupby(["true", "predicted"]).size()
    (own, predicted), count = pairs.idxmax(), pairs.max()
    labels = [fabricated.EVIL.index(name) for name in (own, predicted)]
    cell = page.locator(f"td[data-true='{labels[0]}'][data-predicted='{labels[1]}']")
    button = cell.get_by_role("button")
    assert button.get_attribute("aria-label") == f"{own} predicted as {predicted}: {count} images"
    cell.hover()
    heading = "document.querySelector('#cell-pictures h3').textContent"
    until(opened, f"{heading} === {json.dumps(f'{own} predicted as {predicted}')}")
    assert page.locator("#cell-pictures li").count() == min(count, 18)
    page.locator(f"td[data-true='{labels[0]}'][data-predicted='{labels[0]}']").hover()
    page.locator("#cell-pictures h3").hover()
    page.wait_for_timeout(400)  # the pointer crossed a cell and did not rest there
    assert page.evaluate(heading) == f"{own} predicted as {predicted}"
    of_cell = table[(table["true"] == own) & (table["predicted"] == predicted)]
    page.locator("#cell-pictures li button").first.click()
    surest = of_cell.sort_values("sure", ascending=False, kind="stable")["filename"].iloc[0]
    assert surest in page.inner_text("#lightbox")
    assert page.inner_text("#lightbox [data-part=place]") == f"1 of {count}"
    page.keyboard.press("Escape")
    button.click()
    assert set(shown(opened)) == set(of_cell.index)


def test_arrow_keys_go_from_cell_to_cell(opened):
    page = opened.page
    first = page.locator("table.matrix button[tabindex='0']")
    assert first.count() == 1
    first.focus()
    before = page.evaluate("document.activeElement.ariaLabel")
    moved = set()
    for key in ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
        moved.add(page.evaluate("document.activeElement.ariaLabel"))
    assert moved - {before}
    assert page.locator("table.matrix button[tabindex='0']").count() == 1
    heading = page.inner_text("#cell-pictures h3")
    assert page.evaluate("document.activeElement.ariaLabel").startswith(heading)


def test_a_picture_of_a_pair_opens_with_the_map_that_was_clicked(opened):
    page = opened.page
    card = page.locator(".pairs .card").first
    card.locator("img").nth(1).click()
    assert card.get_attribute("data-file") in page.inner_text("#lightbox")
    assert page.locator("#lightbox [aria-pressed=true]").inner_text().startswith("for ")
    page.keyboard.press("Escape")
    page.evaluate("trackbed.open(0, [0], -1)")


def test_without_script_the_surest_mistakes_are_there(folder, page_at):
    page = page_at(folder / "plots/report.html", java_script_enabled=False).page
    assert page.locator("#gallery .card").count() == 24
    assert not page.locator("#gallery-filters, #gallery-view, #lightbox").first.is_visible()
    assert page.locator("table.matrix td.wrong").first.inner_text().strip().isdigit()


def test_on_paper_the_surest_mistakes_are_there(opened):
    opened.page.emulate_media(media="print")
    assert opened.page.locator("#gallery .card").first.is_visible()
    assert not opened.page.locator("#gallery-view").is_visible()
    opened.page.emulate_media(media="screen")
    assert not opened.page.locator("#gallery .card").first.is_visible()


def test_another_width_keeps_the_focus(opened):
    page = opened.page
    page.locator("#gallery-view button").nth(2).focus()
    page.keyboard.press("ArrowRight")
    title = page.evaluate("document.activeElement.title")
    page.set_viewport_size({"width": 700, "height": 900})
    until(opened, "document.querySelector('#gallery-view ol').clientWidth < 700")
    page.wait_for_timeout(100)
    assert page.evaluate("document.activeElement.title") == title != ""
    page.set_viewport_size({"width": 1300, "height": 900})
    until(opened, "document.querySelector('#gallery-view ol').clientWidth > 700")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_gallery_lightbox_and_matrix_fit(opened, width, scheme):
    page = opened.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.locator("#gallery-view button").first.click()
    assert opened.result(browser.WIDTH)["wide"] == []
    box = page.locator("#lightbox").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert page.get_by_role("button", name="Close").is_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    found = opened.result(browser.WIDTH)
    assert found["wide"] == []
    assert found["page"] <= width
    cards = page.locator("#gallery-view li").first.bounding_box()
    assert 60 < cards["width"] < 270
    page.set_viewport_size({"width": 1300, "height": 900})


def test_nothing_was_asked_for_and_the_console_is_quiet(opened):
    assert set(opened.requests) <= {"report_context.js"}
    assert [line for line in opened.console if "Canvas2D" not in line] == []  # on reading it back


@pytest.mark.slow
@pytest.mark.parametrize(
    ("classes", "per_class", "images"), [(43, 235, 12_630), (1000, 4, 4_000)], ids=["43", "1000"]
)
def test_many_pictures_stay_small_and_quick(
    tmp_path, page_at, monkeypatch, classes, per_class, images
):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 20)  # the intervals would take minutes
    names = [f"{number:04d} sign of the road" for number in range(classes)]
    page, _ = fabricated.report(tmp_path, names=names, per_class=per_class, right=0.97, varied=True)
    assert len(page.encode()) < 5_000_000
    all_opened = [page_at(tmp_path / "plots/report.html", 1300) for _ in range(3)]
    assert min(map(first_paint, all_opened)) < 1000  # milliseconds
    opened = all_opened[0]
    assert len(shown(opened)) >= images
    opened.page.evaluate("trackbed.filter({wrong: true})")
    assert opened.page.locator("#gallery-view li").count() < 300
    until(opened, "document.querySelector('#gallery-view canvas').dataset.ready === ''")


def first_paint(opened):
    name = "first-contentful-paint"
    return opened.page.evaluate(f"performance.getEntriesByName('{name}')[0].startTime")
