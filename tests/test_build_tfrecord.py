import json
import re
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from PIL import Image
from project import ROOT, draw

from trackbed.reporting import dataset_summary


@pytest.fixture
def build(tmp_path):
    """Run the stage on three classes of tiny pictures; its standard error."""
    draw(tmp_path / "raw")
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["data"] |= {"source": "raw", "group": None, "max_rejects": 0.1}

    def build(workers):
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(values | {"runtime": workers}))
        command = [sys.executable, "-X", "importtime", ROOT / "stages" / "build_tfrecord.py"]
        done = subprocess.run(
            [*command, "data", "metrics"], cwd=tmp_path, text=True, capture_output=True
        )
        return done.returncode, done.stderr

    return build


def test_it_needs_no_tensorflow(build):
    code, imported = build({"workers": 1})
    assert code == 0
    assert "trackbed.dataset.recording" in imported
    assert not re.search(r"\| +tensorflow\b", imported)


def test_a_wrong_number_of_workers_is_refused(build):
    code, stderr = build({"workers": -1})
    assert code == 2
    assert "params.yaml, runtime.workers: must be at least 0, got -1." in stderr


def test_conflicts_are_rejected_and_findings_listed(build, tmp_path):
    Image.new("RGB", (24, 20)).save(tmp_path / "raw/GRAS/night.png")
    with Image.open(tmp_path / "raw/GRAS/001_0.png") as picture:
        picture.save(tmp_path / "raw/GRAS/repeat.bmp")
    with Image.open(tmp_path / "raw/GRAS/000_0.png") as picture:
        picture.save(tmp_path / "raw/STONE/twin.bmp")
    assert build({"workers": 1})[0] == 0
    rejects = pd.read_csv(tmp_path / "data/records/rejects.csv")
    assert rejects.to_numpy().tolist() == [
        ["GRAS/000_0.png", "also in another class", "STONE/twin.bmp"],
        ["STONE/twin.bmp", "also in another class", "GRAS/000_0.png"],
    ]
    index = pd.read_csv(tmp_path / "data/records/index.csv")
    assert not set(rejects["filename"]) & set(index["filename"])
    assert index["record"].tolist() == list(range(len(index)))
    counts = json.loads((tmp_path / "metrics/data.json").read_text())
    assert (
        counts.items()
        >= {
            **{"seen": 39, "accepted": 37, "rejected": 2, "ignored": 0, "classes": 3},
            **{"duplicates": 2, "black": 1, "in_two_classes": 2, "in_train_and_test": 0},
            **{"near_duplicates": 0, "largest_class": 13, "smallest_class": 12, "imbalance": 1.083},
            **{"median_width": 24.0, "median_height": 20.0},
        }.items()
    )
    findings = pd.read_csv(tmp_path / "data/records/findings.csv", na_filter=False)
    assert findings[["filename", "finding", "other"]].to_numpy().tolist() == [
        ["GRAS/repeat.bmp", "duplicate", "GRAS/001_0.png"],
        ["GRAS/night.png", "black", ""],
    ]
    contradiction = dataset_summary.pictured_findings(tmp_path / "data/records")[0]
    assert [len(example.uris) for example in contradiction.examples] == [1, 1]
    assert [side.class_name for side in contradiction.examples[0].sides] == ["GRAS", "STONE"]
