"""The page and the Markdown as the stage writes them from files."""

import base64
import contextlib
import hashlib
import html.parser
import json
import re
import subprocess
import sys
from pathlib import Path

import fabricated
import pandas as pd
import pytest

from trackbed.pipeline.errors import UserError
from trackbed.reporting import evaluation_tables, formatting, provenance, score_table


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


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of an ordinary run."""
    return fabricated.report(tmp_path_factory.mktemp("ordinary"))[0]


def evaluated(folder, matrix, names):
    """Replace per-class table and confusion matrix by those of a matrix."""
    matrix = pd.DataFrame(matrix).to_numpy()
    fabricated.confusion_table(matrix, names).to_csv(folder / "plots/confusion_matrix.csv", index=0)
    fabricated.summary_table(matrix, names).to_csv(
        folder / "plots/evaluation_summary.csv", index=False
    )


def test_the_verdict_names_scores_classes_confusion_and_epoch(tmp_path):
    paths = fabricated.run(tmp_path, ["A", "B", "C"], epochs=27)
    # F1 by hand, 2 TP / (support + predicted): A 80/88, B 70/87, C 100/109.
    evaluated(tmp_path, [[40, 8, 0], [0, 35, 9], [0, 0, 50]], ["A", "B", "C"])
    scores = {"macro_f1": 0.8762, "macro_f1_low": 0.81, "macro_f1_high": 0.93, "accuracy": 0.88}
    (tmp_path / "metrics/evaluate.json").write_text(json.dumps(scores))
    for text in fabricated.report_again(tmp_path, paths):
        text = re.sub(r"\s+", " ", text)
        assert "The macro F1 is 0.876 (95 % interval 0.810 to 0.930)" in text
        assert "125 of 142 test images are classified right (accuracy 88.0 %)" in text
        assert "Best class: “C” (F1 0.917); weakest class: “B” (F1 0.805, 95 % " in text
        assert "“B” (F1 0.805, 95 % interval 0.775 to 0.835)." in text
        assert "Most frequent confusion: “B” taken for “C”, 9 of 44 images." in text
        assert "Best epoch by validation loss: 25 of 27, where training stopped early." in text


def test_images_are_counted_per_class_and_part(tmp_path):
    page = Elements(fabricated.report(tmp_path, names=["A", "B"])[0])
    index = (tmp_path / "data/records/index.csv").read_text()
    test, train = index.count(",A,test,"), index.count(",A,train,")
    assert test > 0
    assert f"A {train} {test} {train + test}" in page.text


def test_rejected_files_are_listed_by_reason_up_to_twenty(page):
    assert "truncated: 23 files" in page
    assert "STONE/cut_19.jpg" in page
    assert "STONE/cut_20.jpg" not in page
    assert "and 3 more in rejects.csv" in page
    assert "not a picture: 1 file<" in page


def test_what_is_wrong_with_the_data_is_listed_and_shown(page):
    text = Elements(page).text
    assert "near one in another class: 9 pictures" in text
    assert "and 3 more in findings.csv" in text  # six are shown
    assert page.count('class="card found twins"') == 6
    assert "black: 1 picture" in text
    assert "Width 64 64 64 Height 48 48 48 Formats by content: JPEG" in text


def test_names_from_the_data_are_never_markup(tmp_path):
    suffix = "<img src=x onerror=alert(3)>.jpg"
    page, markdown = fabricated.report(tmp_path, names=fabricated.EVIL, suffix=suffix)
    elements = Elements(page)
    assert elements.of("script") == [{}]  # the page's own, which holds nothing of the data
    assert "alert" not in page.partition("<script>")[2]
    assert not [a for a in elements.of("img") if not a["src"].startswith("data:image/jpeg;base64,")]
    assert not [name for _, a in elements.tags for name in a if name.startswith("on")]
    assert "<script>alert(1)</script>" in elements.text
    assert "$x_1$ | `a`" in elements.text
    assert "NA" in elements.text
    assert "<script" not in markdown
    assert r"\$x_1\$ \| \`a\`" in markdown
    cells = [line.replace(r"\|", "").count("|") for line in markdown.splitlines() if "\\`a" in line]
    assert set(cells) <= {0, 5, 6}  # a sentence, or a row of five or four cells


def test_a_title_is_escaped_too(tmp_path):
    paths = fabricated.run(tmp_path)
    text = fabricated.PARAMS.replace("Track bed under rails", "'</title><script>x</script>'")
    (tmp_path / "params.yaml").write_text(text)
    assert Elements(fabricated.report_again(tmp_path, paths)[0]).of("script") == [{}]


def test_the_page_needs_nothing_from_outside(page):
    assert "://" not in page
    assert "@import" not in page
    elements = Elements(page)
    assert not [tag for tag, _ in elements.tags if tag in ("link", "iframe", "object")]
    assert elements.of("script") == [{}]
    addresses = [a[key] for _, a in elements.tags for key in ("src", "href") if key in a]
    assert {address[0] for address in addresses if not address.startswith("data:")} == {"#"}
    anchors = {a["href"][1:] for a in elements.of("a")}
    assert anchors <= {a["id"] for _, a in elements.tags if "id" in a}
    assert len(re.findall("url\\((?!#)", page)) == 0


def test_the_page_can_be_read_without_seeing_it(page):
    elements = Elements(page)
    assert elements.of("html")[0]["lang"] == "en"
    assert len(elements.of("h1")) == 1
    assert all(attributes.get("alt") for attributes in elements.of("img"))
    assert all(attributes.get("aria-label") for attributes in elements.of("svg"))
    assert all(attributes.get("scope") for attributes in elements.of("th"))
    ids = [a["id"] for _, a in elements.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    paths = fabricated.run(tmp_path)
    assert fabricated.report_again(tmp_path, paths) == fabricated.report_again(tmp_path, paths)


def test_a_class_without_test_images_is_named_and_no_number_is_invented(tmp_path):
    page, markdown = fabricated.report(tmp_path, empty=["GRAS"])
    assert "No test images: “GRAS”." in markdown
    assert re.search(r"\| GRAS \| .* \| n/a \| n/a \| no test images \|", markdown)
    assert page.count("no test images") == 1
    assert "nan" not in markdown


def test_a_run_without_mistakes_says_so(tmp_path):
    page, markdown = fabricated.report(tmp_path, right=1.0)
    assert "No mistakes: every test image is classified right." in page
    assert "✗ wrong" not in page
    assert "No mistakes on the test part." in markdown
    assert "All classes have the same F1, 1.000." in markdown
    assert "n/a (no mistakes)" in markdown  # the confidence when wrong


def test_galleries_hold_as_many_pictures_as_asked(tmp_path):
    paths = fabricated.run(tmp_path, right=0.5)
    text = fabricated.PARAMS.replace("gallery: 24", "gallery: 3").replace(
        "samples: 30", "samples: 0"
    )
    (tmp_path / "params.yaml").write_text(text)
    page = fabricated.report_again(tmp_path, paths)[0]
    gallery = page.partition('id="gallery"')[2].partition("</ul>")[0]
    assert gallery.count("<img ") == page.count("✗ wrong") == 3
    assert "report.samples" in page


def test_parameters_and_versions_are_shown_as_they_stand(page):
    text = Elements(page).text
    assert "learning_rate 0.001" in text
    assert 'augment [{"flip": "horizontal"}]' in text
    assert f"python {sys.version.split()[0]}" in text
    assert f"pandas {pd.__version__}" not in text
    assert re.search(r"dvclive \d+\.\d+", text)


def test_forty_three_classes_stay_small_and_short(tmp_path):
    page, markdown = fabricated.report(tmp_path, names=fabricated.SIGNS, per_class=235, right=0.97)
    assert len((tmp_path / "data/evaluation/predictions.csv").read_text().splitlines()) > 10_000
    assert len(page) < 3_000_000
    assert len(markdown.splitlines()) < 60
    assert "The 5 weakest of 43 classes:" in markdown


def test_a_missing_table_is_a_problem_with_its_remedy(tmp_path):
    paths = fabricated.run(tmp_path)
    (tmp_path / "plots/evaluation_summary.csv").unlink()
    with pytest.raises(UserError, match=r"evaluation_summary\.csv: no such file.*dvc repro"):
        fabricated.report_again(tmp_path, paths)
    assert not (tmp_path / "metrics/report.md").exists()


def test_tables_of_different_classes_are_refused(tmp_path):
    paths = fabricated.run(tmp_path, ["A", "B"])
    (tmp_path / "plots/confusion_matrix.csv").write_text("true,B,A\nB,1,0\nA,0,1\n")
    with pytest.raises(UserError, match="the same classes in the same order"):
        fabricated.report_again(tmp_path, paths)


def test_the_stage_imports_neither_tensorflow_nor_pyplot(tmp_path):
    code = f"import runpy, sys; runpy.run_path({str(fabricated.STAGE)!r}); print(*sys.modules)"
    environment = {"PYTHONPATH": str(fabricated.STAGE.parent), "HOME": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert not {"tensorflow", "keras", "matplotlib.pyplot"} & set(done.stdout.split())


def test_confusions_are_ordered_by_count_then_by_label():
    names = ["A", "B", "C"]
    matrix = pd.DataFrame([[5, 2, 0], [4, 9, 2], [0, 0, 7]], index=names, columns=names)
    pairs = [
        (p.true, p.predicted, p.images, p.support) for p in evaluation_tables.confusions(matrix, 9)
    ]
    assert pairs == [("B", "A", 4, 15), ("A", "B", 2, 7), ("B", "C", 2, 15)]
    assert len(evaluation_tables.confusions(matrix, 1)) == 1


def test_tied_classes_are_all_named():
    f1 = pd.DataFrame({"f1": [0.9, 0.5, 0.9, float("nan")]}, index=["A", "B", "C", "D"])
    found = evaluation_tables.extremes(f1)
    assert (found.best, found.weakest) == (["A", "C"], ["B"])
    assert evaluation_tables.extremes(f1.loc[["D"]]) is None


def test_slices_and_spoiled_images_are_told(tmp_path):
    page, markdown = fabricated.report(tmp_path)
    text = Elements(page).text
    sliced = pd.read_csv(tmp_path / "plots/slices.csv")
    for row in sliced.itertuples():
        assert f"{row.slice} {row.images} {row.groups} {row.accuracy:.3f}" in text
    for told_in in (text, markdown):
        assert "No slice differs from the whole by more than chance." in told_in
    clean = pd.read_csv(tmp_path / "plots/corruptions.csv")["accuracy"].iloc[0]
    assert "jpeg 5 " in text
    assert f"{clean:.3f} on the images as they are" in text
    assert (tmp_path / "plots/figures/corrupted_accuracy.svg").exists()


def test_without_corruptions_the_page_has_no_section_of_them(tmp_path):
    paths = fabricated.run(tmp_path)
    path = tmp_path / "plots/corruptions.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    page, _ = fabricated.report_again(tmp_path, paths)
    assert 'id="corruptions"' not in page
    assert "Spoiled" not in page


def test_a_missing_score_says_why():
    rows = score_table.rows({"macro_f1": 0.5, "confidence_wrong": None, "images": 9, "top_3": 1.0})
    told = {row.label: (row.value, row.reason) for row in rows}
    assert told["Macro F1"] == ("0.500", "")
    assert told["Confidence when wrong"] == ("n/a", "no mistakes")
    assert score_table.rows({"top_2": 0.75, "images": 9})[0].label == "Top-2 accuracy"
    assert score_table.rows({"loss": None, "images": 0})[0].reason == "no test images"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("`x`", r"\`x\`"),
        ("a\nb", "a b"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("speed_limit_30", "speed_limit_30"),
        ("_x_", r"\_x\_"),
        ("a\\", "a\\\\"),
    ],
)
def test_markdown_shows_text_as_it_stands(text, shown):
    assert formatting.markdown(text) == shown


def test_a_long_name_keeps_both_ends():
    assert formatting.name("a" * 100 + "b" * 155, 11) == "aaaaa…bbbbb"
    assert formatting.name("日本" * 50, 9) == "日本…日本"
    assert formatting.name("tab\tand\x00nul") == "tab and\N{REPLACEMENT CHARACTER}nul"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "n/a"), (4.25, "4.2 s"), (61, "1 min 1 s"), (3599.9, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_durations_are_told_in_two_units(seconds, shown):
    assert formatting.duration(seconds) == shown


def test_the_revision_counts_code_but_not_outputs_as_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def git(*words):
        identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
        done = subprocess.run(
            ["git", *identity, *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    assert provenance.revision().commit == "unknown"
    git("init", "-q")
    assert provenance.revision().commit == "unknown"  # no commit yet
    Path("params.yaml").write_text("a: 1\n")
    Path("metrics.json").write_text("{}\n")
    git("add", ".")
    git("commit", "-q", "-m", "state")
    Path("metrics.json").write_text("[]\n")
    assert provenance.revision() == provenance.Revision(git("rev-parse", "HEAD"), changed=False)
    Path("params.yaml").write_text("a: 2\n")
    assert provenance.revision().changed


def test_the_page_shows_the_sheet_and_says_what_its_rows_are(tmp_path, page):
    paths = fabricated.run(tmp_path)
    sheet = base64.b64encode((tmp_path / "plots/seen.jpg").read_bytes()).decode()
    assert f"data:image/jpeg;base64,{sheet}" in fabricated.report_again(tmp_path, paths)[0]
    assert "as train.augment changes them" in " ".join(Elements(page).text.split())
    parameters = (tmp_path / "params.yaml").read_text()
    parameters = parameters.replace("augment:\n    - {flip: horizontal}", "augment: []")
    (tmp_path / "params.yaml").write_text(parameters)
    assert (
        "train.augment changes nothing"
        in Elements(fabricated.report_again(tmp_path, paths)[0]).text
    )


def test_a_missing_sheet_is_told_with_the_remedy(tmp_path):
    paths = fabricated.run(tmp_path)
    (tmp_path / "plots/seen.jpg").unlink()
    with pytest.raises(UserError, match=r"plots/seen\.jpg: No such file.*dvc repro -f train"):
        fabricated.report_again(tmp_path, paths)


def test_groups_are_told_and_an_unknown_risk_is_warned_of(tmp_path):
    paths = fabricated.run(tmp_path, ["A", "B"])
    page, markdown = fabricated.report_again(tmp_path, paths)
    for text in (Elements(page).text, markdown):
        assert " groups that are never divided: as the source names them." in text
        assert "Leak risk unknown" not in text
    counts = tmp_path / "metrics/split.json"
    counts.write_text(counts.read_text().replace('"groups_known": 1', '"groups_known": 0'))
    page, markdown = fabricated.report_again(tmp_path, paths)
    assert '<p class="alert">Leak risk unknown: nothing says which images' in page
    assert "**Leak risk unknown: nothing says which images" in markdown


def test_the_story_has_its_order(page):
    heads = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert heads == [
        "What to do next",
        "Data",
        "Training",
        "Test scores",
        "Classes",
        "Confusions",
        "Confidence",
        "Slices",
        "Spoiled images",
        "Mistakes",
        "Sample predictions",
        "Class balance and score",
        "Other runs",
        "Reproduce",
        "Model card",
    ]


def test_the_first_advice_ends_the_verdict_and_leads_to_its_pictures(tmp_path):
    paths = fabricated.run(tmp_path, ["A", "B"], right=0.8)
    page, markdown = fabricated.report_again(tmp_path, paths)
    verdict = re.search(r'<p class="verdict">(.*?)</p>', page, re.DOTALL)[1]
    assert "Next: “A”: recall" in verdict or "Next: “B”: recall" in verdict
    assert '<a href="#pair-1">Look at these pictures.</a>' in verdict
    assert "What to do next:\n- “" in markdown
    pair = page.partition('id="pair-1"')[2].partition("</ul>")[0]
    assert 1 <= pair.count("<img ") <= 4


def test_a_run_without_anything_to_mend_says_so(tmp_path):
    paths = fabricated.run(tmp_path, right=1.0)
    (tmp_path / "data/records/rejects.csv").write_text("filename,reason,detail\n")
    scores = {"macro_f1": 1.0, "accuracy": 1.0}
    (tmp_path / "metrics/evaluate.json").write_text(json.dumps(scores))
    page, markdown = fabricated.report_again(tmp_path, paths)
    assert "No rule of this report has found anything to mend." in page
    assert "What to do next" not in markdown


def test_a_committed_run_before_is_compared_in_words_and_numbers(tmp_path):
    paths = fabricated.run(tmp_path)
    scores = json.loads((tmp_path / "metrics/evaluate.json").read_text())
    before = {name: value - 0.25 for name, value in scores.items() if name.startswith("macro_f1")}
    (tmp_path / "metrics/evaluate.json").write_text(
        json.dumps(before | {"images": scores["images"]})
    )
    with contextlib.chdir(tmp_path):
        identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
        for words in (["init", "-q"], ["add", "metrics"], ["commit", "-q", "-m", "before"]):
            subprocess.run(["git", *identity, *words], check=True)
    (tmp_path / "metrics/evaluate.json").write_text(json.dumps(scores))
    for text in fabricated.report_again(tmp_path, paths):
        assert "That is +0.250 against the" in text
        assert "more than chance, the intervals do not overlap." in text
    assert re.search(r"\| Macro F1 \| [\d.]+ \| [\d. to]+ \| \+0\.250 \|", text)
    assert re.search(r"\| Accuracy \| [\d.]+ \| [\d. to]+ \|  \|", text)


def test_hashes_machine_and_seconds_are_told(tmp_path):
    paths = fabricated.run(tmp_path)
    seconds = tmp_path / ".cache/stages/train.json"
    seconds.parent.mkdir(parents=True)
    seconds.write_text('{"seconds": 200.0}')
    text = Elements(fabricated.report_again(tmp_path, paths)[0]).text
    # SHA-256 of the bytes b"a model".
    assert "model " + hashlib.sha256(b"a model").hexdigest() in text
    assert "train 3 min 20 s" in text
    assert re.search(r"memory \d+ GiB", text)


def test_the_model_card_has_its_headings_and_is_filled(page):
    card = page.partition('<section id="card">')[2].partition("</section>")[0]
    assert re.findall(r"<h3>(.*?)</h3>", card) == [
        "Model details",
        "Intended use",
        "Factors",
        "Metrics",
        "Evaluation data",
        "Training data",
        "Quantitative analyses",
        "Ethical considerations",
        "Caveats and recommendations",
    ]
    assert "into 5 classes: “ASPHALT”, “BALLAST”" in card
    assert "123,456 parameters" in card


def test_every_figure_is_written_as_a_file_and_the_balance_as_a_table(tmp_path):
    fabricated.report(tmp_path, names=["A", "B"])
    names = {path.name for path in (tmp_path / "plots/figures").iterdir()}
    assert {"confusion.svg", "confusion_shares.svg", "reliability.svg", "balance.svg"} <= names
    table = pd.read_csv(tmp_path / "plots/class_balance.csv")
    assert table["class_name"].tolist() == ["A", "B"]
    assert (table["train"] == 4 * table["test"]).all()


def test_a_model_below_a_baseline_is_warned_of_before_anything_else(tmp_path):
    page, markdown = fabricated.report(tmp_path, right=0.1)
    assert markdown.startswith("> **WARNING: this model is NOT SHOWN to be better than a baseline")
    parsed = Elements(page)
    assert {"class": "warning", "role": "alert"} in parsed.of("p")
    assert parsed.text.index("WARNING: this model") < parsed.text.index("The macro F1 is")


def test_calibration_and_refusal_are_told_and_a_good_model_has_no_warning(tmp_path):
    page, markdown = fabricated.report(tmp_path)
    text = Elements(page).text
    assert "The temperature that fits the validation fold best is 1.300" in text
    assert "confidence of at least 0.900 for the validation fold" in text
    assert "AUROC of 0.74" in text
    assert "Macro F1 above the better one" in markdown
    assert "WARNING" not in page + markdown
