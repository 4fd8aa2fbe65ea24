"""`trackbed gate` on real revisions of a finished project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sweeping

STAGES = Path(__file__).parents[2] / "stages"
PREDICTIONS = "data/evaluation/predictions.csv"


def test_the_same_result_passes(comparable):
    done = sweeping.called(comparable, "gate", "--base", "HEAD")
    assert (done.returncode, done.stderr) == (0, "")
    assert "difference +0.0000" in done.stdout
    assert "passed" in done.stdout


def test_a_clear_drop_fails_with_its_reason(worse):
    done = sweeping.called(worse, "gate", "--base", "HEAD")
    assert done.returncode == 1
    assert "FAILED: macro F1 fell by" in done.stdout


def test_a_score_too_low_fails_without_a_base(comparable):
    parameters, scores = (
        comparable.folder / "params.yaml",
        comparable.folder / "metrics/evaluate.json",
    )
    kept = parameters.read_text(), scores.read_text()
    try:
        scores.write_text('{"macro_f1": 0.5}')
        assert sweeping.called(comparable, "gate").returncode == 0
        comparable.change(gate={"macro_f1_floor": 0.6})
        done = sweeping.called(comparable, "gate")
        assert done.returncode == 1
        assert done.stdout == "FAILED: macro F1 0.5000 is below the floor of 0.6000\n"
        scores.write_text('{"macro_f1": 0.7, "not_above_baseline": 1}')
        comparable.change(gate={"above_baseline": True})
        done = sweeping.called(comparable, "gate")
        assert done.returncode == 1
        assert done.stdout.startswith("FAILED: macro F1 is 0.700; without a network")
    finally:
        parameters.write_text(kept[0])
        scores.write_text(kept[1])


@pytest.mark.parametrize("base", ["nowhere", "without results"])
def test_it_says_that_it_cannot_tell(comparable, base):
    if base == "without results":
        base = comparable.run("git", "rev-list", "--max-parents=0", "HEAD").strip()
    done = sweeping.called(comparable, "gate", "--base", base)
    assert done.returncode == 2
    assert done.stderr.startswith("trackbed: ")
    assert "Traceback" not in done.stderr


def test_the_gate_needs_neither_tensorflow_nor_images(comparable):
    code = (
        "import sys; from trackbed.cli import main; status = main(['gate', '--base', 'HEAD']);"
        "print(status, [name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    records, aside = comparable.folder / "data/records", comparable.folder / "data/aside"
    shutil.move(records, aside)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=comparable.folder,
            env=os.environ | {"PYTHONPATH": str(STAGES)},
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        shutil.move(aside, records)
    assert done.stdout.splitlines()[-1] == "0 []"
