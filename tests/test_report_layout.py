"""The frame of the page in a browser: widths, contrast, contents, links into the gallery, print."""

import contextlib
import json
import subprocess

import browser
import fabricated
import pandas as pd
import pytest

WIDTHS = [400, 768, 1300, 1920]
CONTRAST = 4.5  # of WCAG 2.2 AA for text of any size

# Tables wider than their place where nothing scrolls, and text that a box cuts off.
CUT = """
const shown = [...document.querySelectorAll("main *, nav *, header *, footer *")]
  .filter((one) => one.checkVisibility() && !one.closest("svg, .hidden-text"));
const name = (one) => `${one.className} ${one.outerHTML.slice(0, 120)}`;
const tables = shown.filter((one) => one.tagName === "TABLE" && !one.closest(".scroll"));
const hides = (one) => ["hidden", "clip"].includes(getComputedStyle(one).overflowX);
const isText = (node) => node.nodeType === 3 && node.data.trim();
const hasText = (one) => [...one.childNodes].some(isText);
const beyond = (one) => {
  const box = one.closest(".scroll, .box")?.getBoundingClientRect() ?? {left: 0, right: innerWidth};
  return one.getBoundingClientRect().left < box.left - 1;
};
return {
  tables: tables.filter((one) => one.offsetWidth > one.parentNode.clientWidth + 1).map(name),
  clipped: shown.filter((one) => hides(one) && hasText(one)
    && getComputedStyle(one).textOverflow !== "ellipsis"
    && one.scrollWidth > one.clientWidth + 1).map(name),
  captions: shown.filter((one) => one.tagName === "CAPTION"
    && one.getBoundingClientRect().right > innerWidth).map(name),
  left: shown.filter((one) => hasText(one) && beyond(one)).map(name),
  lines: shown.filter((one) => one.matches("p") && one.textContent.length > 120
    && one.clientWidth / parseFloat(getComputedStyle(one).fontSize) > 46).map(name),
};
"""

# WCAG 2.2: relative luminance, contrast ratio.
COLOURS = """
const pixel = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
const parts = (text) => {  // whatever the notation, such as color(srgb 0 0.5 1)
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = text;
  pixel.fillRect(0, 0, 1, 1);
  return [...pixel.getImageData(0, 0, 1, 1).data];
};
const channel = (value) =>
  value <= 10.31475 ? value / 3294.6 : ((value / 255 + .055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
const ground = (one) => {
  for (; one; one = one.parentElement) {
    const colour = parts(getComputedStyle(one).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
};
const contrast = (one, two) => {
  const [low, high] = [luminance(one), luminance(two)].sort((a, b) => a - b);
  return (high + .05) / (low + .05);
};
document.querySelectorAll("details").forEach((one) => { one.open = true; });
const texts = [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility()
  && !one.closest("svg, script, style, .hidden-text, [disabled]")
  && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
const low = texts.map((one) => [contrast(parts(getComputedStyle(one).color), ground(one)), one])
  .filter(([ratio]) => ratio < LEAST);
const style = getComputedStyle(document.documentElement);
const probe = document.body.appendChild(document.createElement("i"));
const variable = (name) => {
  probe.style.color = style.getPropertyValue(name);
  return parts(getComputedStyle(probe).color);
};
return {texts: texts.length,
        low: low.map(([ratio, one]) => `${ratio.toFixed(2)} ${one.outerHTML.slice(0, 100)}`),
        bar: contrast(variable("--ink"), variable("--bar"))};
""".replace("LEAST", str(CONTRAST))

