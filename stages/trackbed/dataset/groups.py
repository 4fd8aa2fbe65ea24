"""Groups of pictures that belong together: named by the source, merged where pictures match."""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from trackbed.dataset import duplicates
from trackbed.dataset.schema import Entry, Found
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.index import TEST, VALIDATION

WHERE = "params.yaml, data.group"
FOLDER = "folder"  # in place of a pattern


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
        raise UserError(f"{WHERE}: not a regular expression ({error}), got {pattern!r}.") from None
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


def join_groups(table: pd.DataFrame, near: int | None, consecutive: int | None) -> pd.DataFrame:
    """The index with joined groups in `group`, and those it came with in `named_group`.

    Two groups become one where a picture of one is a near-duplicate of one of the other (`near`
    bits of their perceptual hashes, see duplicates.similar_pairs), or its neighbour in name order
    (of one class, in `consecutive` bits); None: no such joining. Pictures of the official test
    part, and of the official validation part, are joined to one another alone. A joined group has
    the first name of its groups in alphabetical order. The result does not depend on the order of
    the rows.
    """
    code, names = pd.factorize(table["group"], sort=True)
    side = _sides(table)
    label = np.arange(len(names))
    for left, right in _linked_pairs(table, near, consecutive):
        within = side[left] == side[right]
        label = _merged_labels(label, code[left[within]], code[right[within]])
    first = pd.Series(np.arange(len(names))).groupby(label).min().to_numpy()
    return table.assign(group=np.asarray(names)[first[label[code]]], named_group=table["group"])


def counts(table: pd.DataFrame, near: int | None, consecutive: int | None) -> dict[str, int | None]:
    """What `join_groups` did, by name: whole numbers, None where nothing was compared.

    groups; joined_groups, those of several named groups; joined_images, in them; largest_group,
    its images; official_validation, the images of the official validation part;
    near_in_train_and_test and near_in_train_and_validation, the images of that official part with
    a near-duplicate outside (of the validation part: in the training part); groups_known, 1 if any
    two images belong together by their names or as neighbours, else 0.
    """
    members = table.groupby("group")["named_group"].agg(["count", "nunique"])
    joined = members[members["nunique"] > 1]
    known = consecutive is not None or not table["named_group"].is_unique
    return {
        "groups": len(members),
        "joined_groups": len(joined),
        "joined_images": int(joined["count"].sum()),
        "largest_group": int(members["count"].max()),
        "near_in_train_and_test": None if near is None else _near_across(table, TEST, near),
        "official_validation": int((table["part"] == VALIDATION).sum()),
        "near_in_train_and_validation": None
        if near is None
        else _near_across(table[table["part"] != TEST], VALIDATION, near),
        "groups_known": int(known),
    }


def neighbours_in_name_order(table: pd.DataFrame, distance: int) -> Iterator[duplicates.Pairs]:
    """Similar pictures of one class and part whose names follow one another, as pairs.

    Numbers in names are compared as numbers. Their hashes differ in `distance` bits at most.
    """
    columns = (table[name] for name in ("class_name", "filename", "record"))
    keys = [
        (side, class_name, _natural_key(filename), record)
        for side, class_name, filename, record in zip(_sides(table), *columns, strict=True)
    ]
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=int)
    left, right = order[:-1], order[1:]
    hashes = duplicates.parsed_hashes(table["perceptual_hash"])
    near = np.bitwise_count(hashes[left] ^ hashes[right]) <= distance
    near &= np.array([keys[a][:2] == keys[b][:2] for a, b in zip(left, right, strict=True)], bool)
    yield left[near], right[near]


def _sides(table: pd.DataFrame) -> np.ndarray:
    """A number per record: 2 in the official test part, 1 in the official validation part, or 0."""
    return table["part"].map({VALIDATION: 1, TEST: 2}).fillna(0).to_numpy(int)


def _linked_pairs(
    table: pd.DataFrame, near: int | None, consecutive: int | None
) -> Iterator[duplicates.Pairs]:
    if near is not None:
        yield from duplicates.similar_pairs(table, table, near)
    if consecutive is not None:
        yield from neighbours_in_name_order(table, consecutive)


def _merged_labels(label: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Labels of groups after some pairs of them became one; block by block, for flat memory."""
    ends = label[left], label[right]
    if (ends[0] == ends[1]).all():
        return label
    shape = (label.max() + 1,) * 2
    graph = coo_array((np.ones(len(left), dtype=bool), ends), shape)
    return connected_components(graph, directed=False)[1][label]


def _near_across(table: pd.DataFrame, part: str, distance: int) -> int:
    """How many images of a part have a near-duplicate outside."""
    inside = table["part"] == part
    if not inside.any():
        return 0
    sides = table[inside], table[~inside]
    near = [tested for tested, _ in duplicates.similar_pairs(*sides, distance)]
    return len(np.unique(np.concatenate(near))) if near else 0


def _natural_key(name: str) -> list[str | int]:
    pieces = re.split("([0-9]+)", name)
    return [int(piece) if number % 2 else piece for number, piece in enumerate(pieces)]
