import json

import fabricated
import pytest

from trackbed.problems import Problem
from trackbed.telling import curves


def test_what_dvclive_logs_is_read_by_epoch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # Live looks for a repository around it
    from dvclive import Live

    with Live(str(tmp_path), dvcyaml=None, save_dvc_exp=False, report=None) as live:
        for epoch in (1, 2, 3):
            live.step = epoch
            for number, name in enumerate(curves.CURVES):
                live.log_metric(name, epoch + number / 10)
    history = curves.read(tmp_path)
    assert history.index.tolist() == [1, 2, 3]
    assert list(history.columns) == list(curves.CURVES)
    assert history["train/loss"].tolist() == [1.0, 2.0, 3.0]
    assert history["val/loss"].tolist() == [1.3, 2.3, 3.3]  # the fourth curve


def test_a_loss_that_overflowed_stays_visible(tmp_path):
    fabricated.write_training(tmp_path, epochs=2)
    path = tmp_path / "plots/metrics/train/loss.tsv"
    path.write_text("step\tloss\n1\t0.5\n2\tnan\n")
    assert curves.read(tmp_path)["train/loss"].isna().tolist() == [False, True]


def test_the_summary_names_the_best_epoch(tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps({"best_epoch": 17, "epochs": 27}))
    assert curves.summary(tmp_path)["best_epoch"] == 17


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file"),
        ("", "broken"),
        ("step\tloss\n", "found 0 rows"),
        ("step\tloss\n1\tmuch\n2\t0.5\n", "expected one number per epoch"),
        ("step\tloss\n1\t0.5\n1\t0.4\n", "2 rows with 1 different steps"),
        ("step\tacc\n1\t0.5\n2\t0.4\n", r"columns are \['step', 'acc'\]"),
        ("step\tloss\n1\t0.5\n", "val/loss has other epochs than train/loss, 1 rows against 2"),
    ],
)
def test_a_missing_or_broken_curve_is_refused_in_words(tmp_path, text, words):
    fabricated.write_training(tmp_path, epochs=2)
    path = tmp_path / "plots/metrics/val/loss.tsv"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(Problem, match=words):
        curves.read(tmp_path)


@pytest.mark.parametrize("text", [None, "{", "[1, 2]"])
def test_a_missing_or_broken_summary_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(Problem, match=r"metrics\.json.*dvc repro -f train"):
        curves.summary(tmp_path)
