"""Damage in a small DVC project is found, and repaired."""

import json
import os
import re
from pathlib import Path

import pytest
from damage import (
    DAMAGE,
    PICTURES,
    assert_whole,
    cache,
    flip,
    listing,
    name,
    store,
)


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_in_the_cache_is_repaired(damaged_project, damage):
    damaged = cache(damaged_project) / name(PICTURES["a/2.jpg"])
    damage(damaged)
    if damage is not Path.unlink:
        assert not damaged_project.status()
    output = damaged_project.verify(code=1)
    assert f"copies/a/2.jpg: cache: {DAMAGE[damage]}. `trackbed verify --repair`." in output
    assert "1 NOT (cache 1) as recorded" in output
    output = damaged_project.verify("--repair")
    assert "repaired: copies/a/2.jpg: cache: from the workspace" in output
    assert damaged.stat().st_mode & 0o777 == 0o444  # DVC's mark of what it need not hash
    assert_whole(damaged_project)
    assert "all as recorded" in damaged_project.verify()


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_in_the_workspace_is_repaired_and_kept(damaged_project, damage):
    damaged = damaged_project.folder / "data/raw/a/2.jpg"
    damage(damaged)
    before = damaged.read_bytes() if damaged.exists() else None
    output = damaged_project.verify(code=1)
    assert f"data/raw/a/2.jpg: workspace: {DAMAGE[damage]}." in output
    damaged_project.verify("--repair")
    assert_whole(damaged_project)
    kept = damaged_project.folder / ".cache/verify/data/raw/a/2.jpg"
    assert (kept.read_bytes() if kept.exists() else None) == before
    flip(damaged)
    damaged_project.verify("--repair")
    assert kept.with_name("2.jpg.1" if before is not None else "2.jpg").exists()


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_in_the_remote_is_repaired_on_request(damaged_project, damage):
    damaged = store(damaged_project) / name(PICTURES["a/2.jpg"])
    damage(damaged)
    assert "all as recorded" in damaged_project.verify()
    assert "all as recorded" in damaged_project.verify("--repair")
    output = damaged_project.verify("--remote", "store", code=1)
    assert f"copies/a/2.jpg: remote: {DAMAGE[damage]}. `trackbed verify --repair --rem" in output
    output = damaged_project.verify("--repair", "--remote")
    assert "repaired: copies/a/2.jpg: remote: from the cache" in output
    assert damaged.read_bytes() == PICTURES["a/2.jpg"]
    assert "all as recorded" in damaged_project.verify("--remote")


def test_folder_lists_are_the_last_written_to_the_remote(damaged_project):
    """DVC takes a folder for complete if the remote storage has its list."""
    pictures = [name(content) for content in PICTURES.values()]
    for path in (listing(damaged_project), *pictures):
        (store(damaged_project) / path).unlink()
    output = damaged_project.verify("--repair", "--remote")
    paths = re.findall(r"repaired: (\S+): remote:", output)
    assert {*paths} >= {"copies/", *(f"copies/{path}" for path in PICTURES)}
    assert paths == sorted(paths, key=lambda path: path.endswith("/"))


def test_an_object_of_two_outputs_is_fetched_from_either_storage(damaged_project):
    (damaged_project.folder.parent / "empty").mkdir()
    damaged_project.run("dvc", "remote", "add", "empty", damaged_project.folder.parent / "empty")
    stages = damaged_project.folder / "dvc.yaml"
    stages.write_text(stages.read_text().replace("[copies,", "[copies: {remote: empty},"))
    picture = name(PICTURES["a/1.jpg"])
    for path in (cache(damaged_project) / picture, *damaged_project.folder.glob("*/**/a/1.jpg")):
        flip(path)
    output = damaged_project.verify("--repair")
    assert "repaired: copies/a/1.jpg: cache: from the remote storage" in output
    assert_whole(damaged_project)


def test_a_hard_link_into_the_cache_is_restored_from_remote(damaged_project):
    model, held = (
        damaged_project.folder / "model.bin",
        cache(damaged_project) / name(b"model" * 200),
    )
    model.unlink()
    model.hardlink_to(held)
    flip(model)
    output = damaged_project.verify(code=1)
    assert "`trackbed verify --repair` fetches it if the remote storage has it" in output
    output = damaged_project.verify("--repair")
    assert "repaired: model.bin: cache: from the remote storage" in output
    assert_whole(damaged_project)


def test_a_damaged_folder_list_is_made_again(damaged_project):
    for damage in (flip, Path.unlink):
        damage(cache(damaged_project) / listing(damaged_project))
        damaged_project.verify("--repair")
        assert_whole(damaged_project)
    # Not even from the workspace: one of its files is gone.
    flip(cache(damaged_project) / listing(damaged_project))
    (damaged_project.folder / "data/raw/b/1.jpg").unlink()
    (damaged_project.folder / "copies/b/1.jpg").unlink()
    output = damaged_project.verify(code=1)
    assert "copies/: cache: altered." in output
    damaged_project.verify("--repair")
    assert_whole(damaged_project)


def test_a_file_without_a_good_copy_is_made_by_its_stage(damaged_project):
    model = damaged_project.folder / "model.bin"
    for path in (model, cache(damaged_project) / name(b"model" * 200)):
        flip(path)
    (store(damaged_project) / name(b"model" * 200)).unlink()
    output = damaged_project.verify("--remote", code=1)
    remedy = "`trackbed verify --repair`, then `dvc repro -f copy`."
    assert f"model.bin: cache: altered. No place has it as recorded: {remedy}" in output
    output = damaged_project.verify("--repair", "--remote", code=1)
    assert "NOT repaired: model.bin: cache" in output
    assert len(list((damaged_project.folder / ".cache/verify/cache").iterdir())) == 1
    damaged_project.run("dvc", "repro", "-f", "copy")
    assert_whole(damaged_project)


def test_dvc_alone_would_reuse_a_damaged_object(damaged_project):
    # The reason why --repair moves an object away that it cannot make anew.
    flip(cache(damaged_project) / name(b"model" * 200))
    damaged_project.run("dvc", "repro", "-f", "copy")
    damaged_project.run("dvc", "checkout", "--force", "--relink")
    assert (damaged_project.folder / "model.bin").read_bytes() != b"model" * 200


def test_nothing_is_repaired_while_dvc_is_running(damaged_project):
    from dvc.lock import make_lock

    flip(damaged_project.folder / "model.bin")
    damaged = (damaged_project.folder / "model.bin").read_bytes()
    with make_lock(
        damaged_project.folder / ".dvc/tmp/lock", tmp_dir=damaged_project.folder / ".dvc/tmp"
    ):
        assert "DVC is at work here" in damaged_project.verify("--repair", code=2)
    # While the command of a stage runs DVC gives the lock back, and keeps this.
    stage = {
        "write": {str(damaged_project.folder / "copies"): {"pid": os.getppid(), "cmd": "dvc repro"}}
    }
    (damaged_project.folder / ".dvc/tmp/rwlock").write_text(json.dumps(stage))
    assert "DVC is at work here" in damaged_project.verify("--repair", code=2)
    assert (damaged_project.folder / "model.bin").read_bytes() == damaged
