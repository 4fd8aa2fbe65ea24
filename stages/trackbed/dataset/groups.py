"""Groups of pictures that belong together: as the source names them, and what they are like."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from trackbed.dataset import similarity
from trackbed.dataset.schema import TEST, VALIDATION, Entry, Found
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.index import LARGE_GROUPS_TABLE

WHERE = "params.yaml, data.group"
FOLDER = "folder"  # in place of a pattern
LISTED = 3  # in a message


@dataclass(frozen=True)
class Grouping:
    """How the group of a picture is found."""

    pattern: str | None  # for the base name, or FOLDER; None: the manifest's column
    per_class: bool  # the same group name in two classes means two groups


def named_groups(found: Found, grouping: Grouping) -> list[Entry]:
    """The entries with their groups; a picture of which nothing is known is its own group.

    The first (...) of the pattern is the group, or the whole match where there is none; FOLDER
    takes the folders between the class folder (or the source) and the picture. Raises UserError for
    a pattern that is invalid, does not match every name, or stands beside a group column, and for
    a picture that lies in no such folder.
    """
    if grouping.pattern is not None:
        if found.has_groups:
            raise UserError(
                f"{WHERE}: the manifest has a column 'group' of its own. "
                "Set data.group to null, or remove the column."
            )
        by_folder = grouping.pattern == FOLDER
        groups = (
            _folders(found.entries) if by_folder else _by_pattern(found.entries, grouping.pattern)
        )
    else:
        groups = [entry.group for entry in found.entries]
    return [
        dataclasses.replace(entry, group=_full(entry, group, grouping.per_class))
        for entry, group in zip(found.entries, groups, strict=True)
    ]


def _full(entry: Entry, group: str, per_class: bool) -> str:
    if not group:
        return entry.filename
    return f"{entry.class_name}/{group}" if per_class else group


def _by_pattern(entries: list[Entry], pattern: str) -> list[str]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UserError(
            f"{WHERE}: not a regular expression ({error}), got {pattern!r}. Correct it, or set "
            "null where every image is independent."
        ) from None
    names = [PurePosixPath(entry.filename).name for entry in entries]
    groups = [_group(expression.search(name)) for name in names]
    unmatched = [name for name, group in zip(names, groups, strict=True) if not group]
    if unmatched:
        raise UserError(
            f"{WHERE}: {pattern!r} does not match {len(unmatched)} of {len(names)} file names, "
            f"such as {', '.join(unmatched[:3])}. Use a pattern that matches every name, 'folder', "
            "or null where every image is independent."
        )
    return groups


def _folders(entries: list[Entry]) -> list[str]:
    groups = [_folder(entry) for entry in entries]
    bare = [entry.filename for entry, group in zip(entries, groups, strict=True) if not group]
    if bare:
        raise UserError(
            f"{WHERE}: 'folder', but {len(bare)} of {len(entries)} pictures lie in no folder below "
            f"their class folder, such as {', '.join(bare[:3])}. Put every group into a folder of "
            "its own, or set data.group to a pattern or to null."
        )
    return groups


def _folder(entry: Entry) -> str:
    """The folders of a picture without those that name its part and its class."""
    if entry.folder:
        return entry.filename.removeprefix(f"{entry.folder}/").rpartition("/")[0]
    folders = list(PurePosixPath(entry.filename).parent.parts)
    for known in (entry.part, entry.class_name):
        if folders[:1] == [known]:
            del folders[0]
    return "/".join(folders)


def _group(match: re.Match[str] | None) -> str:
    if match is None:
        return ""
    return (match[1] if match.re.groups else match[0]) or ""


LARGE_SHARE = 0.05  # of the images of a class
LARGE_FACTOR = 2  # times the share that the class's groups have on average
FEWEST_OF_LARGE = 10  # images; a few are a large share of a small class


def large_groups(table: pd.DataFrame) -> pd.DataFrame:
    """The groups that hold an unusual share of a class, the largest share first.

    More than LARGE_SHARE of its images and more than LARGE_FACTOR times what its groups hold on
    average, and FEWEST_OF_LARGE images or more. table: an index with joined groups. Returns columns
    of LARGE_GROUPS_TABLE.
    """
    place = ["class_name", "group"]
    found = table.groupby(place)["named_group"].agg(images="size", named_groups="nunique")
    found = found.reset_index()
    found["of"] = found.groupby("class_name")["images"].transform("sum")
    share = found["images"] / found["of"]
    number = found.groupby("class_name")["group"].transform("size")
    large = found["images"] > most_images_of_usual_group(found["of"], number)
    large &= found["images"] >= FEWEST_OF_LARGE
    order = pd.DataFrame({"share": -share, "class": found["class_name"], "group": found["group"]})
    found = found.loc[order[large].sort_values(["share", "class", "group"]).index]
    return LARGE_GROUPS_TABLE.rows(found.to_dict("records"))


def most_images_of_usual_group(images: pd.Series, groups: pd.Series) -> pd.Series:
    """LARGE_SHARE of the images, or LARGE_FACTOR times the mean size of the groups if it is more.

    images, groups: how many a class has.
    """
    return images * np.maximum(LARGE_SHARE, LARGE_FACTOR / groups)


def large_group_warning(large: pd.DataFrame) -> str:
    """The large groups in one sentence, '' without any. large: see large_groups."""
    if large.empty:
        return ""
    listed = [
        f"{row.group} with {row.images / row.of:.0%} of class {row.class_name} ({row.images:,} of "
        f"{row.of:,} images"
        + (f", joined from {row.named_groups:,} groups)" if row.named_groups > 1 else ")")
        for row in large.head(LISTED).itertuples()
    ]
    more = f"; {len(large) - LISTED} more" if len(large) > LISTED else ""
    remedy = "Check data.group, or the group column of the manifest"
    if (large["named_groups"] > 1).any():
        remedy += ", and data/groups/joins.csv: a lower split.join_distance joins less"
    return (
        f"large groups: {'; '.join(listed)}{more} (data/groups/large_groups.csv). A group is "
        "never split, so that folds and the test part cannot hold even shares of these classes. "
        f"{remedy}."
    )


def counts(table: pd.DataFrame, near: int | None, consecutive: int | None) -> dict[str, int | None]:
    """What splitting.joining did, by name: whole numbers, None where nothing was compared.

    groups; joined_groups, those of several named groups; joined_images, in them;
    joined_named_groups, the groups that came with several images and were joined with another such;
    largest_group, its images; large_groups, see above; official_validation, the images of the
    official validation part; near_in_train_and_test and near_in_train_and_validation, the images of
    that official part with a near-duplicate outside (of the validation part: in the training part);
    groups_known, 1 if any two images belong together by their names or as neighbours, else 0.
    """
    members = table.groupby("group")["named_group"].agg(["count", "nunique"])
    joined = members[members["nunique"] > 1]
    named = table.groupby(["group", "named_group"]).size()
    named = named[named > 1].groupby("group").size()
    known = consecutive is not None or not table["named_group"].is_unique
    return {
        "groups": len(members),
        "joined_groups": len(joined),
        "joined_images": int(joined["count"].sum()),
        "joined_named_groups": int(named[named > 1].sum()),
        "largest_group": int(members["count"].max()),
        "large_groups": len(large_groups(table)),
        "near_in_train_and_test": None if near is None else _near_across(table, TEST, near),
        "official_validation": int((table["part"] == VALIDATION).sum()),
        "near_in_train_and_validation": None
        if near is None
        else _near_across(table[table["part"] != TEST], VALIDATION, near),
        "groups_known": int(known),
    }


def _near_across(table: pd.DataFrame, part: str, distance: int) -> int:
    """How many images of a part have a near-duplicate outside."""
    inside = table["part"] == part
    if not inside.any():
        return 0
    sides = (similarity.appearance(table[side]) for side in (inside, ~inside))
    near = [tested for tested, _ in similarity.similar_pairs(*sides, distance)]
    return len(np.unique(np.concatenate(near))) if near else 0
