"""A small DVC project with a remote storage, and damage to its files as a failing disk makes it."""

import contextlib
import hashlib
import os
from pathlib import Path

import yaml
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


class DamagedProject(Project):
    """A copy of the project, in which `trackbed verify` runs in this process."""

    def __init__(self, folder, capsys):
        super().__init__(folder)
        self.capsys = capsys

    def verify(self, *arguments, code=0):
        with contextlib.chdir(self.folder):
            exit_code = cli.main(["verify", *arguments])
        output = "".join(self.capsys.readouterr())
        assert exit_code == code, output
        return output

    def status(self):
        """What `dvc status` prints; empty if all is up to date."""
        from dvc.repo import Repo  # not for every test that imports this module

        with contextlib.chdir(self.folder), Repo() as repo:
            return repo.status()


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


DAMAGE = {flip: "altered", cut: "cut: 7 of 600 bytes", empty: "cut: 0 of 600 bytes"}
DAMAGE[Path.unlink] = "missing"