OUTLINE = """
document.querySelectorAll("details").forEach((one) => { one.open = true; });
const all = (selector) => [...document.querySelectorAll(selector)];
const levels = all("h1, h2, h3, h4, h5").filter((one) => !one.closest("dialog"))
  .map((one) => Number(one.tagName[1]));
const label = (one) => one.getAttribute("aria-label") || one.textContent.trim() || one.title
  || one.alt || one.querySelector("img")?.alt
  || [...(one.labels ?? [])].map((label) => label.textContent).join("").trim();
return {
  jumps: levels.filter((level, place) => place && level > levels[place - 1] + 1).length,
  first: levels[0],
  landmarks: ["header", "nav", "main", "footer"].map((name) => all(`body > ${name}`).length),
  nameless: all("a, button, input, select, textarea, [tabindex='0'], [role=region]")
    .filter((one) => one.checkVisibility() && !label(one)).map((one) => one.outerHTML.slice(0, 99)),
  twice: all("[id]").map((one) => one.id).filter((id, place, ids) => ids.indexOf(id) !== place),
};
"""


def run_in(folder, names, **options):
    paths = fabricated.run(folder, names=names, **options)
    fabricated.write_measurements(folder)
    fabricated.report_again(folder, paths)
    return folder


@pytest.fixture(scope="module")
def evil(tmp_path_factory):
    """The page of classes of hostile names, one without test images, with a base run."""
    folder = tmp_path_factory.mktemp("evil")
    paths = fabricated.run(folder, fabricated.EVIL, empty=["012"], per_class=25, right=0.8)
    with contextlib.chdir(folder):
        commit_base_run()
    fabricated.report_again(folder, paths)
    return folder


def commit_base_run():
    """Commit a run that has the first three images wrong which this one has right."""
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
    predictions = pd.read_csv("data/evaluation/predictions.csv", keep_default_na=False)
    right = predictions.index[predictions["true"] == predictions["predicted"]][:3]
    now = {path: read(path) for path in ("data/evaluation/predictions.csv", METRICS)}
    predictions.loc[right, "predicted"] = fabricated.EVIL[1]
    assert (predictions.loc[right, "true"] != fabricated.EVIL[1]).all()
    predictions.to_csv("data/evaluation/predictions.csv", index=False)
    scores = json.loads(now[METRICS])
    write(METRICS, json.dumps(scores | {"macro_f1": scores["macro_f1"] - 0.01}))
    for command in (
        ["git", "init", "-q"],
        ["dvc", "init", "-q"],
        ["dvc", "add", "-q", "data/evaluation"],
        ["git", "add", "metrics/evaluate.json", "data/evaluation.dvc"],
        ["git", *identity, "commit", "-q", "-m", "base"],
    ):
        subprocess.run(command, check=True)
    for path, text in now.items():
        write(path, text)


METRICS = "metrics/evaluate.json"


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


@pytest.fixture(scope="module")
def signs(tmp_path_factory):
    return run_in(tmp_path_factory.mktemp("signs"), fabricated.SIGNS, per_class=10)


def page(run):
    return run / "plots/report.html"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["evil", "signs"])
