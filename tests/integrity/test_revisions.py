"""Files and outputs of commits of a small project, see damage.py."""

import shutil
from pathlib import Path

import pytest
from damage import PICTURES, cache, flip, listing, name, store

from trackbed.integrity import dvc_repo, git, revisions
from trackbed.pipeline.errors import Damaged, UserError

PICTURE = Path("copies/a/1.jpg")


@pytest.fixture
def repo(damaged_project, monkeypatch):
    monkeypatch.chdir(damaged_project.folder)
    with dvc_repo.repository() as repo:
        yield repo


def test_a_file_comes_from_git_cache_or_storage(repo, damaged_project):
    shutil.rmtree(damaged_project.folder / "copies")
    assert revisions.file_text(Path("score.json"), "HEAD") == "{}\n"
    assert revisions.file_text(PICTURE, "HEAD") == PICTURES["a/1.jpg"].decode()
    shutil.rmtree(cache(damaged_project))
    assert revisions.file_text(PICTURE, "main") == PICTURES["a/1.jpg"].decode()


def test_a_file_that_no_place_has_is_an_error_with_ways_out(repo, damaged_project):
    shutil.rmtree(cache(damaged_project))
    (store(damaged_project) / name(PICTURES["a/1.jpg"])).unlink()
    with pytest.raises(UserError, match="neither in DVC's cache nor in the remote storage") as one:
        revisions.file_text(PICTURE, "HEAD")
    assert f"`git checkout {git.commit()[:10]} && dvc repro`" in str(one.value)
    shutil.move(store(damaged_project), store(damaged_project).with_name("unmounted"))
    with pytest.raises(UserError, match="Is it mounted"):
        revisions.file_text(PICTURE, "HEAD")
    damaged_project.run("dvc", "remote", "remove", "store")
    with pytest.raises(UserError, match=r"not in DVC's cache, and there is no remote storage"):
        revisions.file_text(PICTURE, "HEAD")


def test_a_damaged_copy_is_never_used(repo, damaged_project):
    flip(cache(damaged_project) / name(PICTURES["a/1.jpg"]))
    with pytest.raises(Damaged, match="not as DVC wrote it"):
        revisions.file_text(PICTURE, "HEAD")
    (cache(damaged_project) / name(PICTURES["a/1.jpg"])).unlink()
    flip(store(damaged_project) / name(PICTURES["a/1.jpg"]))
    with pytest.raises(Damaged, match="remote storage store: the object"):
        revisions.file_text(PICTURE, "HEAD")


def test_what_a_revision_never_had_is_an_error(repo):
    with pytest.raises(UserError, match=r"nothing\.txt of HEAD: the revision has none"):
        revisions.file_text(Path("nothing.txt"), "HEAD")
    with pytest.raises(UserError, match="made by code that did not write it"):
        revisions.file_text(Path("copies/a/3.jpg"), "HEAD")
    with pytest.raises(UserError, match=r"origin/main: no commit, branch, .* `git fetch` brings"):
        revisions.file_text(Path("score.json"), "origin/main")


def test_the_outputs_of_a_commit_are_those_of_its_dvc_files(repo):
    recorded = revisions.recorded_outputs("HEAD")
    assert sorted(recorded) == ["copies", "data/raw", "model.bin", "score.json"]
    assert recorded["copies"] == recorded["data/raw"]


def test_missing_outputs_are_found_by_file(repo, damaged_project):
    assert revisions.missing(repo, "HEAD") == {}
    (cache(damaged_project) / name(b"model" * 200)).unlink()
    assert sorted(revisions.missing(repo, "HEAD")) == ["model.bin"]
    (cache(damaged_project) / name(PICTURES["b/1.jpg"])).unlink()
    assert sorted(revisions.missing(repo, "HEAD")) == ["copies", "data/raw", "model.bin"]
    (cache(damaged_project) / listing(damaged_project)).unlink()
    assert sorted(revisions.missing(repo, "HEAD")) == ["copies", "data/raw", "model.bin"]


def test_missing_outputs_are_fetched_or_refused(repo, damaged_project):
    shutil.rmtree(cache(damaged_project) / "files")
    with pytest.raises(
        UserError, match=r"^copies, data/raw, model\.bin: in the workspace, but not"
    ):
        revisions.refuse_losses(repo)
    revisions.refuse_incomplete(repo, git.commit(), "HEAD")
    assert revisions.missing(repo, "HEAD") == {}
    for folder in (cache(damaged_project), store(damaged_project)):
        (folder / name(b"model" * 200)).unlink()
    with pytest.raises(UserError, match=r"^HEAD: model\.bin is neither in .* Nothing was changed"):
        revisions.refuse_incomplete(repo, git.commit(), "HEAD")


def test_data_changed_by_hand_are_listed(repo, damaged_project):
    assert revisions.changed_data(repo) == []
    for path in ("data/raw/new.jpg", "copies/new.jpg"):
        (damaged_project.folder / path).touch()
    assert revisions.changed_data(repo) == ["data/raw"]
