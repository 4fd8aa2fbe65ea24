"""Groups of pictures that belong together, such as the frames of one drive."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from trackbed.ingest.entries import Entry, Found
from trackbed.problems import Problem

WHERE = "params.yaml, data.group"
FOLDER = "folder"  # in place of a pattern


@dataclass(frozen=True)
class Grouping:
    """How the group of a picture is found."""

    pattern: str | None  # for the base name, or FOLDER; None: the manifest's column
    per_class: bool  # the same group name in two classes means two groups


def grouped(found: Found, grouping: Grouping) -> list[Entry]:
    """The entries with their groups; a picture of which nothing is known is its own group.

    The first (...) of the pattern is the group, or the whole match where there is none; FOLDER
    takes the folders between the class folder (or the source) and the picture. Raises Problem for
    a pattern that is invalid, does not match every name, or stands beside a group column, and for
    a picture that lies in no such folder.
    """
    if grouping.pattern is not None:
        if found.has_groups:
            raise Problem(
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
        raise Problem(f"{WHERE}: not a regular expression ({error}), got {pattern!r}.") from None
    names = [PurePosixPath(entry.filename).name for entry in entries]
    groups = [_group(expression.search(name)) for name in names]
    unmatched = [name for name, group in zip(names, groups, strict=True) if not group]
    if unmatched:
        raise Problem(
            f"{WHERE}: {pattern!r} does not match {len(unmatched)} of {len(names)} file names, "
            f"such as {', '.join(unmatched[:3])}."
        )
    return groups


def _folders(entries: list[Entry]) -> list[str]:
    groups = [_folder(entry) for entry in entries]
    bare = [entry.filename for entry, group in zip(entries, groups, strict=True) if not group]
    if bare:
        raise Problem(
            f"{WHERE}: 'folder', but {len(bare)} of {len(entries)} pictures lie in no folder below "
            f"their class folder, such as {', '.join(bare[:3])}. Put every group into a folder of "
            "its own, or set data.group to a pattern or to null."
        )
    return groups


def _folder(entry: Entry) -> str:
    """The folders of a picture without those that name its part and its class."""
    folders = list(PurePosixPath(entry.filename).parent.parts)
    for known in (entry.part, entry.class_name):
        if folders[:1] == [known]:
            del folders[0]
    return "/".join(folders)


def _group(match: re.Match[str] | None) -> str:
    if match is None:
        return ""
    return (match[1] if match.re.groups else match[0]) or ""
