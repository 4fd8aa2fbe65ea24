"""Files and processes; what Windows does otherwise is in test_other_systems."""

import os
import subprocess
import sys

import pytest

from trackbed.pipeline import operating_system
from trackbed.pipeline.errors import UserError


def test_a_folder_is_linked_not_copied(tmp_path):
    (tmp_path / "records").mkdir()
    operating_system.link_or_copy(tmp_path / "records", tmp_path / "link")
    (tmp_path / "records/1").touch()
    assert (tmp_path / "link/1").exists()


def test_a_relative_path_has_forward_slashes(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a/b")
    assert operating_system.relative_path(tmp_path / "c/d", tmp_path / "link") == "../../c/d"


def test_paths_on_two_drives_are_refused(tmp_path, monkeypatch):
    def on_windows(path, start):
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", on_windows)
    with pytest.raises(UserError, match=r"must lie on one drive\.$"):
        operating_system.relative_path(tmp_path / "a", tmp_path / "b")


def test_a_group_is_a_process_and_its_children():
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    code += "; sys.stdin.read()"
    leader = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        **operating_system.OWN_GROUP,
    )
    child = int(leader.stdout.readline())
    assert {one.pid for one in operating_system.group(leader)} == {leader.pid, child}
    leader.stdin.close()
    leader.stdout.close()
    leader.wait()  # the child outlives it
    assert [one.pid for one in operating_system.group(leader)] == [child]
    operating_system.end_group(leader, kill=True)
    while operating_system.group(leader):
        pass


@pytest.mark.parametrize(("encoding", "text"), [("cp1252", r"\u65e5 naïve"), ("utf-8", "日 naïve")])
def test_what_the_output_cannot_show_is_escaped(encoding, text):
    code = "from trackbed.pipeline.operating_system import print_anything as p; p(); "
    code += "print('日 naïve')"
    stages = os.path.dirname(os.path.dirname(os.path.dirname(operating_system.__file__)))
    environment = os.environ | {"PYTHONPATH": stages, "PYTHONIOENCODING": encoding}
    output = subprocess.check_output([sys.executable, "-c", code], env=environment)
    assert output.decode(encoding).rstrip() == text
