import hashlib
import json
import subprocess
from pathlib import Path

import psutil
import pytest

from trackbed.pipeline.errors import UserError
from trackbed.reporting import provenance


def test_the_hardware_is_that_of_this_machine():
    told = provenance.hardware()
    assert told["memory"] == f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    assert 1 <= int(told["cores"]) <= psutil.cpu_count()
    assert told["processor"]


def test_seconds_are_told_for_the_stages_that_are_known(tmp_path):
    for name, text in {
        "train": json.dumps({"seconds": 43.5}),
        "split": "{broken",
        "embed": json.dumps({"seconds": "soon"}),
        "build_tfrecord": json.dumps({"seconds": 2}),
        "report": json.dumps({"seconds": 9}),  # of the page itself: not of this run
    }.items():
        (tmp_path / f"{name}.json").write_text(text)
    assert provenance.stage_seconds(tmp_path) == {"build_tfrecord": 2, "train": 43.5}
    assert provenance.stage_seconds(tmp_path / "nowhere") == {}


def test_hashes_are_those_of_the_files(tmp_path):
    for name in ("index.csv", "folds.csv", "model.keras"):
        (tmp_path / name).write_text(name)
    found = provenance.hashes(tmp_path, tmp_path, tmp_path)
    assert found["model"] == hashlib.sha256(b"model.keras").hexdigest()
    assert list(found) == ["data", "folds", "model"]
    (tmp_path / "model.keras").unlink()
    with pytest.raises(UserError, match=r"model\.keras: No such file.*dvc pull"):
        provenance.hashes(tmp_path, tmp_path, tmp_path)


def test_the_revision_counts_code_but_not_outputs_as_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def git(*words):
        identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
        done = subprocess.run(
            ["git", *identity, *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    assert provenance.revision().commit == "unknown"
    git("init", "-q")
    assert provenance.revision().commit == "unknown"  # no commit yet
    Path("params.yaml").write_text("a: 1\n")
    Path("metrics.json").write_text("{}\n")
    git("add", ".")
    git("commit", "-q", "-m", "state")
    Path("metrics.json").write_text("[]\n")
    assert provenance.revision() == provenance.Revision(git("rev-parse", "HEAD"), changed=False)
    Path("params.yaml").write_text("a: 2\n")
    assert provenance.revision().changed
