import subprocess
import sys

import pytest
import yaml
from conftest import ROOT, draw


@pytest.fixture
def build(tmp_path):
    """Run the stage on three classes of tiny pictures; its standard error."""
    draw(tmp_path / "raw")
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["data"] |= {"source": "raw", "group": None}

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
