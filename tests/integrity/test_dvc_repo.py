"""DVC's view of a small project, see damage.py."""

import contextlib
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from damage import PICTURES, cache, flip, listing, name

from trackbed.integrity import dvc_lock, dvc_repo
from trackbed.pipeline.errors import Damaged, UserError


@pytest.fixture
def repo(damaged_project, monkeypatch):
    monkeypatch.chdir(damaged_project.folder)
    with dvc_repo.repository() as repo:
        yield repo


def test_the_outputs_of_stages_and_of_dvc_add(repo):
    raw, copies, model, score = sorted(
        dvc_repo.outputs(repo), key=lambda one: one.path != "data/raw"
    )
    assert (raw.stage, raw.made, raw.cached, raw.is_folder) == ("data/raw.dvc", False, True, True)
    assert raw.files == tuple(PICTURES)
    assert (copies.path, copies.stage, copies.made, copies.md5) == ("copies", "copy", True, raw.md5)
    assert (model.path, model.size, model.is_folder, model.files) == ("model.bin", 1000, False, ())
    assert model.md5 == hashlib.md5(b"model" * 200).hexdigest()
    assert (score.path, score.cached) == ("score.json", False)


def test_an_object_of_the_cache_is_checked(repo, damaged_project):
    md5 = hashlib.md5(PICTURES["a/1.jpg"]).hexdigest()
    assert dvc_repo.cached_object(repo, md5) == PICTURES["a/1.jpg"]
    assert dvc_repo.cached_object(repo, "0" * 32) is None
    folder = next(one.md5 for one in dvc_repo.outputs(repo) if one.path == "copies")
    assert set(dvc_lock.parse_listing(dvc_repo.cached_object(repo, folder))) == set(PICTURES)
    flip(cache(damaged_project) / name(PICTURES["a/1.jpg"]))
    flip(cache(damaged_project) / listing(damaged_project))
    for damaged in (md5, folder):
        with pytest.raises(Damaged, match="not as DVC wrote it"):
            dvc_repo.cached_object(repo, damaged)


def test_a_clone_gets_the_cache_and_local_settings(repo, damaged_project, tmp_path):
    damaged_project.run("dvc", "config", "--local", "core.checksum_jobs", "1")
    damaged_project.run("git", "clone", "-q", ".", tmp_path / "clone")
    dvc_repo.write_local_settings(tmp_path / "clone")
    with contextlib.chdir(tmp_path / "clone"), dvc_repo.repository() as clone:
        assert clone.cache.local_cache_dir == repo.cache.local_cache_dir
        assert clone.config["core"]["checksum_jobs"] == 1


def test_a_folder_without_dvc_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="not inside of a DVC repository"), dvc_repo.repository():
        pass


@pytest.fixture
def projects(tmp_path, monkeypatch):
    """A folder, and a project beside it with folders of all kinds."""
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "project"
    for place in ("../outside", "tracked", "ignored/in", "skipped", "data/raw/A", "new"):
        (project / place).mkdir(parents=True)
        (project / place / "1.png").write_text(place)
    (project / ".gitignore").write_text("/ignored/*\n/skipped\n/new\n/data/raw\n")
    monkeypatch.chdir(project)
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"], ["git", "add", "-A"]):
        program = [command[0]] if command[0] == "git" else [sys.executable, "-m", "dvc"]
        subprocess.run([*program, *command[1:]], check=True, capture_output=True)
    (project / ".dvcignore").write_text("/skipped\n")
    (project / "data/raw.dvc").write_text(f"outs:\n- md5: {'0' * 32}.dir\n  path: raw\n")
    return project


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("../outside", "outside of the project"),
        ("tracked", "tracked by git"),
        ("ignored/in", "ignored by git"),
        ("skipped", "ignored by .dvcignore"),
        ("data/raw/A", "DVC already tracks data/raw"),
        (".", "holds the project itself"),
        ("new", None),
        ("data/raw", None),
    ],
)
def test_what_dvc_add_refuses_is_said_before(projects, folder, reason):
    found = dvc_repo.add_refusals(Path(folder))
    assert reason in found[0] if reason else not found, found
    command = [sys.executable, "-m", "dvc", "add", "-q", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode == 0) == (reason is None), done.stderr
