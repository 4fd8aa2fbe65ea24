"""What the report says about groups: how they came about, and what that leaves unknown."""

from typing import Any

from trackbed.params import NOTHING
from trackbed.telling import wording
from trackbed.telling.dataset import Dataset


def sentences(data: Dataset, params: dict[str, Any]) -> list[str]:
    """How images came into groups, as plain text. params: the sections, scalars as text."""
    groups, split = data.groups, params.get("split", {})
    number = wording.plural(groups.get("groups"), "group")
    said = [
        f"{wording.plural(len(data.index), 'image')} in {number} that are never divided: "
        f"{_told(data, params)}."
    ]
    joined = groups.get("joined_images")
    if joined:
        said.append(
            f"{wording.count(joined)} of them look so much alike that their groups were joined to "
            f"{wording.count(groups.get('joined_groups'))}; the largest group has "
            f"{wording.plural(groups.get('largest_group'), 'image')}."
        )
    elif _given(split, "join_distance"):
        said.append("No near-duplicates were found to be joined.")
    across = groups.get("near_in_train_and_test")
    if across:
        said.append(
            f"Of the given test part {wording.plural(across, 'image')} nearly repeat"
            f"{'s' if across == 1 else ''} one that is not in it; trackbed leak names such pairs."
        )
    return said


def unknown(data: Dataset) -> str:
    """A warning where neither names nor their order say which images belong together, else ''."""
    if data.groups.get("groups_known"):
        return ""
    return (
        "Leak risk unknown: nothing says which images belong together (data.group, "
        "split.consecutive_distance). If several show one object or come from one drive, some of "
        "them are trained on and others are judged, and the scores are too high."
    )


def _told(data: Dataset, params: dict[str, Any]) -> str:
    """What told the groups."""
    pattern = _given(params.get("data", {}), "group")
    consecutive = _given(params.get("split", {}), "consecutive_distance")
    ways = []
    if pattern:
        ways.append(f"by data.group ({wording.name(pattern)})")
    elif not data.index["named_group"].is_unique:
        ways.append("as the source names them")
    if consecutive:
        ways.append(
            "neighbours in the order of their names, where their perceptual hashes differ in "
            f"{consecutive} bits at most"
        )
    return ", and ".join(ways) or "every image is a group of its own"


def _given(section: dict[str, Any], key: str) -> str:
    value = str(section.get(key, ""))
    return "" if value in NOTHING else value
