"""Trainings as dvc.lock records them; real ones are in tests/commands/test_suspects.py."""

import dataclasses

import pytest

from trackbed.experiments import training_runs

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
