import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from program import trackbed

from trackbed import cli

ROOT = Path(__file__).parents[1]
STAGES = ROOT / "stages"


def refusal(done):
    """The one line of a command that ended with exit code 2."""
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "trackbed: the following arguments are required: COMMAND"),
        (("manifst",), "trackbed: argument COMMAND: invalid choice: 'manifst'"),
        (("manifest",), "trackbed manifest: the following arguments are required: LAYOUT"),
        (("manifest", "gtsrb"), "trackbed manifest gtsrb: the following arguments are required"),
        (("manifest", "gtsrb", "x", "--none"), "unrecognized arguments: --none"),
    ],
)
def test_wrong_usage_is_one_line(arguments, message):
    message_line = refusal(trackbed(*arguments))
    assert message in message_line
    assert "--help`" in message_line


def test_help_lists_commands_and_layouts():
    assert "manifest" in trackbed("--help").stdout
    assert "gtsrb" in trackbed("manifest", "--help").stdout
    done = trackbed("manifest", "gtsrb", "--help")
    assert done.returncode == 0
    assert "--output FILE" in done.stdout
    assert "<class>/<track>" in done.stdout


def ignored(*paths):
    done = subprocess.run(
        ["git", "check-ignore", *paths], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.split()


def test_git_ignores_the_pages_that_commands_write():
    modules = (STAGES / "trackbed/commands").glob("*.py")
    pages = {
        one for path in modules for one in re.findall(r'"(plots/\w+\.html)"', path.read_text())
    }
    assert "plots/drift.html" in pages
    assert set(ignored(*pages)) == pages


def test_git_ignores_what_a_killed_stage_leaves():
    left = [".exported.partial", "data/.records.partial", "metrics/.export.json.partial"]
    assert ignored(*left, "exported.txt") == left


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from trackbed.cli import parser; parser().format_help();"
        "print({'pandas', 'numpy', 'tensorflow', 'PIL', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=STAGES, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


def test_a_command_imports_no_other():
    code = (
        "import sys; from trackbed.cli import main; sys.argv[1:] = ['predict', '--help']\n"
        "try: main()\n"
        "except SystemExit: print(*[m for m in sys.modules if m.startswith('trackbed.commands.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=STAGES, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "trackbed.commands.predict"


def test_every_module_of_a_command_is_listed():
    modules = {path.stem for path in (STAGES / "trackbed/commands").glob("*.py")}
    assert modules - {"__init__"} == set(cli.COMMANDS)


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert trackbed("--version").stdout == f"trackbed {project['version']}\n"


@pytest.mark.parametrize(
    ("arguments", "codes", "lines"),
    [
        ("--help", {0, 141}, 0),  # argparse itself overlooks a pipe that closed early
        ("curves log.csv", {141}, 0),
        ("curves log.csv --out out", {141}, 0),
        ("curves missing.csv", {2}, 1),
    ],
)
def test_a_closed_pipe_ends_a_command_quietly(tmp_path, arguments, codes, lines):
    rows = [f"{epoch},{2 / epoch},{2.2 / epoch}" for epoch in range(1, 13)]
    (tmp_path / "log.csv").write_text("\n".join(["epoch,loss,val_loss", *rows]))
    process = subprocess.Popen(
        [sys.executable, "-m", "trackbed", *arguments.split()],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(STAGES)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait() in codes
    assert errors.count("\n") == lines
    assert (tmp_path / "out").exists() == arguments.endswith("--out out")


def test_a_full_disk_is_one_line(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,loss\n1,2\n2,1\n")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "trackbed", "curves", "log.csv"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(STAGES)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.stderr == "trackbed: no space left on the disk; free some and repeat.\n"
    assert done.returncode == 2


@pytest.mark.parametrize("stream", [0, 1, 2])
def test_a_closed_stream_leads_nowhere(tmp_path, stream):
    program = [sys.executable, "-m", "trackbed", "predict", "-", "--model", str(tmp_path)]
    done = subprocess.run(
        ["sh", "-c", f'"$@" {stream}{"<" if not stream else ">"}&-', "sh", *program],
        cwd=STAGES,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "" if stream == 2 else "no exported model" in done.stderr
    assert "Traceback" not in done.stderr
