from pathlib import Path

import pytest

from trackbed.dataset import layouts
from trackbed.dataset.folders import Hints, Tree
from trackbed.pipeline.errors import UserError

TRAIN_TEST = {"train", "test"}
ALL = {"train", "validation", "test"}


def read(*names, **hints):
    """What a source with these files holds; the folders above them, and those that end in '/'."""
    files = sorted(name for name in names if not name.endswith("/"))
    above = {str(one) for name in names for one in Path(name).parents} - {"."}
    above |= {name.rstrip("/") for name in names if name.endswith("/")}
    return layouts.read(Path("raw"), Tree(files, sorted(above)), Hints(**hints))


def pictures(*folders, classes=("forest", "sea")):
    """Two pictures per class below each folder."""
    return [
        f"{folder}/{name}/{n}.jpg".lstrip("/")
        for folder in folders
        for name in classes
        for n in "12"
    ]


def summary(found):
    return found.classes, {entry.part for entry in found.entries}


@pytest.mark.parametrize(
    ("folders", "parts"),
    [
        (["seg_train/seg_train", "seg_test/seg_test"], TRAIN_TEST),  # Kaggle's Intel scenes
        (["dataset/training_set", "dataset/test_set"], TRAIN_TEST),  # Kaggle's cats and dogs
        (["training_set/training_set", "test_set/test_set"], TRAIN_TEST),
        (["train", "valid", "test"], ALL),  # Roboflow
        (["data/train", "data/validation", "data/test"], ALL),  # Hugging Face
        (["Train", "TEST", "Val"], ALL),
        (["TrainSet", "DevSet", "TestSet"], ALL),
        (["train2017", "val2017"], {"train", "validation"}),
        (["Final_Training/Images", "Final_Test/Images"], TRAIN_TEST),
        (["a/b/c/training", "a/b/c/testing", "a/b/c/eval"], ALL),
        (["my_train", "my_dev"], {"train", "validation"}),
        (["images-train", "images-test"], TRAIN_TEST),
        (["split=train", "split=test"], TRAIN_TEST),
        (["trainval", "test"], TRAIN_TEST),
        (["archive"], {""}),
        (["archive/images"], {""}),
        ([""], {""}),
    ],
)
def test_parts_are_recognised_at_any_depth(folders, parts):
    found = read(*pictures(*folders), "README.txt")
    assert summary(found) == ({"forest", "sea"}, parts)
    assert len(found.entries) == 4 * len(folders)
    assert (found.ignored, found.strays) == (["README.txt"], [])


def test_a_part_may_lack_a_class():
    found = read(*pictures("seg_train"), *pictures("seg_test", classes=["sea"]), "seg_test/sea/d/3")
    assert summary(found) == ({"forest", "sea"}, TRAIN_TEST)


@pytest.mark.parametrize(
    "names",
    [
        ["train/1.jpg", "bus/1.jpg"],
        ["steam_train/drive1/1.jpg", "bus/drive2/1.jpg"],
        ["test_bench/1.jpg", "train_station/1.jpg"],
        ["passenger_train/a/1.jpg", "freight_train/b/1.jpg"],
        ["testament/1.jpg", "trainer/2.jpg"],
    ],
)
def test_classes_may_have_names_like_parts(names):
    assert read(*names).classes == {name.partition("/")[0] for name in names}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            pictures("train", "test", "extra"),
            "test/, train/ could be .* beside extra/. Say in data",
        ),
        (
            [*pictures("train"), "bus/1.jpg"],
            "train/ could be parts or classes, beside bus/",
        ),
        (
            pictures("seg_train", "other"),
            "could be other/, seg_train/, or forest/, sea/ b",
        ),
        (pictures("2019", "2020"), "classes could be 2019/, 2020/, or forest/, sea/ b"),
        (
            pictures("cat", "dog", classes=["train", "test"]),
            "cat/, dog/ each hold parts",
        ),
        (pictures("train_1", "train_2", "test"), "train_1/, train_2/ could each be"),
        (pictures("dev", "val", "train"), "dev/, val/ could each be the validation part"),
        (pictures("test"), "there is test/ but no train/"),
        (pictures("valid", "test"), "there is test/, valid/ but no train/"),
    ],
)
def test_what_is_ambiguous_is_refused_with_the_candidates(names, message):
    with pytest.raises(UserError, match=message):
        read(*names)


def test_data_parts_says_what_the_folders_are():
    names = [*pictures("train", "holdout"), "later/forest/1.jpg", "later/sky/1.jpg"]
    found = read(*names, parts={"holdout": "test", "later/": "ignore"})
    assert summary(found) == ({"forest", "sea"}, TRAIN_TEST)
    assert found.ignored == ["later/forest/1.jpg", "later/sky/1.jpg"]
    assert summary(read(*pictures("2019", "2020"), parts={"2019": "train", "2020": "train"})) == (
        {"forest", "sea"},
        {"train"},
    )
    nested = pictures("in/train/train", "in/late/late")
    assert summary(read(*nested, parts={"in/late": "validation"}))[1] == {"train", "validation"}


