import os

import pytest

from trackbed.dataset import images, sources
from trackbed.dataset.groups import Grouping
from trackbed.pictures.rejections import Limits, Rejected
from trackbed.pipeline.errors import BadData, UserError

FINE = ["GRAS", "0", "NA", "Straße (nass)", "草", "<b>&amp;", '"x"', "'", "=1+1", "-1", "@home"]
FINE += [
    "$(touch x)",
    "`id`",
    "a\\b",
    "con",
    "..",
    ".foo",
    "🛤",
    "👷\u200d♀️",
    "می\u200cروم",
    "x" * 100,
]


@pytest.mark.parametrize("name", FINE)
def test_names_that_are_text_will_do_however_odd(name):
    assert sources.class_name_fault(name) is None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "empty"),
        (" GRAS", "a blank at its beginning or end"),
        ("GRAS\u00a0", "a blank at its beginning or end"),
        ("a\nb", "the character U+000A"),
        ("\x1b[2J", "the character U+001B"),
        ("a\x7fb", "the character U+007F"),
        ("a\u00a0b", "the character U+00A0"),
        ("a\u2028b", "the character U+2028"),
        ("SARG\u202e", "the character U+202E"),
        ("G\u200bRAS", "the character U+200B"),
        (os.fsdecode(b"Stra\xdfe"), "not UTF-8, byte DF"),
        ("a/b", "a slash"),
        ("x" * 101, "101 characters"),
        ("=SUM(A1)", "a formula that a spreadsheet would run"),
    ],
)
def test_other_names_are_refused_with_the_fault(name, fault):
    assert sources.class_name_fault(name) == fault


@pytest.mark.parametrize("name", ["a\nb", "SARG\u202e", os.fsdecode(b"Stra\xdfe"), "GRAS "])
def test_a_source_with_such_a_class_is_refused_as_a_whole(tmp_path, name):
    lay(tmp_path, "A/1.png", "B/1.png", f"{name}/1.png")
    with pytest.raises(BadData, match=r"the class '.*' has an unusable name.*1 to 100") as no:
        scan(tmp_path)
    assert str(no.value).isprintable()


def test_a_manifest_with_such_a_class_is_refused(tmp_path):
    lay(tmp_path, "1.png", "2.png")
    (tmp_path / "manifest.csv").write_text("filename,label\n1.png,A\n2.png, B\n")
    with pytest.raises(BadData, match=r"the class ' B' has .* a blank at its beginning"):
        scan(tmp_path)


def test_file_names_that_are_formulas_are_refused(tmp_path):
    lay(tmp_path, "A/1.png", "B/1.png", "B/x;=SUM(A1).png")
    with pytest.raises(BadData, match=r"would run 'B/x;=SUM\(A1\).png' as a formula. Rename"):
        scan(tmp_path)


ALONE = Grouping(None, False)


def lay(folder, *names):
    """Make the files, and for a name that ends in a slash the folder."""
    for name in names:
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
    return folder


def scan(folder, classes=None, grouping=ALONE):
    return sources.scan(folder, classes, grouping)


def seen(listing):
    return [(entry.filename, entry.class_name, entry.part) for entry in listing.entries]


def test_class_folders_with_nested_ones(tmp_path):
    listing = scan(lay(tmp_path, "B/2.png", "A/deep/down/1.png", "A/10.png", "A/9.png"))
    assert listing.classes == ["A", "B"]
    assert seen(listing) == [
        ("A/10.png", "A", ""),
        ("A/9.png", "A", ""),
        ("A/deep/down/1.png", "A", ""),
        ("B/2.png", "B", ""),
    ]
    assert listing.entries[2].path == tmp_path / "A/deep/down/1.png"
    assert [entry.group for entry in listing.entries] == [e.filename for e in listing.entries]


def test_official_parts(tmp_path):
    listing = scan(lay(tmp_path, "train/A/1.png", "train/B/1.png", "test/A/1.png"))
    assert listing.classes == ["A", "B"]
    assert seen(listing) == [
        ("test/A/1.png", "A", "test"),
        ("train/A/1.png", "A", "train"),
        ("train/B/1.png", "B", "train"),
    ]
    listing = scan(lay(tmp_path / "half", "train/A/1.png", "train/B/1.png"))
    assert {entry.part for entry in listing.entries} == {"train"}


