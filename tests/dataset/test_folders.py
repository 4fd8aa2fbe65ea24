import pytest

from trackbed.dataset import folders
from trackbed.pipeline.errors import BadData


def lay(root, *names):
    """Empty files, and folders where a name ends in a slash."""
    for name in names:
        path = root / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.touch()
    return folders.walk(root)


def test_a_walk_lists_files_folders_and_clutter_by_name(tmp_path):
    tree = lay(tmp_path, "B/2.png", "B/in/1.png", "A/", ".git/config", "B/Thumbs.db", "note.txt")
    assert tree.files == ["B/2.png", "B/in/1.png", "note.txt"]
    assert tree.folders == ["A", "B", "B/in"]
    assert tree.ignored == [".git/config", "B/Thumbs.db"]


def test_a_walk_does_not_follow_links(tmp_path):
    lay(tmp_path, "A/1.png")
    (tmp_path / "B").symlink_to("A")
    tree = folders.walk(tmp_path)
    assert tree.files == ["A/1.png", "B"]
    assert tree.irregular == {"B"}


def test_folders_directly_under_a_prefix(tmp_path):
    tree = lay(tmp_path, "train/A/deep/", "train/B/", "test/A/")
    assert tree.inside("") == ["test", "train"]
    assert tree.inside("train/") == ["A", "B"]


@pytest.mark.parametrize(("make", "message"), [(False, "no such folder"), (True, "not a folder")])
def test_what_is_no_folder_is_refused(tmp_path, make, message):
    path = tmp_path / "raw"
    if make:
        path.touch()
    with pytest.raises(BadData, match=message):
        folders.walk(path)


@pytest.mark.parametrize(
    "name", ["Thumbs.db", "THUMBS.DB", "@eaDir", "#recycle", ".ipynb_checkpoints", "raw.dvc"]
)
def test_clutter_of_systems_and_of_dvc(name):
    assert folders.is_clutter(name)
    assert not folders.is_clutter(f"x{name}x")
