"""`trackbed new`: a project of one's own for a folder of pictures."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trackbed.pipeline.errors import BadData, UserError

if TYPE_CHECKING:
    from trackbed.creation.group_choice import GroupChoice
    from trackbed.creation.proposals import Proposal
    from trackbed.creation.source_facts import SourceFacts
    from trackbed.creation.source_folder import Amount
    from trackbed.dataset.groups import Grouping

ASKED_FROM = 10**9  # bytes of pictures: from here on a terminal is asked whether to copy them
LISTED = 5

HELP = "make a project of your own for a folder of pictures"
DESCRIPTION = """\
Make a git and DVC project in FOLDER, which is new or empty: the stages and their code, params.yaml
with values that suit the pictures, recipes, docs, the locked environment and two first commits.
Then `dvc repro` in FOLDER trains, evaluates and reports.

--copy, the default, has DVC copy the pictures once, into FOLDER/.dvc/cache; FOLDER/data/pictures
holds links to that copy where the disk knows hard links or reflinks. DVC can then share, version
and restore them. --link copies nothing: data.source is the absolute path of PICTURES, the project
works only where they are, and DVC notices a change but cannot undo it.

--group says which pictures belong together, because they show one object, place or drive; a split
keeps them on one side. Without it, the names of files and folders are searched for groups; on a
terminal you are asked. Nothing in PICTURES is changed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new or an empty folder")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="PICTURES",
        help="folder of class folders (optionally below train/, val/ and test/), with a "
        "manifest.csv, or of TFRecord files",
    )
    parser.add_argument(
        "--group",
        metavar="PATTERN",
        help="a regular expression on the file name, whose first (...) is the group; folder: the "
        "folders below the class folders; none: every picture is independent",
    )
    parser.add_argument(
        "--group-per-class",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether one group name in two classes means two groups; default: by the names",
    )
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--copy", action="store_true", help="have DVC copy the pictures; the default")
    kept.add_argument("--link", action="store_true", help="use the pictures where they are")


def run(arguments: argparse.Namespace) -> None:
    """Make the project and print what to do next. Raises UserError; nothing is left then."""
    import dvc  # noqa: F401  # named first where only predicting is installed

    from trackbed.creation import first_commits, overview, project_files, proposals, source_facts
    from trackbed.creation.unfinished_folder import filled

    folder, pictures = arguments.folder, arguments.data
    project_files.root()
    _refuse_places(folder, pictures)
    first_commits.refuse_without_identity()
    facts = source_facts.read(pictures)
    print(f"{pictures}: {_counted(facts)}")
    found = _groups(facts, arguments)
    values = proposals.from_data(facts, found.grouping, found.groups)
    _refuse_problems(pictures, found.grouping, values)
    with filled(folder) as project:
        first_commits.start(project, project_files.write(project))
        source, tracked, kept = _source(project, pictures, arguments)
        title = folder.absolute().name
        values = [source, *values, proposals.title(title)]
        _write_params(project, values)
        notes = proposals.notes(facts, values)
        text = overview.readme(title, kept, facts, values, notes)
        (project / "README.md").write_text(text, encoding="utf-8", newline="\n")
        names = ["params.yaml", "README.md", *tracked]
        first_commits.commit(project, names, f"Pictures and parameters of {title}")
    print(*overview.summary(folder, values, notes), sep="\n")


def _refuse_places(folder: Path, pictures: Path) -> None:
    """Raise UserError where the project cannot be made here, before anything is read."""
    from trackbed.creation.first_commits import refuse_inside_another
    from trackbed.creation.unfinished_folder import refuse_used
    from trackbed.pictures.file_names import has_bad_name, printable

    if not pictures.is_dir():
        what = (
            "not a folder; name the folder that holds it" if pictures.exists() else "no such folder"
        )
        raise UserError(f"--data {pictures}: {what}.")
    inner, outer = folder.resolve(), pictures.resolve()
    for path in (inner, outer):
        if has_bad_name(str(path)):
            fault = "not UTF-8, or with control characters"
            raise UserError(f"{printable(str(path))}: unusable name, {fault}. Rename it.")
    refuse_used(folder)
    if inner.is_relative_to(outer):
        raise UserError(f"{folder}: inside the pictures {pictures}. Name a folder elsewhere.")
    refuse_inside_another(folder)


