import json
import subprocess
from pathlib import Path

import pytest

from trackbed.telling import previous, scoreboard
from trackbed.telling.previous import Previous

SCORES = Path("metrics/evaluate.json")
BEFORE = {"macro_f1": 0.80, "macro_f1_low": 0.75, "macro_f1_high": 0.85, "images": 100}
NOW = {"macro_f1": 0.90, "macro_f1_low": 0.86, "macro_f1_high": 0.94, "images": 100, "top_2": 0.9}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A function that commits scores and returns the commit."""
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    SCORES.parent.mkdir()

    def commit(text):
        SCORES.write_text(text if isinstance(text, str) else json.dumps(text))
        git("add", ".")
        git("commit", "-q", "--allow-empty", "-m", "state")
        return git("rev-parse", "HEAD")

    return commit


def git(*words):
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
    done = subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_new_run_is_compared_with_the_last_commit(repository):
    commit = repository(BEFORE)
    assert previous.committed(SCORES, NOW) == Previous(commit, BEFORE)


def test_a_committed_run_is_compared_with_the_one_before(repository):
    commit = repository(BEFORE)
    repository(NOW)
    # Another processor rounds otherwise; a score that came later is no other run.
    rounded = NOW | {"macro_f1": 0.90000001, "brier": 0.1}
    assert previous.committed(SCORES, rounded) == Previous(commit, BEFORE)


@pytest.mark.parametrize("text", ["no json", "[]", "{}"])
def test_nothing_is_said_where_no_commit_holds_scores(repository, text):
    assert previous.committed(SCORES, NOW) is None  # no commit at all
    repository(text)
    assert previous.committed(SCORES, NOW) is None
    assert previous.sentence(None, NOW) == ""


def test_nothing_is_said_outside_a_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert previous.committed(SCORES, NOW) is None


@pytest.mark.parametrize(
    ("low", "told"),
    [
        (0.86, "more than chance, the intervals do not overlap"),
        (0.84, "not distinguishable, the intervals overlap"),
    ],
)
def test_the_sentence_says_whether_the_difference_exceeds_the_intervals(low, told):
    said = previous.sentence(Previous("0123456789ab", BEFORE), NOW | {"macro_f1_low": low})
    assert said == (
        f"That is +0.100 against the 0.800 of the last committed run (commit 0123456789): {told}."
    )


def test_other_test_images_are_told_instead_of_a_judgement():
    said = previous.sentence(Previous("0" * 40, BEFORE | {"images": 90}), NOW)
    assert said.endswith("which was judged on 90 images.")
    assert "chance" not in said


def test_the_table_of_scores_shows_the_changes():
    rows = scoreboard.rows(NOW, Previous("0" * 40, BEFORE | {"top_2": 0.95, "loss": 1}))
    assert {row.label: row.change for row in rows} == {
        "Macro F1": "+0.100",
        "Top-2 accuracy": "-0.050",
    }
    assert scoreboard.rows(NOW)[0].change == ""
