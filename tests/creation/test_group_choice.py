import pytest
from creation_listing import drives

from trackbed.creation import group_choice, group_patterns
from trackbed.dataset.groups import Grouping
from trackbed.pipeline.errors import UserError

TRACKS = drives("{n:05}_{f:05}.png")  # begin anew in both classes
PROPOSED = group_patterns.proposed(TRACKS)


def asked(listing, proposed, *answers):
    """The choice of a user who gives these answers."""
    left = list(answers)
    found = group_choice.asked(listing, proposed, lambda _: left.pop(0))
    assert not left
    return found


def test_enter_takes_the_proposal_which_is_shown_with_an_example(capsys):
    assert asked(TRACKS, PROPOSED, "").grouping == Grouping("^([^_]+)_", True)
    text = capsys.readouterr().out
    assert "makes 8 groups of 24 pictures, counted anew in every class" in text
    assert "Group B/00000 has 3: 00000_00000.png, 00000_00001.png, 00000_00002.png\n" in text


def test_none_takes_every_picture_as_independent():
    assert asked(TRACKS, PROPOSED, "none") == group_choice.GroupChoice(Grouping(None, False), 0)
    assert asked(TRACKS, None, "") == group_choice.GroupChoice(Grouping(None, False), 0)


def test_a_wrong_pattern_is_explained_and_asked_for_again(capsys):
    found = asked(TRACKS, PROPOSED, "^(x", r"^drive(\d+)", r"^(\d+)_")
    assert (found.grouping.pattern, found.groups) == (r"^(\d+)_", 8)
    text = capsys.readouterr().out
    assert "not a regular expression" in text
    assert r"'^drive(\\d+)' does not match 24 of 24 file names, such as 00000_00000.png" in text
    assert "params.yaml" not in text


def test_a_given_pattern_must_fit():
    with pytest.raises(UserError, match=r"^--group: '\^x' does not match 24 of 24 file names"):
        group_choice.chosen(TRACKS, "^x", None)
    with pytest.raises(UserError, match=r"^--group: 'folder', but 24 of 24 pictures lie in no"):
        group_choice.chosen(TRACKS, "folder", None)


def test_groups_per_class_can_be_given():
    assert group_choice.chosen(TRACKS, r"^(\d+)_", False).groups == 4
    assert group_choice.chosen(TRACKS, r"^(\d+)_", None).groups == 8


def test_nothing_given_and_no_manifest_leaves_it_open():
    assert group_choice.chosen(TRACKS, None, None) is None
