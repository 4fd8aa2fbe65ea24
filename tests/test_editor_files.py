"""What editors, pre-commit and development containers read agrees with the rest of the project."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
CONTAINER = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf-8"))
EXTENSIONS = json.loads((ROOT / ".vscode/extensions.json").read_text("utf-8"))["recommendations"]


def locked(package):
    text = (ROOT / "requirements-dev.lock").read_text("utf-8")
    found = re.search(rf"^{package}==(\S+)", text, flags=re.MULTILINE)
    return found and found[1]


def test_hooks_are_pinned_to_the_versions_of_the_lock():
    needed = {one for hook in HOOKS for one in hook.get("additional_dependencies", [])}
    pinned = dict(one.split("==") for one in needed)
    assert pinned.keys() == {"ruff", "check-jsonschema", "pre-commit-hooks"}
    for package in ("ruff", "check-jsonschema"):
        assert pinned[package] == locked(package)


@pytest.mark.parametrize(("optimizer", "code"), [("adamw", 0), ("adm", 1)])
def test_the_hook_for_params_checks_them(optimizer, code, tmp_path):
    (hook,) = [hook for hook in HOOKS if hook["id"] == "params"]
    for name in ("params.yaml", "params.schema.json"):
        text = (ROOT / name).read_text("utf-8")
        text = text.replace("\n  optimizer: adamw\n", f"\n  optimizer: {optimizer}\n")
        (tmp_path / name).write_text(text, "utf-8")
    program, *arguments = hook["entry"].split()
    command = [Path(sys.executable).parent / program, *arguments]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == code


def test_hooks_leave_alone_what_stages_and_others_write():
    excluded = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["exclude"]
    for name in ("metrics/evaluate.json", "dvc.lock", "data/dvc.lock", "stages/a/vendor/b.min.js"):
        assert re.search(excluded, name), name
    assert not re.search(excluded, "params.yaml")


def test_the_container_has_the_recommended_extensions_and_installs():
    assert CONTAINER["customizations"]["vscode"]["extensions"] == EXTENSIONS
    assert CONTAINER["postCreateCommand"] == "make install"
    assert re.fullmatch(r"mcr\.microsoft\.com/devcontainers/python:3\.\d+-\w+", CONTAINER["image"])
