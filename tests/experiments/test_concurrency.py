import os
from pathlib import Path

import pytest

from trackbed.experiments import concurrency
from trackbed.pipeline import params

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def three_cores(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)


def frozen(**train):
    """The sections of params.yaml with a frozen backbone, and other values of train."""
    sections = params.sections()
    sections["train"] |= {"network": "MobileNetV2", "augment": []} | train
    return sections


def test_heads_of_a_frozen_backbone_take_a_core_each(monkeypatch):
    keys = ["train.dropout", "++train.learning_rate", "train.fold", "report.title"]
    assert concurrency.suitable_jobs(keys, frozen()) == 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    assert concurrency.suitable_jobs(keys, frozen()) == concurrency.MOST_AT_ONCE


@pytest.mark.parametrize("key", ["train.image_side", "train.augment", "split.seed", "embed.views"])
def test_what_runs_the_backbone_again_runs_alone(key):
    assert concurrency.suitable_jobs(["train.dropout", key], frozen()) == 1


@pytest.mark.parametrize("values", [{"network": "small_cnn"}, {"unfreeze": "all"}])
def test_the_training_of_a_network_runs_alone(values):
    assert concurrency.suitable_jobs(["train.dropout"], frozen(**values)) == 1


def test_a_project_with_other_stages_runs_one_at_a_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert concurrency.suitable_jobs(["train.dropout"], {"train": {}}) == 1
