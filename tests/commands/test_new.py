"""`trackbed new`: what a project holds, and what it refuses without leaving anything."""

import io
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from project import ROOT, Project, draw

from trackbed import cli
from trackbed.commands import new as new_command
from trackbed.creation.source_folder import Amount

STAGES = ROOT / "stages"


def new(folder, *arguments, **environment):
    """Exit code, standard output and standard error of `trackbed new` with these arguments."""
    done = subprocess.run(
        [sys.executable, "-m", "trackbed", "new", *map(str, arguments)],
        cwd=folder,
        env=Project(folder).environment | {"PYTHONPATH": str(STAGES)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of 36 pictures of 18 drives in three classes; do not change it."""
    return draw(tmp_path_factory.mktemp("source") / "Bilder für Gleise")


@pytest.fixture(scope="module")
def made(pictures, tmp_path_factory):
    """A new project with a copy of the pictures, and what the command printed; do not change it."""
    folder = tmp_path_factory.mktemp("made") / "mein Projekt"
    code, output, errors = new(folder.parent, folder.name, "--data", pictures)
    assert code == 0, errors
    project = Project(folder)
    project.output = output
    return project


def params(folder):
    return yaml.safe_load((folder / "params.yaml").read_text("utf-8"))


def error(capsys, *arguments):
    """The message of a call that is refused with exit code 2 or 3."""
    assert cli.main(["new", *map(str, arguments)]) in (2, 3)
    return capsys.readouterr().err


@pytest.fixture(autouse=True)
def committer(monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.com")


def test_everything_is_committed_in_two_commits(made):
    assert made.run("git", "status", "--porcelain") == ""
    assert made.run("git", "log", "--format=%s").splitlines() == [
        "Pictures and parameters of mein Projekt",
        "Files of trackbed 0.1.0",
    ]


def test_the_pipeline_is_there_without_our_results_and_tests(made):
    files = set(made.run("git", "ls-files").splitlines())
    assert {"dvc.yaml", "stages/train.py", "stages/trackbed/cli.py", "recipes/signs.yaml"} <= files
    assert {"Makefile", "requirements.lock", ".ci/venv", ".dvc/config", "docs/new.md"} <= files
    assert {"data/pictures.dvc", "README.md", "stages/trackbed/LICENSE"} <= files
    tops = {name.partition("/")[0] for name in files}
    assert not tops & {"tests", "benchmarks", "findings", "metrics", "dvc.lock", "setup.py"}
    assert not {"data/dvc.yaml", "data/dvc.lock", "stages/sample.py"} & files
    assert os.access(made.folder / ".ci/venv", os.X_OK)


def test_all_code_of_the_stages_is_there(made):
    listed = subprocess.run(
        ["git", "ls-files", "stages"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    wanted = {
        name for name in listed if not name.startswith(("stages/sample", "stages/trackbed/sample"))
    }
    found = set(made.run("git", "ls-files", "stages").split())
    assert wanted | {"stages/trackbed/VERSION", "stages/trackbed/LICENSE"} == found
    assert all((made.folder / name).read_bytes() == (ROOT / name).read_bytes() for name in wanted)


def test_params_hold_what_suits_the_pictures(made):
    values, ours = params(made.folder), params(ROOT)
    assert values["data"] == ours["data"] | {
        "source": "data/pictures",
        "group": "^([^_]+)_",
        "group_per_class": True,
    }
    assert values["train"] == ours["train"] | {"image_side": 32, "batch": 8, "epochs": 200}
    assert values["report"]["title"] == "mein Projekt"
    assert "  # Images per step.\n" in (made.folder / "params.yaml").read_text()


def test_reasons_and_next_commands_are_printed(made):
    assert "36 pictures in 3 classes\n" in made.output
    assert "18 groups of 36 pictures, counted anew in every class" in made.output
    assert re.search(r"\n  train.image_side +32 +the shorter side of half of the", made.output)
    assert "Next:\n  cd 'mein Projekt'\n" in made.output
    assert "  dvc repro" in made.output
    readme = (made.folder / "README.md").read_text("utf-8")
    assert readme.startswith("# mein Projekt\n")
    assert "| `train.image_side` | `32` | the shorter side of half of the pictures is 20" in readme


def test_the_links_of_the_readme_lead_to_files(made):
    for target in re.findall(r"\]\((?!http)([^)#]+)", (made.folder / "README.md").read_text()):
        assert (made.folder / target).exists(), target


def test_make_repro_would_install_the_locked_packages_and_run(made):
    commands = made.run("make", "--dry-run", "repro")
    assert "python .ci/install.py  requirements.lock\n" in commands
    assert "dvc repro" in commands
    named = re.findall(r"requirements-?\w*\.lock", (made.folder / "Makefile").read_text())
    assert len(named) > 5
    assert all((made.folder / name).exists() for name in named)


def test_dvc_keeps_one_copy_and_the_source_stays(made, pictures):
    original = pictures / "GRAS/000_0.png"
    copy = made.folder / "data/pictures/GRAS/000_0.png"
    assert copy.read_bytes() == original.read_bytes()
    assert original.stat().st_nlink == 1
    assert copy.stat().st_nlink == 2  # with that in DVC's cache
    assert made.run("dvc", "data", "status") == "No changes.\n"


def test_the_stages_are_those_of_the_pipeline_without_the_sample(made):
    listed = made.run("dvc", "stage", "list", "--all", "--name-only").split()
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert listed == [*stages, "data/pictures.dvc"]


def test_pictures_can_stay_where_they_are(pictures, tmp_path):
    code, output, _ = new(tmp_path, "p", "--data", pictures, "--link", "--group", "none")
    assert code == 0
    assert f"pictures: stay in {pictures} (36 files" in output
    assert params(tmp_path / "p")["data"]["source"] == str(pictures)
    assert params(tmp_path / "p")["data"]["group"] is None
    assert not (tmp_path / "p/data/pictures.dvc").exists()
    assert not (tmp_path / "p/.dvc/cache").exists()


def test_a_terminal_is_asked_for_groups(pictures, tmp_path):
    """In the current folder, which is empty."""
    above, below = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "trackbed", "new", ".", "--link", "--data", pictures],
        cwd=tmp_path,
        env=Project(tmp_path).environment | {"PYTHONPATH": str(STAGES)},
        stdin=below,
        stdout=below,
        stderr=below,
        start_new_session=True,
    )
    os.close(below)
    os.write(above, rb"^00(\d)_" + b"\n")
    text = b""
    while process.poll() is None or b"First results" not in text:
        try:
            text += os.read(above, 1024)
        except OSError:  # the other side is closed
            break
    assert process.wait() == 0, text
    assert b"Enter: use these groups." in text
    assert params(tmp_path)["data"]["group"] == r"^00(\d)_"


@pytest.mark.parametrize(
    ("size", "typed", "copied"),
    [(10**9, "\n", True), (10**9, "link\n", False), (10**9, "", True), (10**9 - 1, None, True)],
)
def test_a_terminal_is_asked_before_a_large_copy(size, typed, copied, monkeypatch, capsys):
    terminal = io.StringIO(typed)
    for stream in (terminal, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert new_command._may_copy(Amount(7, size)) == copied
    asked = "The pictures are 7 files, 1.0 GB. Enter: copy them once. 'link': use"
    assert (asked in capsys.readouterr().out) == (typed is not None)


REFUSED = {
    "no folder": (["p", "--data", "nowhere"], "--data nowhere: no such folder."),
    "a file": (["p", "--data", "file"], "--data file: not a folder; name the folder that holds"),
    "one class": (["p", "--data", "one"], "one: a single class, A; a classifier needs two or more"),
    "no class": (["p", "--data", "empty"], "empty: no class; a classifier needs two or more."),
    "no picture": (["p", "--data", "hollow"], "hollow: no picture of class 'A', 'B'."),
    "unreadable": (["p", "--data", "broken"], "broken: none of the 6 pictures that were looked"),
    "not empty": (["one", "--data", "good"], "one: not empty; it holds A. Name a new or an empty"),
    "inside": (["good/p", "--data", "good"], "good/p: inside the pictures good."),
    "in git": (["repository/p", "--data", "good"], "repository/p: inside the git repository"),
    "name": (["p\udcff", "--data", "good"], "unusable name, not UTF-8, or with control characters"),
    "links": (["p", "--data", "linked"], "linked: cannot become a project. `trackbed scan` lists"),
    "few groups": (["p", "--data", "good", "--group", "."], "classes with fewer groups than folds"),
    "pattern": (
        ["p", "--data", "good", "--group", "x"],
        "--group: 'x' does not match 24 of 24 file",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_clear_and_leaves_nothing(case, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, content in {"one/A/1.jpg": b"", "file": b"", "empty/readme.txt": b""}.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)
    for name in "AB":
        Path("hollow", name).mkdir(parents=True)
        Path("broken", name).mkdir(parents=True)
        for number in range(3):
            Path("broken", name, f"{number}.jpg").write_bytes(b"no picture")
    draw(Path("good"), ("A", "B"))
    shutil.copytree("good", "linked")
    Path("linked/A/link.png").symlink_to(tmp_path / "good/A/000_0.png")
    Path("repository/.git").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    arguments, message = REFUSED[case]
    text = error(capsys, *arguments)
    assert text.startswith("trackbed: ")
    assert message in text
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_to_the_pictures_may_be_named(pictures, tmp_path):
    (tmp_path / "link").symlink_to(pictures)
    code, _, errors = new(tmp_path, "p", "--data", "link", "--link", "--group", "none")
    assert (code, errors) == (0, "")
    assert params(tmp_path / "p")["data"]["source"] == str(pictures)


def test_another_repository_in_the_environment_is_refused(pictures, tmp_path):
    code, _, errors = new(tmp_path, "p", "--data", pictures, GIT_DIR=str(tmp_path / "other"))
    assert code == 2
    assert errors.startswith("trackbed: the variable GIT_DIR is set, so that git would use another")


def test_without_a_name_for_git_it_says_what_to_do(pictures, tmp_path):
    environment = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1"}
    environment |= {"GIT_CONFIG_KEY_0": "user.useConfigOnly", "GIT_CONFIG_VALUE_0": "true"}
    environment |= dict.fromkeys(
        [f"GIT_{role}_{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")], ""
    )
    code, _, errors = new(tmp_path, "p", "--data", pictures, **environment)
    assert code == 2
    assert errors.startswith("trackbed: git does not know your name, which every commit holds. Run")
    assert "`git config --global user.name" in errors
    assert not (tmp_path / "p").exists()


def test_ctrl_c_leaves_nothing(pictures, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "trackbed", "new", "p", "--data", pictures],
        cwd=tmp_path,
        env=Project(tmp_path).environment | {"PYTHONPATH": str(STAGES)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    while not (tmp_path / "p/.trackbed-new.partial/data/.gitignore").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert list(tmp_path.iterdir()) == []


def test_a_project_makes_no_other_project(made, tmp_path, pictures):
    """Its files may have been changed."""
    environment = {"PYTHONPATH": str(made.folder / "stages")}
    code, _, errors = new(tmp_path, "p", "--data", pictures, **environment)
    assert code == 2
    assert "this code belongs to a project, whose files may have been changed." in errors
