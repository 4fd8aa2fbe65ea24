import pytest

from trackbed.drift import picture_groups
from trackbed.drift.picture_groups import GroupRule
from trackbed.pipeline.errors import UserError

NAMES = ["a/d1_0.png", "a/d1_1.png", "b/d1_0.png", "b/c/d2_0.png"]


def test_groups_by_pattern_folder_or_none():
    assert GroupRule(r"^(d\d+)_").groups(NAMES) == ["d1", "d1", "d1", "d2"]
    assert GroupRule(r"d\d").groups(NAMES) == ["d1", "d1", "d1", "d2"]  # the whole match
    assert GroupRule("folder").groups(NAMES) == ["a", "a", "b", "b/c"]
    assert GroupRule(None).groups(NAMES) == NAMES


def test_groups_of_two_folders_are_two_if_wanted():
    rule = GroupRule(r"^(d\d+)_", per_folder=True)
    assert rule.groups(NAMES) == ["a/d1", "a/d1", "b/d1", "b/c/d2"]


def test_an_empty_group_counts_as_no_match():
    with pytest.raises(UserError, match=r"2 of 2 pictures do not match, such as d1_0\.png"):
        GroupRule("(x?)_").groups(["d1_0.png", "d2_0.png"])


def test_the_option_comes_before_the_rule_of_the_data():
    description = {"pictures": {"group": "^(d)", "group_per_class": True}}
    assert picture_groups.rule(None, description).per_folder
    assert picture_groups.rule("none", description) == GroupRule(None)
    assert picture_groups.rule("folder", description) == GroupRule("folder")
