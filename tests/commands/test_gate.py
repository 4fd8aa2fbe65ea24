"""`trackbed gate` and `trackbed compare` on real revisions of a finished project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import sweeping
from project import Project

STAGES = Path(__file__).parents[2] / "stages"
PREDICTIONS = "data/evaluation/predictions.csv"


@pytest.fixture(scope="module")
def finished(finished, tmp_path_factory):
    """A copy: its predictions are written to, which the cache must not see through a hard link."""
    folder = tmp_path_factory.mktemp("gate") / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Project(folder)


@pytest.fixture
def worse(finished):
    """The workspace of the finished project with every prediction wrong."""
    path = finished.folder / PREDICTIONS
    kept = path.read_bytes()
    path.chmod(0o644)
    names = ["BALLAST", "GRAS", "STONE"]
    following = dict(zip(names, [*names[1:], names[0]], strict=True))
    table = pd.read_csv(path)
    table.assign(predicted=table["true"].map(following)).to_csv(path, index=False)
    yield finished
    path.write_bytes(kept)


def test_the_same_result_passes(finished):
    done = sweeping.called(finished, "gate", "--base", "HEAD")
    assert (done.returncode, done.stderr) == (0, "")
    assert "difference +0.0000" in done.stdout
    assert "passed" in done.stdout


def test_a_clear_drop_fails_with_its_reason(worse):
    done = sweeping.called(worse, "gate", "--base", "HEAD")
    assert done.returncode == 1
    assert "FAILED: macro F1 fell by" in done.stdout


def test_a_score_below_the_floor_fails_without_a_base(finished):
    parameters, scores = finished.folder / "params.yaml", finished.folder / "metrics/evaluate.json"
    kept = parameters.read_text(), scores.read_text()
    try:
        scores.write_text('{"macro_f1": 0.5}')
        assert sweeping.called(finished, "gate").returncode == 0
        finished.change(gate={"macro_f1_floor": 0.6})
        done = sweeping.called(finished, "gate")
        assert done.returncode == 1
        assert done.stdout == "FAILED: macro F1 0.5000 is below the floor of 0.6000\n"
    finally:
        parameters.write_text(kept[0])
        scores.write_text(kept[1])


@pytest.mark.parametrize("base", ["nowhere", "without results"])
def test_it_says_that_it_cannot_tell(finished, base):
    if base == "without results":
        base = finished.run("git", "rev-list", "--max-parents=0", "HEAD").strip()
    done = sweeping.called(finished, "gate", "--base", base)
    assert done.returncode == 2
    assert done.stderr.startswith("trackbed: ")
    assert "Traceback" not in done.stderr


def test_the_gate_needs_neither_tensorflow_nor_images(finished):
    code = (
        "import sys; from trackbed.cli import main; status = main(['gate', '--base', 'HEAD']);"
        "print(status, [name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    records, aside = finished.folder / "data/records", finished.folder / "data/aside"
    shutil.move(records, aside)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=finished.folder,
            env=os.environ | {"PYTHONPATH": str(STAGES)},
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        shutil.move(aside, records)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_a_comparison_lists_what_broke_with_pictures(worse, tmp_path):
    page = tmp_path / "comparison.html"
    done = sweeping.called(worse, "compare", "HEAD", "--html", str(page))
    assert (done.returncode, done.stderr) == (0, "")
    table = pd.read_csv(worse.folder / PREDICTIONS)
    assert "HEAD is better than workspace" in done.stdout
    text = page.read_text()
    newly_wrong = int(text.split("Newly wrong: ")[1].split()[0])
    assert 0 < newly_wrong <= len(table)
    assert text.count("data:image/jpeg") == newly_wrong
    assert "0 images that only" in text  # none is fixed
