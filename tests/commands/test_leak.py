"""`trackbed leak` on a finished project."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
import sweeping

from trackbed.experiments import leakage

STAGES = Path(__file__).parents[2] / "stages"
FOLDS = "data/folds/folds.csv"


def leak(project, *arguments):
    return sweeping.called(project, "leak", *arguments)


def test_a_grouped_split_shares_nothing(finished):
    done = leak(finished)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("shared group,") == 3
    assert "identical pixels, training and test: 0 of" in done.stdout


def test_a_shared_group_is_found_with_examples(finished, tmp_path):
    folds = pd.read_csv(finished.folder / FOLDS)
    frames = folds[folds["fold"] == 1].iloc[[0]]  # validation is fold 0
    shutil.copytree(finished.folder / "data/folds", tmp_path / "folds")
    os.chmod(tmp_path / "folds/folds.csv", 0o644)
    moved = folds.assign(
        part=folds["part"].mask(folds.index.isin(frames.index), "test"),
        fold=folds["fold"].mask(folds.index.isin(frames.index), -1),
    )
    moved.to_csv(tmp_path / "folds/folds.csv", index=False)
    done = leak(finished, "--folds-path", str(tmp_path / "folds"))
    assert done.returncode == 1
    (line,) = (
        line
        for line in done.stdout.splitlines()
        if line.startswith("shared group,     training and t")
    )
    assert ": 1 of " in line
    assert f"    {frames['filename'].iloc[0]}  like  " in done.stdout


def test_wrong_arguments_are_refused(finished):
    for arguments in (["--distance", "64"], ["--seeds", "one"]):
        done = leak(finished, *arguments)
        assert done.returncode == 2
        assert done.stderr.startswith(f"trackbed: {arguments[0]}")


def test_random_folds_keep_the_test_part_and_classes():
    table = pd.DataFrame(
        {
            "part": ["train"] * 12 + ["test"] * 3,
            "fold": [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, -1, -1, -1],
            "label": [0, 1] * 6 + [0, 1, 0],
        }
    )
    first, same, other = (leakage.random_folds(table, seed) for seed in (0, 0, 1))
    assert first["fold"].tolist() == same["fold"].tolist() != other["fold"].tolist()
    assert first["fold"].tolist()[12:] == [-1, -1, -1]
    assert pd.crosstab(first["fold"][:12], first["label"][:12]).to_numpy().tolist() == [[2, 2]] * 3


@pytest.mark.slow
def test_the_experiment_trains_on_both_splits(finished):
    before = finished.run("git", "status", "--porcelain")
    done = leak(finished, "--experiment")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split() for line in done.stdout.splitlines()[-2:]]
    assert [row[:2] for row in rows] == [["random", "0"], ["grouped", "0"]]
    for row in rows:
        *scores, gap = map(float, row[2:])
        assert all(0 <= score <= 1 for score in scores)
        assert abs(scores[1] - scores[3] - gap) < 0.0015
    assert finished.run("git", "status", "--porcelain") == before
    assert not list((finished.folder / ".cache").glob("resplit-*"))
