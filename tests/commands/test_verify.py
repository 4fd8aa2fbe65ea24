"""`trackbed verify` in a real, small DVC repository: damage is found, and repaired."""

import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
import storages
import yaml
from dvc.repo import Repo
from project import Project

from trackbed import cli

PICTURES = {"a/1.jpg": b"first" * 100, "a/2.jpg": b"second" * 100, "b/1.jpg": b"third" * 100}
STAGES = """\
stages:
  copy:
    cmd: python copy_all.py
    deps: [data/raw]
    outs: [copies, model.bin]
    metrics:
      - score.json:
          cache: false
"""
COPY = """\
import shutil
shutil.copytree("data/raw", "copies")
open("model.bin", "wb").write(b"model" * 200)
open("score.json", "w").write("{}\\n")
"""


def build(folder):
    for name, content in PICTURES.items():
        (folder / "data/raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data/raw" / name).write_bytes(content)
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "copy_all.py").write_text(COPY)
    (folder / ".gitignore").write_text("/.cache/\n")
    project = Project(folder)
    project.run("git", "init", "-q", "-b", "main")
    project.run("dvc", "init", "-q")
    project.run("dvc", "add", "-q", "data/raw")
    project.run("dvc", "repro", "-q")
    project.run("dvc", "remote", "add", "-q", "-d", "store", folder.parent / "store")
    project.commit()
    project.run("dvc", "push", "-q")
    return project


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("built") / "project").folder.parent


class Copy(Project):
    """A copy of the project, in which the program runs in this process: that takes no start."""

    def __init__(self, folder, capsys):
        super().__init__(folder)
        self.capsys = capsys

    def verify(self, *arguments, code=0):
        with contextlib.chdir(self.folder):
            exit_code = cli.main(["verify", *arguments])
        told = "".join(self.capsys.readouterr())
        assert exit_code == code, told
        return told

    def status(self):
        """What `dvc status` would tell; nothing if all is up to date."""
        with contextlib.chdir(self.folder), Repo() as repo:
            return repo.status()


@pytest.fixture
def project(built, tmp_path, capsys):
    """The project and its storage at ../store, as they were built."""
    shutil.copytree(built, tmp_path / "copy", symlinks=True)
    config = tmp_path / "copy/project/.dvc/config"
    config.write_text(config.read_text().replace(str(built), str(tmp_path / "copy")))
    return Copy(tmp_path / "copy/project", capsys)


def name(content):
    md5 = hashlib.md5(content).hexdigest()
    return f"files/md5/{md5[:2]}/{md5[2:]}"


def listing(project):
    md5 = yaml.safe_load((project.folder / "data/raw.dvc").read_text())["outs"][0]["md5"]
    return f"files/md5/{md5[:2]}/{md5[2:]}"


def cache(project):
    return project.folder / ".dvc/cache"


def store(project):
    return project.folder.parent / "store"


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    overwrite(path, bytes(content))


def cut(path):
    overwrite(path, path.read_bytes()[:7])


def empty(path):
    overwrite(path, b"")


def overwrite(path, content):
    """As a failing disk does it: neither the mode nor the times change."""
    before = path.stat()
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(before.st_mode)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def assert_whole(project):
    for folder in ("data/raw", "copies"):
        for path, content in PICTURES.items():
            assert (project.folder / folder / path).read_bytes() == content
    assert (project.folder / "model.bin").read_bytes() == b"model" * 200
    for content in (*PICTURES.values(), b"model" * 200):
        assert (cache(project) / name(content)).read_bytes() == content
    assert not project.status()


def test_nothing_is_told_of_what_is_as_recorded(project):
    told = project.verify("--remote")
    # Three pictures twice, two lists, the model; the score lies in git alone.
    assert "checked: 4 outputs; files: cache 9, remote 9, workspace 8" in told
    assert "all as recorded" in told