def test_nothing_is_cut_and_lines_are_short(name, width, request, page_at):
    opened = page_at(page(request.getfixturevalue(name)), width)
    opened.result('document.querySelectorAll("details").forEach((one) => { one.open = true; })')
    assert {kind: found for kind, found in opened.result(CUT).items() if found} == {}
    found = opened.result(browser.WIDTH)
    assert (found["page"] <= found["inner"], found["wide"]) == (True, [])
    assert (opened.requests, opened.console) == (["report_context.js"], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(evil, page_at, scheme):
    found = page_at(page(evil), 1300, scheme).result(COLOURS)
    assert found["texts"] > 300
    assert found["low"] == []
    assert found["bar"] >= CONTRAST


def test_headings_landmarks_and_names_are_in_order(evil, page_at):
    assert page_at(page(evil), 1300).result(OUTLINE) == {
        "jumps": 0,
        "first": 1,
        "landmarks": [1, 1, 1, 1],
        "nameless": [],
        "twice": [],
    }


CURRENT = """
const current = document.querySelectorAll(".contents [aria-current]");
return [...current].map((one) => one.hash);
"""


def test_the_contents_stay_in_view_and_mark_the_section(evil, page_at):
    opened = page_at(page(evil), 1300)
    assert opened.result(CURRENT) == ["#overview"]
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.className") == "skip"
    link = opened.page.locator(".contents a[href='#training']")
    link.focus()
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_function("document.querySelector('[aria-current]').hash === '#training'")
    assert abs(opened.page.evaluate("training.getBoundingClientRect().top")) < 40
    box = link.bounding_box()
    assert 0 <= box["y"] < browser.HEIGHT
    assert box["x"] + box["width"] < 220


def test_narrow_contents_open_and_close_by_keyboard(evil, page_at):
    opened = page_at(page(evil), 400)
    summary, link = (opened.page.locator(f".contents {one}") for one in ("summary", "a >> nth=3"))
    assert not link.is_visible()
    summary.focus()
    opened.page.keyboard.press("Enter")
    assert link.is_visible()
    opened.page.keyboard.press("Escape")
    assert not link.is_visible()
    opened.page.keyboard.press("Enter")
    opened.page.locator(".contents a[href='#training']").press("Enter")
    assert not link.is_visible()
    opened.page.wait_for_function(
        "document.querySelector('#contents-here').textContent === 'Training'"
    )
    assert 0 <= summary.bounding_box()["y"] < 20  # sticks to the top


def gallery_rows(opened):
    return opened.page.evaluate("trackbed.shown()")


def table_of(run):
    return pd.read_csv(run / "data/evaluation/predictions.csv", keep_default_na=False)


def test_a_class_of_the_strip_filters_the_gallery(evil, page_at):
    opened, table = page_at(page(evil), 1300), table_of(evil)
    tile = opened.page.locator(".strip .tile a", has_text="NA").first
    tile.press("Enter")
    assert sorted(gallery_rows(opened)) == table.index[table["true"] == "NA"].tolist()
    assert opened.page.evaluate("document.activeElement.textContent") == "Pictures"


def test_the_worst_pair_and_the_mistakes_are_filters(evil, page_at):
    opened, table = page_at(page(evil), 1300), table_of(evil)
    wrong = table[table["true"] != table["predicted"]]
    opened.page.locator(".pair-tile a").click()
    (label,) = set(table["true"][gallery_rows(opened)])
    pairs = wrong.groupby(["true", "predicted"]).size()
    assert len(gallery_rows(opened)) == pairs.max() == pairs[label].max()
    opened.page.locator(".badge a", has_text="Accuracy").click()
    assert sorted(gallery_rows(opened)) == wrong.index.tolist()


def test_pictures_fixed_since_the_base_run_are_shown(evil, page_at):
    opened, table = page_at(page(evil), 1300), table_of(evil)
    section = opened.page.locator("[data-context=changes]")
    assert "Against the last committed run" in section.text_content()
    assert "0 pictures newly wrong" in section.text_content()
    assert "p = 0.25;" in section.text_content()  # 2 * 0.5 ** 3
    section.locator("button", has_text="3 pictures fixed").click()
    right = table.index[table["true"] == table["predicted"]][:3].tolist()
    assert sorted(gallery_rows(opened)) == right
    assert "3 pictures fixed" in opened.page.locator("#gallery-chosen").text_content()


def test_print_shows_everything_and_no_controls(evil, page_at):
    opened = page_at(page(evil), 1000, "dark")
    opened.page.emulate_media(media="print")
    found = opened.result("""
      dispatchEvent(new Event("beforeprint"));
      const seen = (one) => one.checkVisibility();
      const open = [...document.querySelectorAll("main details")].every((one) => one.open);
      const controls = [...document.querySelectorAll(".contents, form, .show, .skip")];
      const style = getComputedStyle(document.body);
      dispatchEvent(new Event("afterprint"));
      const after = [...document.querySelectorAll("main details")].every((one) => one.open);
      return {open, after, controls: controls.filter(seen).map((one) => one.className),
              colours: [style.color, style.backgroundColor]};
    """)
    assert found == {
        "open": True,
        "after": False,
        "controls": [],
        "colours": ["rgb(0, 0, 0)", "rgb(255, 255, 255)"],
    }
    sheet = opened.page.pdf()
    assert sheet.startswith(b"%PDF-")
    assert sheet.count(b"/Type /Page\n") >= 4