def test_a_class_may_be_called_train(tmp_path):
    assert scan(lay(tmp_path, "train/1.png", "bus/1.png")).classes == ["bus", "train"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("train/A/1", "test/A/1", "testing/A/1"), "ambiguous; test/, testing/ could each be"),
        (("train/A/1", "train/B/1", "C/1"), "ambiguous; train/ could be .*, beside C/"),
        (("A/1", "B/1", "x.tfrecord"), r"TFRecord files \(x.tfrecord\) and class folders \(A/1"),
        (("manifest.csv", "x.tfrecord"), r"a manifest \(manifest.csv\) and TFRecord files"),
        (("test/A/1", "test/B/1"), "there is test/ but no train/"),
    ],
)
def test_an_ambiguous_folder_is_refused_with_its_candidates(tmp_path, names, message):
    with pytest.raises(UserError, match=message):
        scan(lay(tmp_path, *names))


def test_nothing_vanishes(tmp_path):
    lay(tmp_path, "A/1.png", "A/notes.txt", "B/1.png", "stray.jpg", "C.md")
    lay(tmp_path, ".git/objects/1", ".hidden", "A/.DS_Store", "A/Thumbs.db", "__MACOSX/A/1.png")
    lay(tmp_path, "B/.ipynb_checkpoints/1.png", "B/desktop.ini")
    listing = scan(tmp_path)
    assert [name for name, _, _ in seen(listing)] == ["A/1.png", "A/notes.txt", "B/1.png"]
    assert listing.strays == [("stray.jpg", "no class")]
    assert listing.ignored == [
        ".git/objects/1",
        ".hidden",
        "A/.DS_Store",
        "A/Thumbs.db",
        "B/.ipynb_checkpoints/1.png",
        "B/desktop.ini",
        "C.md",
        "__MACOSX/A/1.png",
    ]
    files = sum(len(names) for _, _, names in os.walk(tmp_path))
    assert files == len(listing.entries) + len(listing.strays) + len(listing.ignored)


def test_a_file_beside_the_classes_of_a_part_is_a_stray(tmp_path):
    lay(tmp_path, "train/A/1", "train/B/1", "train/x.png", "README.md", "test/unlabelled.png")
    assert scan(tmp_path).strays == [
        ("test/unlabelled.png", "no label"),
        ("train/x.png", "no class"),
    ]


def test_names_that_are_no_text_are_listed_readably(tmp_path):
    lay(tmp_path, "A/1.png", "B/1.png", "A/new\nline.png", "A/\x1b[2J/1.png")
    (tmp_path / "B" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"")
    (tmp_path / "A" / "Straße.png").write_bytes(b"")
    listing = scan(tmp_path)
    assert listing.classes == ["A", "B"]
    assert listing.strays == [
        ("A/\\x1b[2J/1.png", "bad name"),
        ("A/new\\x0aline.png", "bad name"),
        ("B/caf\\xe9.png", "bad name"),
    ]
    assert "A/Straße.png" in [name for name, _, _ in seen(listing)]


def test_links_are_listed_but_not_followed(tmp_path):
    lay(tmp_path, "src/A/1.png", "src/B/1.png", "elsewhere/2.png", "elsewhere/3.png")
    source = tmp_path / "src"
    (source / "A" / "folder").symlink_to(tmp_path / "elsewhere")
    (source / "A" / "loop").symlink_to(source)
    (source / "B" / "file.png").symlink_to(tmp_path / "elsewhere/2.png")
    (source / "C").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(source / "B" / "pipe.png")
    listing = scan(source)
    assert listing.strays == [("C", "not a regular file")]
    names = [name for name, _, _ in seen(listing)]
    assert names == ["A/1.png", "A/folder", "A/loop", "B/1.png", "B/file.png", "B/pipe.png"]
    refused = []
    for entry in listing.entries:
        with pytest.raises(Rejected) as error:
            images.load(entry, Limits(100))
        refused.append(error.value.reason)
    assert refused.count("not a regular file") == 4
    assert refused.count("empty") == 2


