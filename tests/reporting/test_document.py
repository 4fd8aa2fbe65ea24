"""The page and the Markdown as the stage writes them from files."""

import base64
import contextlib
import dataclasses
import hashlib
import html.parser
import json
import re
import runpy
import subprocess
import sys

import fabricated
import pandas as pd
import pytest

from trackbed.pipeline import params
from trackbed.pipeline.errors import UserError
from trackbed.reporting import document
from trackbed.reporting.previous_runs import Previous

# Data, which are not run, the file beside the page, and the page's own script.
BLOCKS = ("class-curves", "training-curves", "test-pictures")
SCRIPTS = [{"type": "application/json", "id": name} for name in BLOCKS]
SCRIPTS += [{"src": "report_context.js"}, {}]


class Elements(html.parser.HTMLParser):
    """Tags with their attributes, and the text outside style sheets and figures."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self.inside = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("style", "svg", "script"):
            self.inside.append(tag)

    def handle_endtag(self, tag):
        if tag in ("style", "svg", "script"):
            self.inside.remove(tag)

    def handle_data(self, data):
        if not self.inside:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_images_are_counted_per_class_and_part(ordinary):
    text = Elements(ordinary.page).text
    index = (ordinary.folder / "data/records/index.csv").read_text()
    for name in fabricated.TRACK_BED:
        test, train = index.count(f",{name},test,"), index.count(f",{name},train,")
        assert test > 0
        assert f"{name} {train:,} {test:,} {train + test:,}" in text


def test_rejected_files_are_listed_by_reason_up_to_twenty(ordinary):
    assert "truncated: 23 files" in ordinary.page
    assert "STONE/cut_19.jpg" in ordinary.page
    assert "STONE/cut_20.jpg" not in ordinary.page
    assert "and 3 more in rejects.csv" in ordinary.page
    assert "not a picture: 1 file<" in ordinary.page


def test_findings_in_the_data_are_listed_with_pictures(ordinary):
    text = Elements(ordinary.page).text
    assert "near one in another class: 9 pictures" in text
    assert "and 3 more in findings.csv" in text  # six are shown
    assert ordinary.page.count('class="card found twins"') == 6
    assert "black: 1 picture" in text
    assert "Width 64 64 64 Height 48 48 48 Image formats: JPEG" in text


def test_the_data_of_the_curves_cannot_leave_their_script(evil):
    text = evil.page.partition('id="class-curves">')[2].partition("</script>")[0]
    names = {one["name"] for one in json.loads(text)["classes"]}
    assert names == {*fabricated.EVIL} - {"012"}  # which has no test images


def test_names_and_titles_are_never_markup(evil):
    elements = Elements(evil.page)
    assert elements.of("script") == SCRIPTS
    assert "alert" not in evil.page.partition("<script>")[2]
    assert not [a for a in elements.of("img") if not a["src"].startswith("data:image/")]
    assert not [name for _, a in elements.tags for name in a if name.startswith("on")]
    assert "<script>alert(1)</script>" in elements.text
    assert "$x_1$ | `a`" in elements.text
    assert "NA" in elements.text


def test_names_are_literal_in_the_markdown(evil):
    assert "<script" not in evil.markdown
    assert r"\$x_1\$ \| \`a\`" in evil.markdown
    lines = [line for line in evil.markdown.splitlines() if "\\`a" in line]
    cells = [line.replace(r"\|", "").count("|") for line in lines]
    assert set(cells) <= {0, 5, 6}  # a sentence, or a row of five or four cells


def test_the_page_needs_nothing_from_outside(ordinary):
    # A comment at the head of the plotting library names its home.
    assert re.findall(r"/.{0,9}://.*", ordinary.page) == [
        "/*! https://github.com/leeoniya/uPlot (v1.6.32) */"
    ]
    assert "@import" not in ordinary.page
    elements = Elements(ordinary.page)
    assert not [tag for tag, _ in elements.tags if tag in ("link", "iframe", "object")]
    assert elements.of("script") == SCRIPTS
    addresses = [a[key] for _, a in elements.tags for key in ("src", "href") if key in a]
    outside = {address for address in addresses if not address.startswith(("data:", "#"))}
    assert outside == {"report_context.js"}  # a file beside the page
    anchors = {a["href"][1:] for a in elements.of("a")}
    assert anchors <= {a["id"] for _, a in elements.tags if "id" in a}
    assert len(re.findall("url\\((?!#)", ordinary.page)) == 0


def test_the_page_can_be_read_without_seeing_it(ordinary):
    elements = Elements(ordinary.page)
    assert elements.of("html")[0]["lang"] == "en"
    assert len(elements.of("h1")) == 1
    assert all(attributes.get("alt") for attributes in elements.of("img"))
    assert all(a.get("aria-label") or a.get("aria-hidden") for a in elements.of("svg"))
    assert all(attributes.get("scope") for attributes in elements.of("th"))
    ids = [a["id"] for _, a in elements.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_the_same_inputs_give_the_same_bytes(ordinary, tmp_path):
    assert fabricated.report(tmp_path) == (ordinary.page, ordinary.markdown)
    for path in (ordinary.folder / "plots/figures").iterdir():
        assert path.read_bytes() == (tmp_path / "plots/figures" / path.name).read_bytes()


def test_a_class_without_test_images_has_no_numbers(evil):
    assert "No test images: “012”." in evil.markdown
    assert re.search(r"\| 012 \| .* \| n/a \| n/a \| no test images \|", evil.markdown)
    assert evil.page.count("no test images") == 1
    assert "nan" not in evil.markdown


def test_a_run_without_mistakes_is_reported_as_such(perfect):
    assert "No mistakes: every test image is classified right." in perfect.page
    assert "✗ wrong" not in perfect.page.partition("<script>")[0]
    assert "No mistakes on the test part." in perfect.markdown
    assert "All classes have the same F1, 1.000." in perfect.markdown
    assert "n/a (no mistakes)" in perfect.markdown  # the confidence when wrong


def test_a_run_without_mistakes_wants_more_test_images(perfect):
    assert "What to do next:\n- No test image is classified wrong." in perfect.markdown
    run = fabricated.read(perfect.folder)
    run.evaluation.scores.update(confidence_right=0.9, confidence_gap=None, overconfidence=0.0)
    text = fabricated.section(run, "confidence")
    assert "Its mean is 0.900; all predictions are right, so it shows nothing about mis" in text
    assert "Over all predictions it equals the accuracy." in text


def test_galleries_hold_as_many_pictures_as_asked(ordinary):
    gallery = fabricated.section(fabricated.read(ordinary.folder, gallery=3), "gallery")
    assert gallery.count("<img ") == gallery.count("✗ wrong") == 3


def test_a_params_file_of_an_older_version_still_works(ordinary):
    text = (ordinary.folder / "params.yaml").read_text()
    (ordinary.folder / "older.yaml").write_text(f"{text}  samples: 30\n")
    model = runpy.run_path(str(fabricated.STAGE))["ReportParams"]
    assert params.load("report", model, ordinary.folder / "older.yaml").gallery == 24


def test_parameters_are_listed(ordinary):
    text = Elements(ordinary.page).text
    assert "learning_rate 0.001" in text
    assert 'augment [{"flip": "horizontal"}]' in text


def test_forty_three_classes_stay_small_and_short(tmp_path):
    page, markdown = fabricated.report(tmp_path, names=fabricated.SIGNS, per_class=12, right=0.9)
    assert len(page) < 4_000_000
    assert len(markdown.splitlines()) < 60
    assert "The 5 weakest of 43 classes:" in markdown


def test_a_missing_table_ends_the_stage_with_its_remedy(tmp_path):
    paths = fabricated.run(tmp_path)
    (tmp_path / "plots/evaluation_summary.csv").unlink()
    with pytest.raises(UserError, match=r"evaluation_summary\.csv: no such file.*dvc repro"):
        fabricated.report_again(tmp_path, paths)
    assert not (tmp_path / "metrics/report.md").exists()


def test_the_stage_imports_neither_tensorflow_nor_pyplot(tmp_path):
    code = f"import runpy, sys; runpy.run_path({str(fabricated.STAGE)!r}); print(*sys.modules)"
    environment = {"PYTHONPATH": str(fabricated.STAGE.parent), "HOME": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert not {"tensorflow", "keras", "matplotlib.pyplot"} & set(done.stdout.split())


def test_slices_and_corrupted_images_are_in_page_and_markdown(ordinary):
    text = Elements(ordinary.page).text
    sliced = pd.read_csv(ordinary.folder / "plots/slices.csv")
    for row in sliced.itertuples():
        assert f"{row.slice} {row.images} {row.groups} {row.accuracy:.3f}" in text
    for found in (text, ordinary.markdown):
        assert "No slice is significantly worse than the whole test part." in found
    clean = pd.read_csv(ordinary.folder / "plots/corruptions.csv")["accuracy"].iloc[0]
    assert "jpeg 5 " in text
    assert f"{clean:.3f} on the unchanged images" in text
    assert (ordinary.folder / "plots/figures/corrupted_accuracy.svg").exists()


def test_without_corruptions_the_page_has_no_section_of_them(ordinary):
    run = fabricated.read(ordinary.folder)
    clean = dataclasses.replace(run.evaluation, corruptions=run.evaluation.corruptions[:1])
    section = next(one for one in document.SECTIONS if one.anchor == "corruptions")
    assert section.content(run)["figures"]
    assert section.content(dataclasses.replace(run, evaluation=clean)) is None


def test_the_pictures_that_the_network_sees_are_explained(ordinary):
    sheet = base64.b64encode((ordinary.folder / "plots/seen.jpg").read_bytes()).decode()
    assert f"data:image/jpeg;base64,{sheet}" in ordinary.page
    assert "after train.augment" in Elements(ordinary.page).text
    run = fabricated.read(ordinary.folder)
    run = dataclasses.replace(run, params={"train": {"augment": []}})
    assert "train.augment is empty" in Elements(fabricated.section(run, "training")).text


def test_groups_are_explained_in_page_and_markdown(ordinary):
    for text in (Elements(ordinary.page).text, ordinary.markdown):
        assert " groups, which are never split: by the source." in text
        assert "Leak risk unknown" not in text


def test_an_unknown_leak_risk_is_an_alert(poor):
    assert '<p class="alert">Leak risk unknown: it is not known which images' in poor.page
    assert "**Leak risk unknown: it is not known which images" in poor.markdown


def test_the_sections_have_their_order(ordinary):
    heads = re.findall(r"<h2[^>]*>(.*?)</h2>", ordinary.page)
    assert heads == [
        "Verdict",
        "What to do next",
        "Pictures",
        "Confusions",
        "Classes",
        "Map",
        "Confidence",
        "Slices",
        "Corrupted images",
        "Test scores",
        "Base run and other runs",
        "Training",
        "Data",
        "Class balance and score",
        "Reproduce",
        "Model card",
    ]


def test_every_section_is_in_the_contents(ordinary):
    navigation = ordinary.page.partition("<nav")[2].partition("</nav>")[0]
    anchors = re.findall('href="#(.*?)"', navigation)
    assert anchors == re.findall('<section id="(.*?)"', ordinary.page)
    assert set(anchors) <= {"overview", *(section.anchor for section in document.SECTIONS)}


def test_the_first_advice_links_to_its_details(poor):
    advice = re.search(r'<ol class="advice">(.*?)</li>', poor.page, re.DOTALL)[1]
    assert "Not shown to be better than a baseline. " in advice
    assert '<a href="#scores">See the details.</a>' in advice
    assert "What to do next:\n- Not shown to be better than a baseline. " in poor.markdown
    pair = poor.page.partition('id="pair-1"')[2].partition("</ul>")[0]
    assert 1 <= pair.count("<li ") <= 4
    assert pair.count("<img ") == 3 * pair.count("<li ")  # each with the maps of both classes


def badges(page):
    return re.findall(r'class="badge (\w*)"><a [^>]*>(?:<span[^>]*>)(.*?)</span>', page)


def test_badges_name_baseline_leak_and_base_run(ordinary, poor):
    assert badges(ordinary.page)[2:] == [
        ("good", "✓ Above baseline"),
        ("good", "✓ No leak found"),
        ("unknown", "? No base run"),
    ]
    assert badges(poor.page)[2:4] == [
        ("bad", "✗ Not above baseline"),
        ("unknown", "? Leak not known"),
    ]


def test_the_balance_of_few_classes_has_no_scatter(ordinary):
    run = fabricated.read(ordinary.folder)
    assert "<svg" not in fabricated.section(run, "balance")  # five classes: the table says it
    run.data.counts["train"] = 100
    (balance,) = [section for section in document.SECTIONS if section.anchor == "balance"]
    assert balance.content(run) is None


def test_changes_are_in_the_tables_of_scores(ordinary, tmp_path):
    run = fabricated.read(ordinary.folder)
    now = run.evaluation.scores
    before = {"macro_f1": now["macro_f1"] - 0.25, "macro_f1_low": 0.1, "macro_f1_high": 0.2}
    previous = Previous("0" * 40, before | {"images": now["images"]})
    run = dataclasses.replace(run, previous=previous)
    document.write_markdown(tmp_path / "report.md", run, tmp_path / "report.html")
    markdown = (tmp_path / "report.md").read_text()
    assert "Change +0.250 from the" in markdown
    assert re.search(r"\| Macro F1 \| [\d.]+ \| [\d. to]+ \| \+0\.250 \|", markdown)
    assert re.search(r"\| Accuracy \| [\d.]+ \| [\d. to]+ \|  \|", markdown)
    assert '<td class="n">+0.250</td>' in fabricated.section(run, "scores")


def test_the_hashes_of_data_folds_and_model_are_listed(ordinary):
    # SHA-256 of the bytes b"a model".
    assert "model " + hashlib.sha256(b"a model").hexdigest() in Elements(ordinary.page).text


def test_clock_machine_and_commits_change_neither_file(tmp_path):
    paths = fabricated.run(tmp_path)
    before = fabricated.report_again(tmp_path, paths)
    first = fabricated.context(tmp_path)
    fabricated.write_measurements(tmp_path)
    with contextlib.chdir(tmp_path):
        identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "this run"]):
            subprocess.run(["git", *identity, *words], check=True)
    assert fabricated.report_again(tmp_path, paths) == before
    second = fabricated.context(tmp_path)
    assert first["page"] == second["page"]
    assert first["parts"] != second["parts"]
    assert f'data-page="{first["page"]}"' in before[0]


def test_every_figure_is_a_file_and_the_balance_a_table(ordinary):
    names = {path.name for path in (ordinary.folder / "plots/figures").iterdir()}
    assert {"confusion.svg", "confusion_shares.svg", "reliability.svg"} <= names
    table = pd.read_csv(ordinary.folder / "plots/class_balance.csv")
    assert table["class_name"].tolist() == fabricated.TRACK_BED
    assert (table["train"] == 4 * table["test"]).all()


def test_a_model_below_a_baseline_has_a_warning_first(poor):
    assert poor.markdown.startswith("> **WARNING: this model is NOT SHOWN to be better than a")
    elements = Elements(poor.page)
    assert {"class": "warning", "role": "alert"} in elements.of("p")
    assert elements.text.index("WARNING: this model") < elements.text.index("The macro F1 is")


def test_calibration_and_thresholds_are_explained(ordinary):
    text = Elements(ordinary.page).text
    assert "The temperature that fits the validation fold best is 1.300" in text
    assert "with a confidence of 0.900 or more" in text
    assert "does not catch images of unknown classes" in text
    assert "Macro F1 above the better one" in ordinary.markdown
    assert "WARNING" not in ordinary.page + ordinary.markdown
