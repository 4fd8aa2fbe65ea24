import json
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from conftest import ROOT, draw
from PIL import Image


@pytest.fixture
def build(tmp_path):
    """Run the stage on three classes of tiny pictures; its standard error."""
    draw(tmp_path / "raw")
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["data"] |= {"source": "raw", "group": None, "max_rejects": 0.1}

    def build(workers, records="records"):
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(values | {"runtime": workers}))
        command = [sys.executable, "-X", "importtime", ROOT / "stages" / "build_tfrecord.py"]
        done = subprocess.run(
            [*command, records, "data.json"], cwd=tmp_path, text=True, capture_output=True
        )
        return done.returncode, done.stderr

    return build


def test_it_needs_no_tensorflow(build):
    code, imported = build({"workers": 1})
    assert code == 0
    assert "trackbed.ingest.recording" in imported
    assert "tensorflow" not in imported


def test_a_wrong_number_of_workers_is_told_in_words(build):
    code, told = build({"workers": -1})
    assert code == 2
    assert "params.yaml, runtime.workers: must be at least 0, got -1." in told


def test_the_same_picture_in_two_classes_is_rejected_on_both_sides(build, tmp_path):
    with Image.open(tmp_path / "raw/GRAS/000_0.png") as picture:
        picture.save(tmp_path / "raw/STONE/twin.bmp")
    assert build({"workers": 1})[0] == 0
    rejects = pd.read_csv(tmp_path / "records/rejects.csv")
    assert rejects.to_numpy().tolist() == [
        ["GRAS/000_0.png", "also in another class", "STONE/twin.bmp"],
        ["STONE/twin.bmp", "also in another class", "GRAS/000_0.png"],
    ]
    index = pd.read_csv(tmp_path / "records/index.csv")
    assert not set(rejects["filename"]) & set(index["filename"])
    assert index["record"].tolist() == list(range(len(index)))
    counts = json.loads((tmp_path / "data.json").read_text())
    assert counts == {
        **{"seen": 37, "accepted": 35, "rejected": 2, "ignored": 0, "classes": 3},
        **{"duplicates": 1, "in_two_classes": 2, "in_train_and_test": 0},
    }