DAMAGE = {flip: "altered", cut: "cut: 7 of 600 bytes", empty: "cut: 0 of 600 bytes"}
DAMAGE[Path.unlink] = "missing"


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_in_the_cache_that_dvc_believes_is_found_and_repaired(project, damage):
    damaged = cache(project) / name(PICTURES["a/2.jpg"])
    damage(damaged)
    if damage is not Path.unlink:
        assert not project.status()
    told = project.verify(code=1)
    assert f"copies/a/2.jpg: cache: {DAMAGE[damage]}. `trackbed verify --repair`." in told
    assert "1 NOT (cache 1) as recorded" in told
    told = project.verify("--repair")
    assert "repaired: copies/a/2.jpg: cache: from the workspace" in told
    assert damaged.stat().st_mode & 0o777 == 0o444  # DVC's mark of what it need not hash
    assert_whole(project)
    assert "all as recorded" in project.verify()


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_in_the_workspace_is_repaired_and_what_was_there_is_kept(project, damage):
    damaged = project.folder / "data/raw/a/2.jpg"
    damage(damaged)
    before = damaged.read_bytes() if damaged.exists() else None
    told = project.verify(code=1)
    assert f"data/raw/a/2.jpg: workspace: {DAMAGE[damage]}." in told
    project.verify("--repair")
    assert_whole(project)
    kept = project.folder / ".cache/verify/data/raw/a/2.jpg"
    assert (kept.read_bytes() if kept.exists() else None) == before
    flip(damaged)
    project.verify("--repair")
    assert kept.with_name("2.jpg.1" if before is not None else "2.jpg").exists()


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_in_the_remote_storage_is_found_and_repaired_on_request(project, damage):
    damaged = store(project) / name(PICTURES["a/2.jpg"])
    damage(damaged)
    assert "all as recorded" in project.verify()
    assert "all as recorded" in project.verify("--repair")
    told = project.verify("--remote", "store", code=1)
    assert f"copies/a/2.jpg: remote: {DAMAGE[damage]}. `trackbed verify --repair --rem" in told
    told = project.verify("--repair", "--remote")
    assert "repaired: copies/a/2.jpg: remote: from the cache" in told
    assert damaged.read_bytes() == PICTURES["a/2.jpg"]
    assert "all as recorded" in project.verify("--remote")


def test_a_damaged_inode_of_cache_and_workspace_comes_back_from_the_remote(project):
    model, held = project.folder / "model.bin", cache(project) / name(b"model" * 200)
    model.unlink()
    model.hardlink_to(held)
    flip(model)
    told = project.verify(code=1)
    assert "`trackbed verify --repair` fetches it if the remote storage has it" in told
    told = project.verify("--repair")
    assert "repaired: model.bin: cache: from the remote storage" in told
    assert_whole(project)


def test_the_list_of_a_folder_is_checked_and_made_again(project):
    for damage in (flip, Path.unlink):
        damage(cache(project) / listing(project))
        project.verify("--repair")
        assert_whole(project)
    # Not even from the workspace: one of its files is gone.
    flip(cache(project) / listing(project))
    (project.folder / "data/raw/b/1.jpg").unlink()
    (project.folder / "copies/b/1.jpg").unlink()
    told = project.verify(code=1)
    assert "copies/: cache: altered." in told
    project.verify("--repair")
    assert_whole(project)


def test_what_no_place_holds_is_named_with_its_stage_which_then_makes_it(project):
    model = project.folder / "model.bin"
    for path in (model, cache(project) / name(b"model" * 200)):
        flip(path)
    (store(project) / name(b"model" * 200)).unlink()
    told = project.verify("--remote", code=1)
    remedy = "`trackbed verify --repair`, then `dvc repro -f copy`."
    assert f"model.bin: cache: altered. No place has it as recorded: {remedy}" in told
    told = project.verify("--repair", "--remote", code=1)
    assert "NOT repaired: model.bin: cache" in told
    assert len(list((project.folder / ".cache/verify/cache").iterdir())) == 1
    project.run("dvc", "repro", "-f", "copy")
    assert_whole(project)


def test_dvc_alone_would_take_a_damaged_object_for_what_the_stage_makes(project):
    # The reason why --repair moves an object away that it cannot make anew.
    flip(cache(project) / name(b"model" * 200))
    project.run("dvc", "repro", "-f", "copy")
    project.run("dvc", "checkout", "--force", "--relink")
    assert (project.folder / "model.bin").read_bytes() != b"model" * 200


def test_a_file_that_no_list_has_is_told_of_and_left_alone(project):
    new = project.folder / "data/raw/a/new.jpg"
    new.write_bytes(b"new")
    (project.folder / "copies/\x1b[2Jx").write_bytes(b"new")
    told = project.verify("--repair", code=1)
    assert "data/raw/a/new.jpg: workspace: not listed. If it belongs there, `dvc add data" in told
    assert "\x1b" not in told
    assert new.exists()


def test_a_result_in_git_is_checked_in_the_workspace_alone(project):
    (project.folder / "score.json").write_text('{"f1": 1}\n')
    told = project.verify("--repair", code=1)
    assert "score.json: workspace: altered. `git checkout -- score.json` if git has it" in told
    (project.folder / "score.json").unlink()
    assert "score.json: workspace: missing. `git checkout" in project.verify(code=1)


