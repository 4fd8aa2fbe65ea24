import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from trackbed.pipeline import tables
from trackbed.reporting import previous_runs
from trackbed.reporting.previous_runs import ImageChanges, Previous

SCORES = Path("metrics/evaluate.json")


def git(*arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    done = subprocess.run(
        ["git", *identity, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(macro_f1, validation, test_part="aa", **train):
    values = {"dropout": "0.3", "seed": "0"} | train
    lines = [f"  {key}: {value}\n" for key, value in values.items()]
    Path("params.yaml").write_text("train:\n" + "".join(lines))
    Path("metrics/train").mkdir(parents=True, exist_ok=True)
    scores = {"macro_f1": macro_f1, "macro_f1_low": macro_f1 - 0.1, "test_part": test_part}
    SCORES.write_text(json.dumps(scores))
    best = {"best": {"val_macro_f1": validation}}
    Path("metrics/train/metrics.json").write_text(json.dumps(best))
    git("add", "-A")
    git("commit", "-q", "--allow-empty", "-m", "run")
    return git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git("init", "-q")


def listed(macro_f1, **train):
    sections = {"train": {"dropout": "0.3", "seed": "0"} | train}
    return previous_runs.listed(SCORES, {"macro_f1": macro_f1, "test_part": "aa"}, sections)


def test_commits_by_date_and_experiments_by_validation(repository):
    commit(0.5, 0.55, dropout="0.9")
    commit(0.6, 0.65)
    head = commit(0.7, 0.75)
    for name, validation in (("low", 0.1), ("high", 0.9), ("unknown", None)):
        experiment = commit(0.2, validation, dropout="0.1")
        git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/{name}", experiment)
        git("reset", "-q", "--hard", head)
    runs = listed(0.7)
    assert [(run.kind, run.validation, run.test["macro_f1"]) for run in runs] == [
        ("commit", 0.65, 0.6),
        ("commit", 0.55, 0.5),
        ("experiment", 0.9, 0.2),
        ("experiment", 0.1, 0.2),
        ("experiment", None, 0.2),
    ]
    assert [run.name for run in runs[2:]] == ["high", "low", "unknown"]
    assert [run.changes for run in runs] == ["", "train.dropout=0.9", *["train.dropout=0.1"] * 3]
    git("commit", "-q", "--allow-empty", "-m", "text")
    later = [run.name for run in listed(0.7) if run.kind == "experiment"]
    assert later == ["high", "low", "unknown"]


@pytest.mark.parametrize(("keys", "rest"), [("abcd", ""), ("abcde", ", and 1 more")])
def test_four_changed_parameters_are_named(repository, keys, rest):
    commit(0.5, 0.5, **dict.fromkeys(keys, "2"))
    (run,) = listed(0.6, **dict.fromkeys(keys, "1"))
    assert run.changes == f"train.a=2, train.b=2, train.c=2, train.d=2{rest}"


def test_a_run_has_the_validation_curves_of_its_commit(repository):
    curve = Path("metrics/train/plots/metrics/val/loss.tsv")
    curve.parent.mkdir(parents=True)
    curve.write_text("step\tloss\n1\t0.5\n2\t0.25\n")
    commit(0.6, 0.65)
    curve.write_text("step\tloss\n1\t0.75\n")
    commit(0.7, 0.75)
    (run,) = listed(0.7)
    assert run.curves == {"loss": {"epochs": [1, 2], "values": [0.5, 0.25]}}


def test_the_run_itself_is_no_other_one(repository):
    commit(0.5, 0.5)
    assert listed(0.5) == []
    assert len(listed(0.6)) == 1


def test_runs_on_other_test_images_are_left_out(repository):
    commit(0.5, 0.5, test_part="bb")
    commit(0.6, 0.6)
    assert [run.test["macro_f1"] for run in listed(0.7)] == [0.6]


def test_outside_a_repository_there_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert listed(0.5) == []


SCORES_OF_PREVIOUS = Path("metrics/evaluate.json")
BEFORE = {"macro_f1": 0.80, "macro_f1_low": 0.75, "macro_f1_high": 0.85, "test_part": "aa"}
NOW = {"macro_f1": 0.90, "macro_f1_low": 0.86, "macro_f1_high": 0.94, "test_part": "aa"}


@pytest.fixture
def repository_of_previous(tmp_path, monkeypatch):
    """A function that commits scores and returns the commit."""
    monkeypatch.chdir(tmp_path)
    git_of_previous("init", "-q")
    SCORES_OF_PREVIOUS.parent.mkdir()

    def commit(text):
        SCORES_OF_PREVIOUS.write_text(text if isinstance(text, str) else json.dumps(text))
        git_of_previous("add", ".")
        git_of_previous("commit", "-q", "--allow-empty", "-m", "state")
        return git_of_previous("rev-parse", "HEAD")

    return commit


def git_of_previous(*words):
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
    done = subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_new_run_is_compared_with_the_last_commit(repository_of_previous):
    commit = repository_of_previous(BEFORE)
    assert previous_runs.committed(SCORES_OF_PREVIOUS, NOW) == Previous(commit, BEFORE)


def test_a_committed_run_is_compared_with_the_one_before(repository_of_previous):
    commit = repository_of_previous(BEFORE)
    repository_of_previous(NOW)
    # Another processor rounds otherwise; a score that came later is no other run.
    rounded = NOW | {"macro_f1": 0.90000001, "brier": 0.1}
    assert previous_runs.committed(SCORES_OF_PREVIOUS, rounded) == Previous(commit, BEFORE)


@pytest.mark.parametrize("part", [{"test_part": "bb"}, {}])
def test_runs_on_other_test_images_are_not_compared(repository_of_previous, part):
    commit = repository_of_previous(BEFORE)
    repository_of_previous({"macro_f1": 0.99} | part)
    assert previous_runs.committed(SCORES_OF_PREVIOUS, NOW) == Previous(commit, BEFORE)
    assert previous_runs.committed(SCORES_OF_PREVIOUS, NOW | {"test_part": "cc"}) is None


@pytest.mark.parametrize("text", ["no json", "[]", "{}"])
def test_there_is_no_previous_run_without_committed_scores(repository_of_previous, text):
    assert previous_runs.committed(SCORES_OF_PREVIOUS, NOW) is None  # no commit at all
    repository_of_previous(text)
    assert previous_runs.committed(SCORES_OF_PREVIOUS, NOW) is None


def test_there_is_no_previous_run_outside_a_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert previous_runs.committed(SCORES_OF_PREVIOUS, NOW) is None


def test_a_change_is_apart_where_the_intervals_are():
    assert previous_runs.change(None, NOW) is None
    found = previous_runs.change(Previous("0" * 40, BEFORE), NOW)
    assert (round(found.value, 9), found.apart) == (0.1, True)
    assert not previous_runs.change(Previous("0" * 40, BEFORE), NOW | {"macro_f1_low": 0.8}).apart


def predictions(predicted):
    """Of four images of A and B; confidence falls, and the first file comes last."""
    names = ["d.jpg", "c.jpg", "b.jpg", "a.jpg"]
    columns = {"record": range(4), "filename": names, "group": names, "true": list("AABB")}
    columns |= {"predicted": list(predicted), "confidence": [0.9, 0.8, 0.7, 0.6]}
    return pd.DataFrame(columns | {"p_A": 0.5, "p_B": 0.5})


@pytest.fixture
def base(repository_of_previous):
    """A commit with the predictions of a run that DVC has in its cache."""
    for command in (["init", "-q"], ["config", "core.analytics", "false"]):
        subprocess.run(["dvc", *command], check=True)
    tables.PREDICTIONS_TABLE.write(Path("data/evaluation"), predictions("ABBA"))
    subprocess.run(["dvc", "add", "-q", "data/evaluation"], check=True)
    return Previous(repository_of_previous(BEFORE), BEFORE)


def test_changed_images_are_rows_of_the_predictions(base):
    found = previous_runs.image_changes(base, predictions("BABB"))
    assert (found.fixed, found.newly_wrong) == ([1, 3], [0])
    # Two against one: McNemar's exact test is 2 * (1 + 3) / 2 ** 3, at most 1.
    assert found.comparison.p_value == 1
    assert found.comparison.accuracy == (0.5, 0.75)


def test_without_the_predictions_of_the_base_only_its_commit_is_known(base):
    assert previous_runs.image_changes(None, predictions("ABBA")) is None
    other = predictions("ABBA").assign(true=list("ABAB"))
    assert previous_runs.image_changes(base, other).comparison is None
    shutil.rmtree(".dvc/cache")
    assert previous_runs.image_changes(base, predictions("BABB")) == ImageChanges(base.commit)
