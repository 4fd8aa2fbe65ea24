import os
import shutil
import subprocess
import sys

import pytest
from project import draw

from trackbed.dataset import folders, images, source_scan, sources
from trackbed.dataset.folders import CacheLinks
from trackbed.dataset.groups import Grouping
from trackbed.pictures.rejections import Limits
from trackbed.records import tfrecord

OBJECT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def project(tmp_path):
    """The folder of a project of DVC without any setting."""
    (tmp_path / "project/.dvc").mkdir(parents=True)
    return tmp_path / "project"


def cached(cache, name=f"files/md5/{OBJECT[:2]}/{OBJECT[2:]}"):
    (cache / name).parent.mkdir(parents=True, exist_ok=True)
    (cache / name).write_bytes(b"picture")
    return cache / name


def link(project, target):
    path = project / "data/raw/A/1.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def test_a_link_into_the_cache_is_the_file(project):
    path = cached(project / ".dvc/cache")
    assert CacheLinks(project / "data/raw").target(link(project, path)) == path


def test_caches_of_older_versions_have_other_names(project):
    path = cached(project / ".dvc/cache", f"{OBJECT[:2]}/{OBJECT[2:]}")
    assert CacheLinks(project / "data/raw").target(link(project, path)) == path


@pytest.mark.parametrize("relative", [True, False])
def test_a_cache_may_be_elsewhere(project, tmp_path, relative):
    path = cached(tmp_path / "shared")
    place = "../../shared" if relative else tmp_path / "shared"
    (project / ".dvc/config.local").write_text(f"[cache]\n    dir = {place}\n")
    assert CacheLinks(project / "data/raw").target(link(project, path)) == path


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", ".dvc/config", ".dvc/cache/tmp", ".dvc/cache/files/md5/01", "gone", "data/raw"],
)
def test_links_elsewhere_stay_links(project, target):
    cached(project / ".dvc/cache")
    (project / ".dvc/config").touch()
    (project / ".dvc/cache/tmp").touch()
    tree_link = link(project, project / target)
    assert CacheLinks(project / "data/raw").target(tree_link) is None
    assert folders.walk(project / "data/raw").irregular == {"A/1.png"}


def test_a_link_to_itself_is_no_file(project):
    (project / "loop").symlink_to("loop")
    assert CacheLinks(project).target(project / "loop") is None


def dvc(folder, *arguments):
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", *map(str, arguments)]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["symlink", "hardlink"])
def test_what_dvc_checks_out_is_a_source(tmp_path, monkeypatch, kind):
    draw(tmp_path / "data/raw", groups=1, classes=("A", "B"))
    monkeypatch.chdir(tmp_path)
    dvc(tmp_path, "init", "--no-scm", "-q")
    dvc(tmp_path, "config", "cache.type", kind)
    dvc(tmp_path, "cache", "dir", tmp_path / "shared")
    dvc(tmp_path, "add", "-q", "data/raw")
    raw = tmp_path / "data/raw"
    file = raw / "A/000_0.png"
    assert file.is_symlink() if kind == "symlink" else file.stat().st_nlink == 2
    listing = sources.scan(raw, None, Grouping(None, False))
    assert [images.load(one, Limits(10_000)).format for one in listing.entries] == ["PNG"] * 4
    assert source_scan.hazards(raw, folders.walk(raw)) == []
    # A manifest that is tracked alone, and a link that leads elsewhere.
    alone = tmp_path / "alone"
    shutil.copytree(raw / "A", alone)
    (alone / "other.png").symlink_to("000_0.png")
    (alone / "manifest.csv").write_text("filename,label\n000_0.png,A\n000_1.png,B\nother.png,A\n")
    dvc(tmp_path, "add", "-q", "alone/manifest.csv", "alone/000_0.png")
    listing = sources.scan(alone, None, Grouping(None, False))
    assert [one.class_name for one in listing.entries] == ["A", "B", "A"]
    assert {"000_0.png.dvc", "manifest.csv.dvc"} <= set(listing.ignored)
    assert folders.walk(alone).irregular == {"other.png"}


def test_linked_records_are_read(project):
    features = {"height": 1, "width": 2, "depth": 3, "image_raw": bytes(6)}
    records = b""
    for name in ("A", "B"):
        data = tfrecord.example(
            features | {"image_filename": f"{name}.png", "class_name": name, "label": 0}
        )
        records += b"".join([tfrecord.frame(data)[0], data, tfrecord.frame(data)[1]])
    path = cached(project / ".dvc/cache")
    path.write_bytes(records)
    (project / "raw").mkdir()
    (project / "raw/x.tfrecord").symlink_to(path)
    entries = sources.scan(project / "raw", None, Grouping(None, False)).entries
    assert [images.load(one, Limits(100)).width for one in entries] == [2, 2]
