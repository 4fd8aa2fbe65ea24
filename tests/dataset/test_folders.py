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


def test_class_and_part_come_from_the_path(tmp_path):
    tree = lay(tmp_path, "train/A/1.png", "train/B/in/2.png", "test/A/3.png", "train/note.txt")
    found = folders.read(tmp_path, tree)
    assert [(e.filename, e.class_name, e.part) for e in found.entries] == [
        ("test/A/3.png", "A", "test"),
        ("train/A/1.png", "A", "train"),
        ("train/B/in/2.png", "B", "train"),
    ]
    assert found.classes == {"A", "B"}
    assert found.strays == [("train/note.txt", "no class")]


def test_a_class_that_is_empty_in_every_part_is_listed(tmp_path):
    tree = lay(tmp_path, "train/A/1.png", "train/B/", "test/B/", "train/C/2.png", "test/C/")
    assert folders.empty_classes(tmp_path, tree) == ["test/B", "train/B"]


@pytest.mark.parametrize("other", ["A/1.png", "Validation/A/1.png"])
def test_parts_beside_other_folders_are_ambiguous(tmp_path, other):
    tree = lay(tmp_path, "train/A/1.png", "test/A/1.png", other)
    with pytest.raises(BadData, match="ambiguous"):
        folders.read(tmp_path, tree)


def test_a_test_part_alone_is_refused(tmp_path):
    with pytest.raises(BadData, match="no train/"):
        folders.read(tmp_path, lay(tmp_path, "test/A/1.png"))