def test_the_source_itself_may_be_a_link(tmp_path):
    lay(tmp_path, "real/A/1.png", "real/B/1.png")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert scan(tmp_path / "link").classes == ["A", "B"]


def test_the_order_of_the_file_system_does_not_matter(tmp_path, monkeypatch):
    lay(tmp_path, "B/2", "B/1", "A/x/1", "A/1", "c.txt", "b.txt", ".y", ".x")
    first, scandir = scan(tmp_path), os.scandir

    class Backwards:
        def __init__(self, path):
            self.items = sorted(scandir(path), key=lambda item: item.name, reverse=True)

        def __enter__(self):
            return self.items

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(os, "scandir", Backwards)
    assert scan(tmp_path) == first


def test_fixed_classes_give_the_order(tmp_path):
    lay(tmp_path, "A/1", "B/1", "C/1")
    assert scan(tmp_path, ["C", "A", "B"]).classes == ["C", "A", "B"]
    with pytest.raises(UserError, match=r"'B' is no class of params.yaml, data.classes \(A, C\)"):
        scan(tmp_path, ["A", "C"])
    with pytest.raises(UserError, match="no picture of class 'D'"):
        scan(tmp_path, ["A", "B", "C", "D"])
    with pytest.raises(UserError, match=r"data.classes: 'A' is listed twice"):
        scan(tmp_path, ["A", "B", "C", "A"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "no class; a classifier needs two"),
        (("1.png", "2.png"), "no class"),
        (("A/1",), "a single class, A;"),
        (("A/in/1", "A/2"), "a single class, A;.* data.source is the folder"),
        (("A/1", "B/"), "no picture of class 'B'"),
        (("A/1", "B/.hidden"), "no picture of class 'B'"),
        (("Grass/1", "grass/1"), "'Grass' and 'grass' differ in case"),
        (("Grün/1", "Gru\u0308n/1"), "differ in case"),
        (("A b/1", "A  b/1"), "differ in case, blanks or Unicode form"),
        (("train/A/1", "train/B/1", "test/C/1"), "no training picture of class 'C', only test"),
        (("train/A/1", "train/B/", "test/B/1"), "no training picture of class 'B'"),
        (("train/1", "test/1"), "no class"),
        (("train/images/1", "train/labels/1.txt"), "an export for object detection"),
    ],
)
def test_classes_that_make_no_sense_are_refused(tmp_path, names, message):
    with pytest.raises(UserError, match=message):
        scan(lay(tmp_path, *names))


def test_a_class_without_test_pictures_is_fine(tmp_path):
    lay(tmp_path, "train/A/1", "train/B/1", "test/A/1", "test/B/")
    assert scan(tmp_path).classes == ["A", "B"]


def test_no_such_folder(tmp_path):
    with pytest.raises(UserError, match=r"nothing: no such folder; see data.source in params.yaml"):
        scan(tmp_path / "nothing")
    with pytest.raises(UserError, match=r"file: not a folder; see data.source"):
        scan(lay(tmp_path, "file") / "file")
    with pytest.raises(UserError, match="cannot be listed"):
        scan(tmp_path / ("x" * 300))


def test_names_that_look_the_same_are_shown_by_their_characters(tmp_path):
    composed, decomposed = "B\u00f6schung", "Bo\u0308schung"
    for name in (decomposed, "GRAS"):
        (tmp_path / "raw" / name).mkdir(parents=True)
        (tmp_path / "raw" / name / "1.png").touch()
    look = r"'Bo\u0308schung' looks like 'B\xf6schung' but is written in other characters."
    with pytest.raises(UserError) as refused:
        sources.scan(tmp_path / "raw", [composed, "GRAS"], Grouping(None, False))
    assert look in str(refused.value)
    (tmp_path / "raw" / composed).mkdir()
    (tmp_path / "raw" / composed / "2.png").touch()
    with pytest.raises(UserError) as refused:
        sources.scan(tmp_path / "raw", None, Grouping(None, False))
    assert "is written in other characters." in str(refused.value)