def _counted(facts: "SourceFacts") -> str:
    parts = f" in the parts {', '.join(sorted(facts.parts))}" if facts.parts else ""
    return f"{facts.images:,} pictures in {len(facts.listing.classes)} classes{parts}"


def _groups(facts: "SourceFacts", arguments: argparse.Namespace) -> "GroupChoice":
    """How the pictures are grouped: given, asked for, or proposed and printed."""
    from trackbed.creation import group_choice, group_patterns

    listing = facts.listing
    found = group_choice.chosen(listing, arguments.group, arguments.group_per_class)
    if found is not None:
        return found
    proposed = group_patterns.proposed(listing)
    if sys.stdin.isatty() and sys.stdout.isatty():
        return group_choice.asked(listing, proposed, _answer)
    if proposed is not None:
        print(f"groups by the names: {group_choice.description(proposed)}")
    else:
        print("groups: none by the names; every picture counts as independent")
    return group_choice.choice(proposed)


def _answer(question: str) -> str:
    """A line that the user types; '' at the end of the input."""
    try:
        return input(question)
    except EOFError:
        return ""


def _refuse_problems(pictures: Path, grouping: "Grouping", values: "Sequence[Proposal]") -> None:
    """Raise BadData for what `dvc add`, the build or the split would not take."""
    from trackbed.creation.source_facts import LIMITS
    from trackbed.dataset.source_scan import Settings, scan
    from trackbed.splitting import folds

    given = {one.key: one.value for one in values}
    share, count = float(given.get("test_share", 0.2)), int(given.get("folds", 5))
    settings = Settings(
        LIMITS, grouping=grouping, split=lambda table: folds.assigned(table, count, share, 0)
    )
    found = scan(pictures.resolve(), settings, None)
    print(*found.notes, sep="\n", end="\n" if found.notes else "")
    hazards = [f"{one.filename}: {one.reason} {one.detail}".strip() for one in found.hazards]
    if len(hazards) > LISTED:
        hazards[LISTED:] = [f"and {len(hazards) - LISTED:,} more"]
    problems = [*hazards, *found.build_problems, *found.split_problems]
    if problems:
        raise BadData(
            "\n".join(
                [f"{pictures}: cannot become a project. `trackbed scan` lists all:", *problems]
            )
        )


def _source(
    project: Path, pictures: Path, arguments: argparse.Namespace
) -> "tuple[Proposal, list[str], str]":
    """data.source, the files that git is to track for it, and how the pictures are kept."""
    from trackbed.creation import proposals, source_folder

    amount = source_folder.amount(pictures)
    if arguments.link or not (arguments.copy or _may_copy(amount)):
        place = str(pictures.resolve())
        kept = (
            f"`data.source` is {place}, outside of this project: {amount}, not copied. DVC notices "
            "a change there, and cannot share or restore the pictures."
        )
        print(f"pictures: stay in {place} ({amount})")
        return proposals.source(place, "the pictures where they are"), [], kept
    linked = source_folder.links_work(project)
    source_folder.refuse_full_disk(project, amount.size * (1 if linked else 2))
    once = "once, into DVC's cache" if linked else "twice, since this disk knows no links"
    print(f"pictures: {amount} are copied {once}; those in {pictures} stay as they are")
    tracked = source_folder.copy_into(project, pictures)
    kept = (
        f"`{source_folder.PLACE}` is a copy of {amount} that DVC keeps. After a change there, run "
        f"`dvc add {source_folder.PLACE}`, then `dvc repro`. `dvc push` shares it "
        "([docs/remote.md](docs/remote.md))."
    )
    reason = "a copy of the pictures, tracked by DVC"
    return proposals.source(source_folder.PLACE, reason), tracked, kept


def _may_copy(amount: "Amount") -> bool:
    """Whether a folder may be copied; a terminal is asked where it is large."""
    if amount.size < ASKED_FROM or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    print(f"\nThe pictures are {amount}. Enter: copy them once. 'link': use them where they are.")
    return _answer("> ").strip() != "link"


def _write_params(project: Path, values: "Sequence[Proposal]") -> None:
    from trackbed.commands.recipe import with_recipe
    from trackbed.creation import proposals

    path = project / "params.yaml"
    text = with_recipe(path.read_text(encoding="utf-8"), proposals.overlay(values), path)
    path.write_text(text, encoding="utf-8", newline="\n")
