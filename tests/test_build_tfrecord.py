import re
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from PIL import Image
from project import ROOT, draw

import build_tfrecord
from trackbed.pipeline import params, tables
from trackbed.pipeline.errors import UserError
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
    counts = tables.metrics(tmp_path / "metrics/data.json", "")
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


@pytest.fixture
def split(tmp_path):
    """Run build and split on parts in nested folders; their output, and parts against folds."""
    for part, groups in (("train", 4), ("val", 2), ("test", 2)):
        draw(tmp_path / f"raw/seg_{part}/seg_{part}", groups=groups, frames=1)
        for number, path in enumerate(sorted((tmp_path / f"raw/seg_{part}").rglob("*.png"))):
            Image.new("RGB", (24, 20), (number * 9, groups * 50, len(part) * 40)).save(path)
    (tmp_path / "raw/seg_pred").mkdir()
    (tmp_path / "raw/seg_pred/1.png").touch()
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["data"] |= {"source": "raw", "group": None}

    def split(validation_part):
        values["split"] |= {"folds": 2, "join_distance": None, "validation_part": validation_part}
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
        output = ""
        for stage in ("build_tfrecord", "split"):
            command = [sys.executable, ROOT / "stages" / f"{stage}.py", "data", "metrics"]
            output += subprocess.check_output(command, cwd=tmp_path, text=True)
        index = pd.read_csv(tmp_path / "data/records/index.csv")
        folds = pd.read_csv(tmp_path / "data/folds/folds.csv")
        counts = pd.crosstab(index["part"], folds["fold"])
        return output, {part: row[row > 0].to_dict() for part, row in counts.iterrows()}

    return split


def test_a_validation_part_is_a_fold_or_joins_training(split):
    output, folds = split("fold")
    assert "test: seg_test/seg_test/, train: seg_train/seg_train/, validation: seg_val/" in output
    assert "left out without a label: seg_pred/ (1 files)" in output
    assert folds == {"test": {-1: 6}, "train": {1: 12}, "validation": {0: 6}}
    output, folds = split("train")
    assert folds["test"] == {-1: 6}
    # 18 images, 6 of each class, in two folds.
    assert pd.DataFrame(folds).sum(axis=1).to_dict() == {-1: 6, 0: 9, 1: 9}


def test_parts_in_the_parameters_may_have_their_usual_names():
    data = yaml.safe_load((ROOT / "params.yaml").read_text())["data"]
    given = {"dev": "Val", "a/b": "testing", "old": "ignore"}
    p = params.checked("data", build_tfrecord.DataParams, data | {"parts": given})
    assert p.parts == {"dev": "validation", "a/b": "test", "old": "ignore"}
    with pytest.raises(UserError, match=r"data\.parts\.x: must be one of .*, got other"):
        params.checked("data", build_tfrecord.DataParams, data | {"parts": {"x": "other"}})
