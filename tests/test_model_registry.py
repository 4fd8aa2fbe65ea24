"""The commands of docs/registry.md register, promote, fetch and roll back a model."""

import json
import re
import shutil
import time
from pathlib import Path

import pytest
import storages
import yaml
from project import Project

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
ADDRESS = "git@git.example.com:team/trackbed.git"
RUN = {"Register and promote", "Fetch it elsewhere", "Roll back"}


def sections():
    """Heading -> its blocks of shell commands."""
    found = {}
    for part in re.split(r"^## ", (ROOT / "docs/registry.md").read_text("utf-8"), flags=re.M)[1:]:
        heading, _, text = part.partition("\n")
        if blocks := re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
            found[heading] = blocks
    return found


def shell(project, commands, succeeds=True):
    return project.run("bash", "-euc", commands, succeeds=succeeds)


@pytest.fixture(scope="module")
def workstation(finished, tmp_path_factory):
    """The finished project with a storage and a git server, both folders, all pushed."""
    folder = tmp_path_factory.mktemp("registry")
    shutil.copytree(finished.folder, folder / "workstation", symlinks=True)
    project = Project(folder / "workstation")
    project.run("dvc", "remote", "add", "-q", "-d", "store", folder / "store")
    project.run("dvc", "remote", "modify", "-q", "store", "verify", "true")
    project.commit("a storage")
    project.run("git", "clone", "-q", "--bare", project.folder, folder / "trackbed.git")
    project.run("git", "remote", "add", "origin", folder / "trackbed.git")
    project.run("git", "fetch", "-q", "origin")
    project.run("git", "branch", "-q", "--set-upstream-to=origin/main", "main")
    return project


@pytest.fixture(scope="module")
def promoted(workstation):
    """The output of the commands that register and promote the first version."""
    (commands,) = sections()["Register and promote"]
    return shell(workstation, commands)


def elsewhere(workstation, folder):
    """A machine with nothing but pictures."""
    folder.mkdir()
    shutil.copytree(workstation.folder / "data/raw", folder / "pictures")
    return Project(folder)


def fetching(workstation):
    server = workstation.folder.with_name("trackbed.git")
    return [block.replace(ADDRESS, str(server)) for block in sections()["Fetch it elsewhere"]]


def exported(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_block_of_the_document_is_run_here():
    assert set(sections()) == RUN
    assert [len(blocks) for blocks in sections().values()] == [1, 4, 1]


def test_the_artifact_is_what_the_stage_exports():
    described = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    assert described["artifacts"]["model"]["path"] in described["stages"]["export"]["outs"]


def test_a_promoted_model_predicts_elsewhere(workstation, promoted, tmp_path):
    shown = re.findall(r"│ model +│ v1\.0\.0 +│ v1\.0\.0", promoted)
    assert len(shown) == 1
    by_stage, _, by_branch, by_clone = fetching(workstation)
    machine = elsewhere(workstation, tmp_path / "machine")
    shell(machine, by_stage)
    expected = exported(workstation.folder / "exported")
    assert exported(machine.folder / "model") == expected
    rows = (machine.folder / "answers.csv").read_text().splitlines()
    assert len(rows) == 1 + 36  # 3 classes of 6 groups of 2 frames; the empty file is rejected
    shutil.rmtree(machine.folder / "model")
    shell(machine, by_branch)
    assert exported(machine.folder / "model") == expected
    shell(machine, by_clone)
    assert exported(machine.folder / "trackbed/exported") == expected


def test_a_stage_serves_the_version_that_was_assigned_last(workstation, promoted, tmp_path):
    first = exported(workstation.folder / "exported")
    path = workstation.folder / "exported/model.json"
    changed = json.dumps(json.loads(path.read_text()) | {"network": "another"})
    path.unlink()
    path.write_text(changed)
    workstation.run("dvc", "commit", "-q", "-f", "export")
    workstation.commit("another model")
    (commands,) = sections()["Register and promote"]
    time.sleep(1.1)  # tags are ordered by the second
    shell(workstation, commands.replace("v1.0.0", "v1.1.0"))

    by_stage, replacing, *_ = fetching(workstation)
    machine = elsewhere(workstation, tmp_path / "machine")
    shell(machine, by_stage)
    assert (machine.folder / "model/model.json").read_text() == changed
    (rolling_back,) = sections()["Roll back"]
    time.sleep(1.1)
    shell(workstation, rolling_back)
    shell(machine, replacing)
    assert exported(machine.folder / "model") == first
    versions = [
        workstation.run("gto", *command, "--version").strip()
        for command in (
            ("show", "model#prod"),
            ("show", "model@latest"),
            ("check-ref", "model#prod#2"),
        )
    ]
    assert versions == ["v1.0.0", "v1.1.0", "v1.1.0"]


def test_a_model_that_was_altered_in_the_storage_is_refused(workstation, promoted, tmp_path):
    commands = fetching(workstation)[0].replace("--stage prod", "--rev v1.0.0")
    machine = elsewhere(workstation, tmp_path / "machine")
    shell(machine, commands)
    content = (machine.folder / "model/model.onnx").read_bytes()
    store = workstation.folder.with_name("store")
    (stored,) = [p for p in store.rglob("*") if p.is_file() and p.read_bytes() == content]
    storage = storages.in_folder(store)
    storage.write(str(stored.relative_to(store)), content[:-1] + b"!")
    shutil.rmtree(workstation.folder / ".dvc/cache")
    shutil.rmtree(machine.folder / "model")
    output = shell(machine, commands, succeeds=False)
    assert "model/model.onnx: differs from its digest in model.json" in output
