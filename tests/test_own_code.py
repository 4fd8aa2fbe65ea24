"""The installed program runs the code of the project in the current folder."""

import subprocess
import sys
from pathlib import Path

import pytest

STAGES = Path(__file__).parents[1] / "stages"


@pytest.fixture
def project(tmp_path):
    """A folder with another package of the name trackbed, as a project has its own."""
    package = tmp_path / "stages/trackbed"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "VERSION").write_text("0.0.1\n")
    (package / "cli.py").write_text(
        "def main():\n    print('the code of the project')\n    return 7\n"
    )
    return tmp_path


def program(folder, *arguments):
    """Exit code and standard output of the installed program."""
    code = f"import sys; sys.path.insert(0, {str(STAGES)!r})\n"
    code += "from trackbed.own_code import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("arguments", [("predict", "new/"), ("--version",), ()])
def test_in_a_project_its_own_code_runs(project, arguments):
    assert program(project, *arguments) == (7, "the code of the project\n")


def test_files_of_the_installed_version_come_from_there(project):
    for command in ("new", "update"):
        code, text = program(project, command, "--help")
        assert code == 0
        assert text.startswith(f"usage: trackbed {command}")


def test_elsewhere_the_installed_code_runs(project):
    (project / "stages/trackbed/VERSION").unlink()
    code, text = program(project, "recipe", "--help")
    assert code == 0
    assert text.startswith("usage: trackbed recipe")
