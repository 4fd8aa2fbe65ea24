"""Patterns for data.group that the names of pictures suggest."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from trackbed.dataset.groups import FOLDER, Grouping, named_groups
from trackbed.dataset.schema import TEST, Entry, Found, Listing
from trackbed.pipeline.errors import UserError

SEPARATORS = ("_", "-", " ", ".")
FEWEST_GROUPS = 3  # of a class: for training, validation and test
# Names that look like groups by chance leave most pictures alone.
LEAST_SHARE = 0.5  # of the pictures, in groups of two or more
# Of the pictures of groups in several classes: as many have a namesake in another class.
RESTART_SHARE = 0.5


@dataclass(frozen=True)
class GroupedPictures:
    """What a way to group makes of the pictures of a source."""

    grouping: Grouping
    members: dict[str, list[str]]  # group -> file names, sorted

    @property
    def groups(self) -> int:
        """How many there are."""
        return len(self.members)

    @property
    def images(self) -> int:
        """Pictures in all of them."""
        return sum(map(len, self.members.values()))

    def example(self) -> tuple[str, list[str]]:
        """A group of usual size, and its file names."""
        by_size = sorted(self.members.items(), key=lambda item: (len(item[1]), item[0]))
        return by_size[len(by_size) // 2]


def manifest_groups(listing: Listing) -> int:
    """How many groups the source names itself, in the column `group` of its manifest; 0: none."""
    named = {one.group for one in listing.entries if one.group != one.filename}
    return len(named)


def proposed(listing: Listing) -> GroupedPictures | None:
    """The groups that names suggest; None where they suggest none.

    Folders below the class folders come first, then file names such as drive7_0012.jpg, whose end
    counts the pictures of a group, or whose beginning names it.
    """
    for pattern in (FOLDER, *_patterns(listing)):
        found = grouped(listing, pattern)
        if found and _is_plausible(found, listing):
            return found
    return None


def grouped(listing: Listing, pattern: str) -> GroupedPictures | None:
    """The groups of a pattern, or of FOLDER; None where it does not fit every name."""
    try:
        return groups_of(listing, pattern)
    except UserError:
        return None


def groups_of(listing: Listing, pattern: str, per_class: bool | None = None) -> GroupedPictures:
    """The groups of a pattern, or of FOLDER.

    `per_class` None finds out from the names whether groups begin anew in every class. Raises
    UserError where the pattern does not fit every name.
    """
    found = Found([replace(one, group="") for one in listing.entries], set(listing.classes))
    entries = named_groups(found, Grouping(pattern, False))
    if per_class is None:
        per_class = _restart_in_every_class(entries)
    if per_class:
        entries = named_groups(found, Grouping(pattern, True))
    members = defaultdict(list)
    for one in entries:
        members[one.group].append(one.filename)
    return GroupedPictures(Grouping(pattern, per_class), dict(members))


def _patterns(listing: Listing) -> Iterator[str]:
    """Patterns to try, for every separator that all names have."""
    stems = [PurePosixPath(one.filename).stem for one in listing.entries]
    for sign in SEPARATORS:
        if all(sign in stem for stem in stems):
            escaped = re.escape(sign) if sign == "." else sign
            first = f"^([^{escaped}]+){escaped}"
            last = rf"^(.+){escaped}[A-Za-z]*\d+\."
            same = all(stem.count(sign) == 1 for stem in stems)
            yield from ((first,) if same else (last, first))


def _is_plausible(found: GroupedPictures, listing: Listing) -> bool:
    sizes = [len(files) for files in found.members.values()]
    if sum(size for size in sizes if size > 1) < LEAST_SHARE * sum(sizes):
        return False
    group = {name: key for key, files in found.members.items() for name in files}
    parts: dict[str, set[str]] = defaultdict(set)
    for one in listing.entries:
        parts[group[one.filename]].add(one.part)
    if any(len(several) > 1 for several in parts.values()):
        return False  # a group is never in two parts
    of_class = {
        (one.class_name, group[one.filename]) for one in listing.entries if one.part != TEST
    }
    fewest = Counter(name for name, _ in of_class)
    return all(fewest[name] >= FEWEST_GROUPS for name in listing.classes)


def _restart_in_every_class(entries: list[Entry]) -> bool:
    """Whether the names of groups begin anew in every class, as the tracks of GTSRB do.

    One frame of a drive is in one class. So frames of the same name in two classes are of two
    drives.
    """
    classes = defaultdict(set)
    for one in entries:
        classes[one.group].add(one.class_name)
    shared = [one for one in entries if len(classes[one.group]) > 1]
    namesakes = defaultdict(set)
    for one in shared:
        # Once for all boxes in a picture.
        namesakes[PurePosixPath(one.filename).name].add(one.filename)
    doubles = sum(len(namesakes[PurePosixPath(one.filename).name]) > 1 for one in shared)
    return bool(shared) and doubles >= RESTART_SHARE * len(shared)
