"""Stages of the pipeline, run as `dvc repro` runs them, in a folder of their own."""

import contextlib
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def create(
    folder: Path, pictures: Path, *, recipe: str | None = None, **changes: dict[str, Any]
) -> None:
    """A folder with params.yaml and the code; `changes` are keys by section.

    `recipe` is the name of one, such as signs; its values come before the changes.
    """
    import yaml

    folder.mkdir(parents=True, exist_ok=True)
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    overlay = yaml.safe_load((ROOT / "recipes" / f"{recipe}.yaml").read_text()) if recipe else {}
    given = {"data": {"source": str(pictures), "classes": None, "group": None}}
    for section, keys in [*overlay.items(), *given.items(), *changes.items()]:
        values[section] |= keys
    (folder / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    (folder / "stages").symlink_to(ROOT / "stages")


def run(folder: Path, *stages: str) -> None:
    """Run the commands that dvc.yaml gives for the stages, one after the other."""
    for name in stages:
        subprocess.run([sys.executable, *_arguments(name)], cwd=folder, check=True)


def run_here(folder: Path, stage: str) -> None:
    """Run the script of a stage in this process, where a second run finds everything imported."""
    script, *paths = _arguments(stage)
    before = sys.argv
    sys.argv = [script, *paths]
    try:
        with inside(folder):
            runpy.run_path(script, run_name="__main__")
    finally:
        sys.argv = before


def inside(folder: Path) -> contextlib.AbstractContextManager[None]:
    """The folder as the current one."""
    return contextlib.chdir(folder)


def _arguments(stage: str) -> list[str]:
    import yaml

    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    program, *arguments = shlex.split(pipeline[stage]["cmd"])
    if program != "python":
        raise ValueError(f"dvc.yaml, {stage}: cmd begins with {program}, not with python")
    return arguments
