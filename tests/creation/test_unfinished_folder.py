from pathlib import Path

import pytest

from trackbed.creation.unfinished_folder import UNFINISHED, filled
from trackbed.pipeline.errors import UserError


def fill(folder):
    with filled(folder) as place:
        (place / ".git").mkdir()
        (place / ".git/config").write_text("a")
        (place / "params.yaml").write_text("b")


@pytest.mark.parametrize("name", ["new", "a/new/one", "Füße und Äpfel"])
def test_a_new_folder_is_filled(tmp_path, name):
    fill(tmp_path / name)
    assert sorted(path.name for path in (tmp_path / name).iterdir()) == [".git", "params.yaml"]


def test_the_current_folder_can_be_filled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(Path("."))
    assert (tmp_path / ".git/config").read_text() == "a"


@pytest.mark.parametrize("problem", [KeyboardInterrupt, UserError, OSError])
@pytest.mark.parametrize("there", [True, False])
def test_after_an_interruption_nothing_is_left(tmp_path, problem, there):
    folder = tmp_path / "a/b"
    if there:
        folder.mkdir(parents=True)
    with pytest.raises(problem), filled(folder) as place:
        (place / "data").mkdir()
        (place / "data/picture").write_text("c")
        raise problem
    assert (tmp_path / "a").exists() == there
    assert not there or list(folder.iterdir()) == []


def test_what_a_killed_process_left_is_replaced(tmp_path):
    (tmp_path / UNFINISHED / "data").mkdir(parents=True)
    fill(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "params.yaml"]


def test_a_folder_with_a_file_is_refused(tmp_path):
    for name in "abcd":
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"not empty; it holds a, b, c, \.\.\.\. Name a new"):
        fill(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c", "d"]


def test_a_file_and_a_link_are_no_folder(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(UserError, match="there already, and not a folder"):
            fill(tmp_path / name)


def test_a_place_that_cannot_be_written_is_named():
    with pytest.raises(UserError, match=r"^/proc/project: cannot be made"):
        fill(Path("/proc/project"))
