from pathlib import Path

import pytest
import yaml

from trackbed.commands.recipe import with_recipe
from trackbed.creation import proposals
from trackbed.creation.source_facts import SourceFacts
from trackbed.dataset.groups import Grouping
from trackbed.dataset.schema import Entry, Listing

ROOT = Path(__file__).parents[2]
ALONE = Grouping(None, False)


def facts(counts, side=100, part="", frames=1, grey=0, rejected=()):
    """A source of classes with so many pictures each; `frames` of each group."""
    entries = [
        Entry(name := f"{c}/{n // frames}_{n}.jpg", c, part, name, Path(name))
        for c, count in counts.items()
        for n in range(count)
    ]
    listing = Listing(entries, list(counts), [], [])
    return SourceFacts(listing, [side] * 3, grey, list(rejected))


def proposed(found, grouping=ALONE, groups=0):
    return {one.name: one.value for one in proposals.from_data(found, grouping, groups)}


def test_where_the_defaults_fit_only_group_and_side_are_named():
    assert proposed(facts({"ASPHALT": 600, "GRAS": 600})) == {
        "data.group": "null",
        "train.image_side": "96",
        "evaluate.top_k": "1",
    }


@pytest.mark.parametrize(
    ("median", "side"),
    [(20, "32"), (32, "32"), (45, "40"), (64, "64"), (150, "128"), (4000, "128")],
)
def test_the_side_is_not_above_that_of_half_of_the_pictures(median, side):
    assert proposed(facts({"A": 300, "B": 300}, median))["train.image_side"] == side


@pytest.mark.parametrize(
    ("images", "batch", "epochs"),
    [
        (100, "8", "125"),  # 64 train: 8 steps an epoch
        (10, "8", "200"),  # 6 train: one step an epoch, and 200 epochs are the most
        (500, "16", None),  # 320 train: 20 steps an epoch
        (1000, None, None),  # 640 train: 20 steps an epoch
    ],
)
def test_few_pictures_train_for_1000_steps(images, batch, epochs):
    found = proposed(facts({"A": images // 2, "B": images // 2}))
    assert (found.get("train.batch"), found.get("train.epochs")) == (batch, epochs)


def test_many_pictures_train_for_fewer_epochs():
    # 32,000 of 50,000 train: 1,000 steps an epoch; at least 15 epochs.
    assert proposed(facts({"A": 25_000, "B": 25_000}))["train.epochs"] == "15"
    # 3,200 of 5,000: 100 steps.
    assert proposed(facts({"A": 2500, "B": 2500}))["train.epochs"] == "30"


@pytest.mark.parametrize(
    ("fewest", "share", "folds"),
    [(3, "0.34", "2"), (4, "0.25", "3"), (5, None, "4"), (6, None, "4"), (7, None, None)],
)
def test_the_smallest_class_decides_on_folds_and_test_share(fewest, share, folds):
    found = proposed(facts({"A": 30, "B": fewest}))
    assert found.get("split.test_share") == share
    assert found.get("split.folds") == folds


def test_groups_count_where_pictures_have_some():
    found = proposed(facts({"A": 30, "B": 30}, frames=6), Grouping(r"^(\d+)_", False), 5)
    assert found["data.group"] == r"'^(\d+)_'"
    assert found["split.folds"] == "4"


@pytest.mark.parametrize("names", [("0", "1"), ("00017", "00042"), ("a", "b"), ("Turn left", "x")])
def test_no_mirror_images_where_class_names_speak_against_them(names):
    text = proposals.overlay(proposals.from_data(facts(dict.fromkeys(names, 300)), ALONE, 0))
    changes = [one["name"] for one in yaml.safe_load(text)["train"]["augment"]]
    assert changes == ["translation", "brightness", "contrast"]


def test_a_note_says_that_mirror_images_are_not_always_right():
    found = facts({"cat": 300, "dog": 300})
    (note,) = proposals.notes(found, proposals.from_data(found, ALONE, 0))
    assert "Remove flip if a mirror image would mean something else" in note


def test_grey_and_unusable_pictures_are_noted():
    some = facts({"cat": 300, "dog": 300}, grey=2, rejected=[("cat/1.jpg", "empty")])
    text = "\n".join(proposals.notes(some, []))
    assert "2 of 3 pictures looked at are grey" in text
    assert "1 of 4 pictures looked at cannot be used, such as cat/1.jpg (empty)" in text
    assert "The pictures are grey." in "\n".join(proposals.notes(facts({"cat": 3}, grey=3), []))


def test_unequal_classes_are_sampled_equally():
    assert proposed(facts({"A": 300, "B": 100}))["train.balanced_sampling"] == "true"
    assert "train.balanced_sampling" not in proposed(facts({"A": 299, "B": 100}))


def test_many_classes_are_scored_by_the_five_best():
    counts = {f"class {number}": 300 for number in range(43)}
    assert proposed(facts(counts))["evaluate.top_k"] == "5"


HOSTILE = ["it's", 'say "x"', "a: b", "# no", "Füße", "012", "NO", "a\\d", "1.10", "${HOME}"]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_name_comes_back_from_params(text, tmp_path):
    """A folder may have any name, and so may a pattern and a title."""
    values = [
        proposals.source(f"/data/{text}", ""),
        proposals.title(text),
        *proposals.from_data(facts({"A": 300, "B": 300}), Grouping(f"{text}|^(\\d+)", False), 600)[
            :1
        ],
    ]
    path = tmp_path / "params.yaml"
    base = (ROOT / "params.yaml").read_text("utf-8")
    path.write_text(with_recipe(base, proposals.overlay(values), path), "utf-8")
    loaded = yaml.safe_load(path.read_text("utf-8"))
    assert loaded["data"]["source"] == f"/data/{text}"
    assert loaded["data"]["group"] == f"{text}|^(\\d+)"
    assert loaded["report"]["title"] == text


def test_params_keep_their_comments_and_first_lines(tmp_path):
    base = (ROOT / "params.yaml").read_text("utf-8")
    text = with_recipe(base, proposals.overlay([proposals.source("data/pictures", "")]), tmp_path)
    assert text == base.replace("source: data/sample", 'source: "data/pictures"')


def test_one_step_an_epoch_is_not_plural():
    reasons = [one.reason for one in proposals.from_data(facts({"A": 5, "B": 5}), ALONE, 0)]
    assert any("an epoch has 1 step" in one and "1 steps" not in one for one in reasons)
