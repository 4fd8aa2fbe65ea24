"""Which pictures belong together: as the user says, or as their names suggest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trackbed.creation import group_patterns
from trackbed.creation.group_patterns import GroupedPictures
from trackbed.dataset.groups import FOLDER, WHERE, Grouping
from trackbed.dataset.schema import Listing
from trackbed.pipeline.errors import BadData, UserError

NONE = "none"
OPTION = "--group"
SHOWN = 3  # file names of an example
INDEPENDENT = Grouping(None, False)


@dataclass(frozen=True)
class GroupChoice:
    """A way to group, and how many groups of several pictures are known by it."""

    grouping: Grouping
    groups: int  # 0 where every picture is independent


def chosen(listing: Listing, given: str | None, per_class: bool | None) -> GroupChoice | None:
    """What --group says, or the manifest's groups; None where neither says anything.

    Raises UserError where a pattern does not fit, or stands beside the groups of a manifest.
    """
    named = group_patterns.manifest_groups(listing)
    if given in (None, NONE):
        if given == NONE and named:
            raise UserError(
                f"{OPTION} {NONE}: the manifest has a column 'group', which counts. Remove that "
                "column where all pictures are independent."
            )
        return GroupChoice(INDEPENDENT, named) if given == NONE or named else None
    if named:
        raise UserError(f"{OPTION}: the manifest has a column 'group' of its own; leave it out.")
    return choice(groups_of(listing, given, per_class))


def groups_of(listing: Listing, pattern: str, per_class: bool | None) -> GroupedPictures:
    """The groups of a pattern that a user gives. Raises UserError where it does not fit."""
    try:
        return group_patterns.groups_of(listing, pattern, per_class)
    except UserError as problem:
        text = str(problem).removeprefix(f"{WHERE}: ").replace("or null where", f"or {NONE} where")
        raise UserError(f"{OPTION}: {text}") from None


def choice(found: GroupedPictures | None) -> GroupChoice:
    """The choice of groups; None: every picture is independent."""
    if found is None:
        return GroupChoice(INDEPENDENT, 0)
    return GroupChoice(found.grouping, found.groups)


def description(found: GroupedPictures) -> str:
    """What a way to group makes of the pictures, with an example."""
    name, files = found.example()
    shown = ", ".join(file.rpartition("/")[2] for file in files[:SHOWN])
    more = ", ..." if len(files) > SHOWN else ""
    ways = "the folders below the class folders"
    by = ways if found.grouping.pattern == FOLDER else f"'{found.grouping.pattern}'"
    own = ", counted anew in every class" if found.grouping.per_class else ""
    return (
        f"{by} makes {found.groups:,} groups of {found.images:,} pictures{own}. "
        f"Group {name} has {len(files):,}: {shown}{more}"
    )


def asked(
    listing: Listing, proposed: GroupedPictures | None, answer: Callable[[str], str]
) -> GroupChoice:
    """The choice of a user at a terminal; the proposal, or none, where the answer is empty.

    answer: shows a question and returns a line. A wrong pattern is explained and asked for again.
    """
    print(*_question(proposed), sep="\n")
    while True:
        text = answer("> ").strip()
        if not text:
            return choice(proposed)
        try:
            found = chosen(listing, text, None)
        except (UserError, BadData) as problem:
            print(str(problem).removeprefix(f"{OPTION}: "))
            continue
        if text != NONE:
            print(description(groups_of(listing, text, None)))
        return found or choice(None)


def _question(proposed: GroupedPictures | None) -> Iterator[str]:
    yield (
        "\nDo several pictures show the same object, place or drive? They then belong to one "
        "group,\nwhich a split keeps on one side; otherwise the scores are too good."
    )
    if proposed is None:
        yield "The names of files and folders suggest no groups."
        yield f"Enter: every picture is independent. Or a pattern such as ^(\\d+)_, or '{FOLDER}'."
        return
    yield description(proposed)
    yield f"Enter: use these groups. '{NONE}': every picture is independent. Or another pattern."
