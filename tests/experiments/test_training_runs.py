"""Comparisons of revisions of a small repository."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from project import ROOT, Project

from trackbed import cli
from trackbed.experiments import training_runs
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError

LABELS = np.arange(40) % 2


def write_results(folder, test_part=None, names="image", right=36):
    """Predictions of 40 images, of which the first `right` are correct, and their scores."""
    predicted = np.where(np.arange(40) < right, LABELS, 1 - LABELS)
    rows = pd.DataFrame({"record": range(40), "label": LABELS})
    rows["filename"] = rows["group"] = [f"{names}{number}.png" for number in range(40)]
    table = tables.predictions(rows, ["A", "B"], 0.1 + 0.8 * np.eye(2)[predicted])
    (folder / "data/evaluation").mkdir(parents=True, exist_ok=True)
    (folder / "metrics").mkdir(exist_ok=True)
    tables.PREDICTIONS_TABLE.write(folder / "data/evaluation", table)
    part = {} if test_part is None else {"test_part": test_part}
    scores = {"macro_f1": right / 40} | part
    (folder / "metrics/evaluate.json").write_text(json.dumps(scores))


@pytest.fixture
def project(tmp_path, monkeypatch):
    project = Project(tmp_path)
    project.run("git", "init", "-q", "-b", "main")
    project.run("dvc", "init", "-q")
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    return project


def committed(project, **options):
    write_results(project.folder, **options)
    project.commit()


@pytest.mark.parametrize("parts", [("aa", "aa"), (None, "aa"), (None, None)])
def test_equal_or_unknown_fingerprints_are_compared(project, parts):
    committed(project, test_part=parts[0])
    write_results(project.folder, test_part=parts[1], right=38)
    change = training_runs.comparison("HEAD", "workspace")
    assert change.images == 40
    assert change.accuracy == (0.9, 0.95)


def test_images_of_other_pixels_are_not_compared(project):
    committed(project, test_part="aa")
    write_results(project.folder, test_part="bb")
    with pytest.raises(UserError, match=r"same names but other pixels .*: aa and bb\)"):
        training_runs.comparison("HEAD", "workspace")


def test_other_images_are_not_compared_though_as_many(project):
    committed(project)
    write_results(project.folder, names="picture")
    with pytest.raises(UserError, match="test parts differ: 40 and 40 images, 0 of them in both"):
        training_runs.comparison("HEAD", "workspace")


@pytest.mark.parametrize("command", [("gate", "--base", "HEAD"), ("compare", "HEAD")])
def test_gate_and_compare_say_why_there_is_nothing_to_compare(project, command, capsys):
    committed(project, test_part="aa", right=39)
    write_results(project.folder, test_part="bb", names="picture", right=30)
    assert cli.main(list(command)) == 2
    assert "HEAD and workspace cannot be compared: their test parts differ" in (
        capsys.readouterr().err
    )


def test_macro_f1_is_that_of_the_file(project):
    committed(project, right=36)
    write_results(project.folder, right=30)
    assert training_runs.scores("HEAD")["macro_f1"] == 0.9
    assert training_runs.scores(training_runs.WORKSPACE)["macro_f1"] == 0.75


def test_scores_of_an_older_version_are_read_and_compared(project):
    committed(project, test_part="aa")  # all values at the top
    assert set(json.loads(training_runs.SCORES.read_text())) == {"macro_f1", "test_part"}
    write_results(project.folder, right=38)
    tables.write_metrics(training_runs.SCORES, {"macro_f1": 0.95, "test_part": "aa"}, ["macro_f1"])
    assert training_runs.scores("HEAD") == {"macro_f1": 0.9, "test_part": "aa"}
    assert training_runs.scores(training_runs.WORKSPACE) == {"macro_f1": 0.95, "test_part": "aa"}
    assert training_runs.comparison("HEAD", training_runs.WORKSPACE).accuracy == (0.9, 0.95)


def test_a_revision_without_results_is_an_error(project):
    project.commit()
    with pytest.raises(UserError, match=r"evaluate\.json of HEAD: the revision has none"):
        training_runs.scores("HEAD")
    with pytest.raises(UserError, match=r"predictions\.csv of HEAD: the revision has none"):
        training_runs.predictions("HEAD")


def test_scores_without_macro_f1_are_an_error(project):
    write_results(project.folder)
    (project.folder / "metrics/evaluate.json").write_text('{"macro_f1": null}')
    with pytest.raises(UserError, match=r"of workspace: no macro_f1\. Run `dvc repro -f evaluate`"):
        training_runs.scores(training_runs.WORKSPACE)


LOCK = """\
stages:
  split:
    cmd: python stages/split.py
    outs:
    - {path: data/folds, md5: f01d.dir}
  train:
    cmd: python stages/train.py
    deps:
    - {path: data/records, md5: 4ec.dir}
    - {path: data/folds, md5: f01d.dir}
    - {path: stages/train.py, md5: c0de}
    params:
      params.yaml:
        train: {fold: 1, seed: 7, learning_rate: 1e-05, augment: [{name: flip}]}
    outs:
    - {path: models, md5: aaa.dir}
"""


def training(lock=LOCK):
    return training_runs.from_lock(lock.encode(), "name", "0" * 40)


def test_a_training_is_read_from_its_record():
    one = training()
    assert (one.fold, one.seed, one.models) == (1, 7, "aaa.dir")
    assert one.params["train.learning_rate"] == "1e-05"
    assert set(one.params) == {"train.learning_rate", "train.augment"}
    assert one.inputs["stages/train.py"] == "c0de"
    assert one.data() == {"data/records": "4ec.dir", "data/folds": "f01d.dir"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  train:\n", "  other:\n"),
        ("fold: 1, ", ""),
        ("seed: 7", "seed: one"),
        ("path: models", "path: other"),
        (", md5: aaa.dir", ""),
        ("stages:\n", "stages: [\n"),
    ],
)
def test_a_lock_without_a_whole_record_has_no_training(old, new):
    assert training(LOCK.replace(old, new, 1)) is None
    assert training_runs.from_lock(None, "name", None) is None


def test_settings_are_equal_in_all_but_fold_and_seed():
    one, other = training(), training(LOCK.replace("fold: 1, seed: 7", "fold: 0, seed: 8"))
    assert one.same_setting(other)
    assert not one.same_setting(training(LOCK.replace("1e-05", "1e-04")))
    assert not one.same_setting(training(LOCK.replace("c0de", "0ther")))


def test_the_varied_parameters():
    one = training()
    other = dataclasses.replace(one, params=one.params | {"train.dropout": "0.5"})
    assert training_runs.varied_params([one, other]) == ["train.dropout"]
    assert training_runs.varied_params([one, one]) == []


def test_the_data_of_the_workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert training_runs.workspace_data() == {"data/records": None, "data/folds": None}
    (tmp_path / "dvc.lock").write_text(LOCK)
    assert training_runs.workspace_data() == {"data/records": None, "data/folds": "f01d.dir"}