def test_a_clone_that_pulled_nothing_or_little_is_not_damaged(project, tmp_path):
    project.commit("the storage of this copy")
    project.run("git", "clone", "-q", project.folder, tmp_path / "clone")
    clone = Copy(tmp_path / "clone", project.capsys)
    told = clone.verify(code=2)
    assert "copies: neither here nor in the cache. `dvc pull copies`" in told
    told = clone.verify("--remote")
    assert "data/raw: 4 files not here. `dvc pull data/raw` if it is needed." in told
    clone.run("dvc", "pull", "-q", "model.bin")
    flip(clone.folder / "model.bin")
    assert "1 repaired" in clone.verify("--remote", "--repair")
    assert not (clone.folder / "copies").exists()
    (store(project) / name(PICTURES["b/1.jpg"])).unlink()
    told = clone.verify("--remote", code=1)
    assert "copies/b/1.jpg: workspace: missing. No place has it: `dvc repro -f copy`." in told


def test_where_it_cannot_tell_it_says_why(project):
    assert "trackbed: remote storage nowhere: " in project.verify("--remote", "nowhere", code=2)
    store(project).rename(store(project).with_name("unmounted"))
    told = project.verify("--remote", code=2)
    assert "Is it mounted" in told
    project.run("dvc", "remote", "default", "--unset")
    assert "none is the default" in project.verify("--remote", code=2)
    (project.folder / "dvc.lock").unlink()
    told = project.verify(code=2)
    assert "no record of copies, model.bin, score.json: `dvc repro` was not run" in told
    (project.folder / "data/raw.dvc").unlink()
    assert "trackbed: dvc.lock: nothing is recorded" in project.verify(code=2)
    (project.folder / "dvc.yaml").write_text("stages: [")
    assert project.verify(code=2).startswith("trackbed: ")


def test_nothing_is_repaired_while_dvc_is_at_work(project):
    from dvc.lock import make_lock

    flip(project.folder / "model.bin")
    damaged = (project.folder / "model.bin").read_bytes()
    with make_lock(project.folder / ".dvc/tmp/lock", tmp_dir=project.folder / ".dvc/tmp"):
        assert "DVC is at work here" in project.verify("--repair", code=2)
    # While the command of a stage runs DVC gives the lock back, and keeps this.
    stage = {"write": {str(project.folder / "copies"): {"pid": os.getppid(), "cmd": "dvc repro"}}}
    (project.folder / ".dvc/tmp/rwlock").write_text(json.dumps(stage))
    assert "DVC is at work here" in project.verify("--repair", code=2)
    assert (project.folder / "model.bin").read_bytes() == damaged


def test_from_another_folder_the_paths_are_those_seen_from_there(project):
    flip(project.folder / "model.bin")
    deeper = Copy(project.folder / "data", project.capsys)
    assert "../model.bin: workspace: altered." in deeper.verify(code=1)
    deeper.verify("--repair")
    assert_whole(project)
    assert (project.folder / ".cache/verify/model.bin").exists()


@pytest.fixture(params=["S3", "SSH"])
def server(request, project, monkeypatch):
    """The project with a storage behind a server, and a way around DVC to an object of it."""
    run, folder = project.run, project.folder
    if request.param == "S3":
        endpoint = request.getfixturevalue("s3_server")
        storage = storages.in_s3(endpoint, folder.parent.parent.name)
        run("dvc", "remote", "add", "far", storage.here["s3://bucket/trackbed"])
        run("dvc", "remote", "modify", "far", "endpointurl", endpoint)
        for name, value in storage.secrets.items():
            monkeypatch.setenv(name, value)
    else:
        port, keys = request.getfixturevalue("ssh_server")
        storage = storages.in_ssh(port, keys, folder.parent / "far")
        run("dvc", "remote", "add", "far", storage.here["ssh://user@host:22/srv/trackbed"])
        run("dvc", "remote", "modify", "far", "keyfile", keys / "user")
    project.environment |= {k: os.environ[k] for k in storage.secrets if k in os.environ}
    run("dvc", "push", "-q", "-r", "far")
    return project, storage


def test_storages_behind_servers_are_read_and_mended(server):
    project, storage = server
    assert "all as recorded" in project.verify("--remote", "far")
    storage.write(name(PICTURES["a/2.jpg"]), b"second")
    storage.delete(name(b"model" * 200))
    told = project.verify("--remote", "far", code=1)
    assert "copies/a/2.jpg: remote: cut: 6 of 600 bytes." in told
    assert "model.bin: remote: missing." in told
    assert "2 repaired" in project.verify("--remote", "far", "--repair")
    assert "all as recorded" in project.verify("--remote", "far")
    project.run("dvc", "remote", "default", "far")
    flip(cache(project) / name(b"model" * 200))
    flip(project.folder / "model.bin")
    assert "2 repaired" in project.verify("--repair")
    assert_whole(project)
