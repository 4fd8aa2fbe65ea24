import pandas as pd
import pytest

from trackbed.evaluation import slices
from trackbed.reporting import verdict
from trackbed.reporting.dataset_summary import Dataset

COUNTS = {"groups": 5, "joined_groups": 1, "joined_images": 3, "largest_group": 3}
COUNTS |= {"near_in_train_and_test": 0, "groups_known": 1}


def data(named=("a", "a", "b", "c", "d", "e"), **counts):
    index = pd.DataFrame({"named_group": named})
    return Dataset(index, {}, [], pd.DataFrame(), [], COUNTS | counts)


def params(group="null", near="4", consecutive="null"):
    return {
        "data": {"group": group},
        "split": {"join_distance": near, "consecutive_distance": consecutive},
    }


def told(data, params):
    return " ".join(verdict.group_sentences(data, params))


@pytest.mark.parametrize(
    ("given", "named", "expected"),
    [
        (params(r"^(drive\d+)_"), "aabcde", r"never divided: by data.group (^(drive\d+)_)."),
        (params(), "aabcde", "never divided: as the source names them."),
        (params(), "abcdef", "never divided: every image is a group of its own."),
        (params(consecutive="16"), "abcdef", "hashes differ in 16 bits at most."),
    ],
)
def test_what_told_the_groups(given, named, expected):
    said = told(data(list(named)), given)
    assert said.startswith("6 images in 5 groups that are never divided: ")
    assert expected in said


def test_what_was_joined_and_what_nearly_repeats_across_the_parts():
    assert "3 of them look so much alike" in told(data(), params())
    assert "largest group has 3 images" in told(data(), params())
    assert "No near-duplicates" in told(data(joined_images=0), params())
    assert "alike" not in told(data(joined_images=0), params(near="null"))
    assert "test part 1 image nearly repeats" in told(data(near_in_train_and_test=1), params())
    assert "repeat" not in told(data(near_in_train_and_test=None), params())


def test_the_leak_risk_is_unknown_where_nothing_tells_groups():
    assert verdict.groups_unknown(data()) == ""
    assert verdict.groups_unknown(data(groups_known=0)).startswith(
        "Leak risk unknown: nothing says"
    )


def table(*rows):
    return pd.DataFrame(rows, columns=list(slices.TYPES))


DARK = ("brightness", "below 61", 40, 8, 0.71, 0.62, 0.8, 0.7, True)
CLASS = ("class", "GRAS", 40, 8, 0.6, 0.3, 0.85, None, True)
CHANCE = ("sharpness", "above 9", 40, 8, 0.5, 0.2, 0.79, 0.4, False)
SMALL = ("group", "drive007", 9, 1, 0.1, 0.02, 0.4, None, True)


def test_the_slice_whose_interval_ends_lowest_is_named():
    assert verdict.slice_sentence(table(CLASS, DARK, CHANCE, SMALL), 0.884) == (
        "Worst slice: brightness below 61: accuracy 0.71 (0.62 to 0.80), 0.88 over all."
    )
    assert verdict.slice_sentence(table(CLASS), 0.884).startswith("Worst slice: class “GRAS”: acc")


def test_chance_is_not_named():
    said = verdict.slice_sentence(table(CHANCE, SMALL), 0.88)
    assert said == "No slice differs from the whole by more than chance."
