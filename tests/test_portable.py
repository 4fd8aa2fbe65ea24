"""What must work on Linux, macOS and Windows alike; CI runs these tests on all three."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from program import trackbed

ROOT = Path(__file__).parents[1]
# Files that git tracks or DVC hashes.
TEXTS = [
    "data/records/index.csv",
    "data/folds/folds.csv",
    "metrics/data.json",
    "metrics/split.json",
]
TEXTS += ["metrics/evaluate.json", "data/evaluation/predictions.csv", "plots/report.html"]


def test_the_pipeline_runs_and_is_up_to_date(finished):
    assert (finished.folder / "plots/report.html").stat().st_size > 100_000
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=finished.folder,
        env=finished.environment,
        capture_output=True,
        text=True,
    )
    assert "Data and pipelines are up to date." in done.stdout + done.stderr


@pytest.mark.parametrize("name", TEXTS)
def test_results_have_the_line_ends_of_unix(finished, name):
    content = (finished.folder / name).read_bytes()
    assert b"\r" not in content
    assert b"\n" in content


def test_paths_in_results_have_forward_slashes(finished):
    text = (finished.folder / "data/records/index.csv").read_text("utf-8")
    assert "GRAS/000_0.png" in text
    assert "\\" not in text


def test_pictures_are_predicted(finished):
    done = trackbed("predict", "data/raw", "--format", "jsonl", folder=finished.folder)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == 36
    assert answers[0]["class"] in ("BALLAST", "GRAS", "STONE")


@pytest.mark.parametrize("command", [["scan", "data/raw"], ["leak"], ["verify"]])
def test_a_command_ends_without_a_traceback(finished, command):
    done = trackbed(*command, folder=finished.folder)
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr


HOLD = """
from trackbed.pipeline import runner
with runner.locked("split"):
    print("held", flush=True)
    input()
"""


def test_a_stage_is_refused_while_it_runs_already(finished):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=finished.folder,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'stages'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    command = [sys.executable, "stages/split.py", "data", "metrics"]
    done = subprocess.run(command, cwd=finished.folder, capture_output=True, text=True)
    holder.communicate("\n")
    assert done.returncode == 6
    assert re.fullmatch(
        r"split: stage split is already running \(pid \d+\); wait for it, or stop it\.\n",
        done.stderr,
    )


# The files of the repository itself.


def tracked():
    output = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return output.stdout.decode().split("\0")[:-1]


def test_file_names_are_allowed_everywhere():
    names = tracked()
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert not re.search(r'[<>:"|?*\\\x00-\x1f]|[ .](/|$)', name), name
        stems = {part.partition(".")[0].upper() for part in name.split("/")}
        assert not stems & {"CON", "PRN", "AUX", "NUL", *(f"COM{n}" for n in range(1, 10))}, name
        assert len(name) < 100, name


def test_a_checkout_changes_no_line_ends():
    listing = subprocess.run(
        ["git", "check-attr", "text", "params.yaml", "stages/train.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.split(": ")[-1] for line in listing.stdout.splitlines()] == ["unset", "unset"]
