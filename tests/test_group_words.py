import pandas as pd
import pytest

from trackbed.telling import group_words
from trackbed.telling.dataset import Dataset

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
    return " ".join(group_words.sentences(data, params))


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
    assert group_words.unknown(data()) == ""
    assert group_words.unknown(data(groups_known=0)).startswith("Leak risk unknown: nothing says")
