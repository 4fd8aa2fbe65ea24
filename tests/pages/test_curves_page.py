"""`trackbed curves` and what it writes."""

import html.parser
import json
import re

import histories
import numpy as np
import pandas as pd
import pytest

from trackbed import cli
from trackbed.curves.analysis import analysis
from trackbed.pages import curves_page

EVIL = "<script>alert(1)</script>_loss"


def write_log(path):
    """A run of 24 epochs that over-fits from epoch 9 on, in a table as Keras writes it."""
    epochs = np.arange(24)
    table = pd.DataFrame({"epoch": epochs, "loss": 2 * np.exp(-epochs / 4)})
    # At its epoch 8, counted from 0: 2 / e^2 + 0.06 + 0.2 = 0.5307, the lowest.
    table["val_loss"] = table["loss"] + 0.06 * np.maximum(0, epochs - 7) + 0.2
    table["learning_rate"], table[EVIL], table["note | *"] = 1e-3, 1.0, 7.0
    table.to_csv(path, index=False)
    return path


@pytest.fixture
def log(tmp_path):
    return write_log(tmp_path / "log.csv")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder that `trackbed curves log.csv --out` wrote."""
    folder = tmp_path_factory.mktemp("written")
    assert cli.main(["curves", str(write_log(folder / "log.csv")), "--out", str(folder)]) == 0
    return folder


class Page(html.parser.HTMLParser):
    """Tags, ids and addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.addresses = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for key, value in attrs:
            if key == "id":
                self.ids.append(value)
            if key in ("src", "href"):
                self.addresses.append(value)


def test_text_only_by_default(log, capsys, monkeypatch):
    monkeypatch.chdir(log.parent)
    assert cli.main(["curves", str(log)]) == 0
    text = capsys.readouterr().out
    assert "Over-fitting; best epoch 9 of 24, val_loss 0.5307." in text
    assert "counts epochs from 0" in text
    assert "Constant, 0.001." in text
    assert [path.name for path in log.parent.iterdir()] == ["log.csv"]


def test_the_page_needs_nothing_else_and_runs_no_script(written):
    text = (written / "curves.html").read_text("utf-8")
    page = Page(text)
    assert "script" not in page.tags
    assert "&lt;script&gt;alert(1)" in text
    assert all(address.startswith("#") for address in page.addresses)
    assert "default-src 'none'" in text
    assert len(page.ids) == len(set(page.ids))
    assert page.tags.count("svg") == 3  # loss, the other loss, learning rate
    assert "Best epoch 9: 0.5307" in text
    assert "Columns not analysed: note | *." in text


def test_markdown_and_json(written):
    markdown = (written / "curves.md").read_text("utf-8")
    assert "<script>" not in markdown
    assert "Over-fitting: from epoch 9 on" in markdown
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert all(re.search(r"\|$", row) for row in rows)
    values = json.loads((written / "curves.json").read_text("utf-8"))
    (run,) = values["runs"]
    assert (run["best"]["epoch"], run["fit"]["verdict"]) == (9, "over-fitting")
    assert run["curves"]["note | *"] == [7.0] * 24
    assert run["unknown"] == ["note | *"]


def test_the_same_log_gives_the_same_bytes(written, tmp_path, capsys):
    cli.main(["curves", str(written / "log.csv"), "--out", str(tmp_path)])
    for name in ("curves.html", "curves.md", "curves.json"):
        assert (written / name).read_bytes() == (tmp_path / name).read_bytes()


def test_two_logs_side_by_side(log, tmp_path, capsys):
    other = log.with_name("other.csv")
    table = pd.read_csv(log)
    # At its epoch 8, counted from 0: 2 / e^2 + 0.06 + 0.2 = 0.5307, the lowest.
    table["val_loss"] = table["loss"] + 0.1
    table.to_csv(other, index=False)
    arguments = ["curves", str(log), str(other), "--parameters", "100,200"]
    assert cli.main([*arguments, "--out", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    assert "Choose other.csv: loss 0.1064 at epoch 24, the best value." in text
    page = Page((tmp_path / "out/curves.html").read_text("utf-8"))
    assert len(page.ids) == len(set(page.ids))
    assert "#run1" in page.addresses
    assert page.tags.count("svg") == 7


def test_scores_by_class_beside_a_log(log, tmp_path, capsys):
    classes = tmp_path / "classes.csv"
    classes.write_text("class,f1\nA,0.9\nB,0.5\n")
    cli.main(["curves", str(log), "--classes", str(classes)])
    assert "Worst F1: B (0.500), A (0.900)." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--monitor", "val_los"], "Did you mean 'val_loss'"),
        (["--patience", "-1"], "must be 0 or more"),
        (["--parameters", "1,2"], "2 numbers for 1 runs"),
        (["--parameters", "many"], "must be whole numbers"),
        (["--classes", "nowhere.csv"], "no such file"),
        (["nowhere.csv"], "nowhere.csv: no such file"),
    ],
)
def test_wrong_use_is_an_error_of_one_line(log, capsys, arguments, words):
    assert cli.main(["curves", str(log), *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_terminal_gets_no_control_characters(log, capsys):
    log.write_text("epoch,loss,val_\x1b[31mloss\n1,2,3\n2,1,2\n")
    cli.main(["curves", str(log)])
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "values",
    [
        {"loss": [1.0]},
        {"loss": [np.nan] * 12, "val_loss": [np.inf] * 12},
        {"loss": [1.0] * 30, "val_loss": [1.0] * 30, "learning_rate": [0.0] * 30},
        {"val_accuracy": [0.5, np.nan, 0.7]},
    ],
    ids=["one epoch", "no finite value", "constant", "a score alone"],
)
def test_poor_histories_give_what_they_allow(tmp_path, values):
    history = histories.made(seconds=[1.0] * len(next(iter(values.values()))), **values)
    findings = curves_page.Findings([history], [analysis(history)])
    assert "a run" in curves_page.text(findings)
    curves_page.write(tmp_path, findings)
    json.loads((tmp_path / "curves.json").read_text("utf-8"))
    assert "nan" not in (tmp_path / "curves.md").read_text("utf-8")