def test_what_is_to_be_ignored_hides_nothing_else():
    twice = [*pictures("x/train", "x/test"), *pictures("x/x/train", "x/x/test")]
    with pytest.raises(UserError, match=r"beside x/. Say .* such as {x/x: ignore}"):
        read(*twice)
    found = read(*twice, parts={"x/x": "ignore"})
    assert (summary(found), len(found.ignored)) == ((({"forest", "sea"}), TRAIN_TEST), 8)
    wrapped = [*pictures("set(1)/train", "set(1)/valid"), "test/test/1.jpg"]
    assert summary(read(*wrapped, parts={"test": "ignore"}))[1] == {"train", "validation"}
    assert read(*pictures("train", "test"), parts={"sea": "ignore"}).classes == {"forest"}


def test_data_parts_may_say_that_there_are_none():
    assert summary(read(*pictures("train", "test"), parts={})) == (TRAIN_TEST, {""})


def test_data_parts_with_an_unknown_folder_is_refused():
    with pytest.raises(UserError, match=r"no folder tset/; there are test/, train/"):
        read(*pictures("train", "test"), parts={"tset": "test"})
    with pytest.raises(UserError, match=r"no folder val/; there are test/, train/"):
        read(*pictures("train", "test"), parts={"train": "train", "val": "test"})


def test_data_classes_resolve_a_doubt():
    names = pictures("cat", "dog", classes=["day", "night"])
    assert read(*names, classes=["cat", "dog"]).classes == {"cat", "dog"}
    assert read(*pictures("train", "bus"), classes=["bus", "train"]).classes == {"bus", "train"}


def test_groups_in_folders_are_no_classes():
    names = pictures("BALLAST", "GRAS", classes=["drive1", "drive2"])
    assert read(*names, nested_groups=True).classes == {"BALLAST", "GRAS"}
    assert read(*names).classes == {"BALLAST", "GRAS"}  # they differ in numbers alone
    parts = pictures(*(f"seg_{part}/{name}" for part in ("train", "test") for name in "AB"))
    assert summary(read(*parts, nested_groups=True)) == ({"A", "B"}, TRAIN_TEST)
    wrapped = [f"archive/{name}" for name in names]
    assert read(*wrapped, nested_groups=True).classes == {"BALLAST", "GRAS"}


@pytest.mark.parametrize(
    "name",
    ["no_label", "_unlabeled", "Unlabelled", "unknown_label", "No Label", "unlabeled_images"],
)
def test_pictures_without_a_label_are_no_class(name):
    found = read(*pictures(""), f"{name}/1.jpg")
    assert (found.classes, found.strays) == ({"forest", "sea"}, [(f"{name}/1.jpg", "no label")])
    assert found.notes == [f"left out without a label: {name}/ (1 files)"]
    assert name in read(*pictures(""), f"{name}/1.jpg", classes=["forest", "sea", name]).classes
    beside = read(*pictures("train", "test"), f"{name}/1.jpg", f"train/{name}/2.jpg")
    assert [reason for _, reason in beside.strays] == ["no label"] * 2


def test_a_part_without_class_folders_has_no_labels():
    intel = read(*pictures("seg_train/seg_train", "seg_test/seg_test"), "seg_pred/seg_pred/1.jpg")
    assert intel.strays == [("seg_pred/seg_pred/1.jpg", "no label")]
    assert intel.notes == [
        "test: seg_test/seg_test/, train: seg_train/seg_train/",
        "left out without a label: seg_pred/ (1 files)",
    ]
    for name in ("test/1.jpg", "test/test/1.jpg", "val/images/1.jpg", "test/unknown/1.jpg"):
        found = read(*pictures("train"), name, f"{name[: name.index('/')]}/annotations.txt")
        assert found.strays == [(name, "no label")]


@pytest.mark.parametrize(
    ("training", "test"),
    [
        ("Final_Training/Images", "Final_Test/Images/00000.ppm"),
        ("asl_alphabet_train/asl_alphabet_train", "asl_alphabet_test/asl_alphabet_test/A_test.jpg"),
    ],
)
def test_names_that_differ_in_the_part_are_parts(training, test):
    found = read(*pictures(training), test)
    assert summary(found) == ({"forest", "sea"}, {"train"})
    assert found.strays == [(test, "no label")]


def test_documents_are_ignored_and_other_strays_rejected():
    documents = ["README.roboflow.txt", "train/_classes.csv", "labels/forest/1.txt", "LICENSE"]
    found = read(*pictures("train", "test"), *documents, "train/stray.jpg")
    assert sorted(found.ignored) == sorted(documents)
    assert found.strays == [("train/stray.jpg", "no class")]


def test_class_and_part_come_from_the_path():
    found = read("train/A/1.png", "train/B/in/2.png", "test/A/3.png")
    assert [(e.filename, e.class_name, e.part, e.folder) for e in found.entries] == [
        ("test/A/3.png", "A", "test", "test/A"),
        ("train/A/1.png", "A", "train", "train/A"),
        ("train/B/in/2.png", "B", "train", "train/B"),
    ]


def test_a_class_that_is_empty_in_every_part_is_listed():
    tree = Tree(["train/A/1", "train/C/2"], ["test", "train"])
    tree.folders.extend(["train/A", "train/B", "train/C", "test/B", "test/C"])
    assert layouts.empty_classes(Path("raw"), tree) == ["test/B", "train/B"]
