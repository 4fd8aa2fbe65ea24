"""`trackbed scan`: problems of a folder of pictures for DVC or the build."""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

HELP = "check a folder of pictures before `dvc add`"
DESCRIPTION = """\
Scan FOLDER before `dvc add FOLDER`, which copies the targets of symbolic links into the cache,
loses empty class folders, and was seen to hang and to stop without naming the file. List in one run
all that would stop `dvc add`, the stage build_tfrecord or the stage split, and every file that the
build would reject. Limits and rules are those of params.yaml; without that file, the defaults,
and the split is not tried. What belongs to one source (data.classes, parts, group) counts where
data.source is FOLDER. Only regular files are opened, and only the file of --csv is written.

exit code: 0 nothing stops `dvc add`, build or split (single files may be rejected), 3 something in
the folder does, 2 wrong arguments, or nothing but params.yaml is wrong."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    what = "of class folders, with a manifest.csv, or of TFRecord files"
    parser.add_argument("folder", type=Path, metavar="FOLDER", help=what)
    parser.add_argument("--classes", metavar="A,B", help="as data.classes; default: all")
    parser.add_argument("--quick", action="store_true", help="open no picture")
    parser.add_argument(
        "--examples", type=int, default=3, metavar="N", help="names per reason; default: 3"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the whole list there")


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; the exit code. Raises UserError."""
    from trackbed.dataset import pool
    from trackbed.dataset.source_scan import scan
    from trackbed.integrity import dvc_repo
    from trackbed.pipeline.errors import BadData, UserError
    from trackbed.pipeline.outputs import refuse_places

    folder = arguments.folder
    refuse_places({"--csv": arguments.csv}, outside=folder)
    faults = _faults()
    settings, note = _settings(folder, arguments.classes)
    found = scan(folder, settings, None if arguments.quick else pool.cores())
    refusals = dvc_repo.add_refusals(folder)
    print("\n".join(lines(found, folder, arguments.examples, refusals, faults)))
    print(note, end="")
    if arguments.csv:
        _write(arguments.csv, found.table())
    if refusals or not found.is_fine():
        return BadData.exit_code
    return UserError.exit_code if faults else 0


def lines(
    found: Any, folder: Path, examples: int, refusals: Sequence[str], faults: Sequence[str]
) -> Iterator[str]:
    """A scan line by line: the counts, what was found with examples, and the verdict.

    refusals: why `dvc add` refuses the folder. faults: of params.yaml.
    """
    from trackbed.pictures.file_names import printable

    root = printable(str(folder))
    table = found.table()
    yield f"{root}: {_counted(found)}"
    yield from found.notes
    titles = {
        "hazard": "not safe for `dvc add`",
        "rejected": "rejected by the build",
        "ignored": "ignored by the build; `dvc add` would keep them",
    }
    for outcome, title in titles.items():
        rows = table[table["outcome"] == outcome]
        if len(rows):
            yield f"\n{title}: {len(rows):,}"
            yield from _reasons(rows.itertuples(), examples)
    for what, problems in {
        "refused by `dvc add`": refusals,
        "wrong in params.yaml": faults,
        "stops the build (build_tfrecord)": found.build_problems,
        "stops the split": found.split_problems,
    }.items():
        if problems:
            yield f"\n{what}:"
            yield from (f"  {line}" for problem in problems for line in problem.splitlines())
    safe = "is not safe" if found.hazards else "is safe"
    yield f"\n`dvc add {root}` {'is refused' if refusals else safe}; {_build(found, faults)}."


def _build(found: Any, faults: Sequence[str]) -> str:
    """What build and split would do."""
    fails = found.build_problems or faults
    count = len(found.rejects)
    if count:
        text = f"the build would reject {count:,} of the files{' and fail' if fails else ''}"
    elif fails:
        text = "the build would fail"
    else:
        text = "the build would take every picture" if found.counts else "no picture was opened"
    return f"{text}; the split would fail" if found.split_problems else text


def _counted(found: Any) -> str:
    counts = found.counts
    if not counts:
        return f"{found.files:,} files"
    return (
        f"{counts['seen']:,} files = {counts['accepted']:,} accepted + {counts['rejected']:,} "
        f"rejected + {counts['ignored']:,} ignored; {counts['classes']} classes"
    )


def _reasons(rows: Iterable[Any], examples: int) -> Iterator[str]:
    rows = list(rows)
    for reason, count in Counter(row.reason for row in rows).most_common():
        if reason:
            yield f"  {reason}: {count:,}"
        for row in [row for row in rows if row.reason == reason][:examples]:
            yield f"    {row.filename}" + (f"  ({row.detail})" if row.detail else "")
        if count > examples:
            yield f"    and {count - examples:,} more"


def _write(path: Path, table: Any) -> None:
    from trackbed.pipeline import outputs
    from trackbed.pipeline.errors import UserError

    try:
        outputs.write_csv(path, table)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}).") from None


# The sections of params.yaml that build_tfrecord and split read.
SECTIONS = ("data", "runtime", "split")


def _faults() -> list[str]:
    """What the stages would refuse in params.yaml."""
    from trackbed.experiments import validity
    from trackbed.pipeline import params
    from trackbed.pipeline.errors import UserError

    faults = []
    models = {section: validity.section_model(section) for section in SECTIONS}
    for section, model in models.items():
        try:
            if model is not None:
                params.load(section, model)
            elif params.PARAMS.exists():
                params.sections()
        except UserError as error:
            faults.append(str(error))
    return list(dict.fromkeys(faults))


def _settings(folder: Path, classes: str | None) -> tuple[Any, str]:
    """What params.yaml says of this folder, and a line where it names another as its source.

    A wrong value is left out, as if it were not there.
    """
    from trackbed.dataset.groups import Grouping
    from trackbed.dataset.source_scan import Settings
    from trackbed.pictures.rejections import Limits
    from trackbed.pipeline import params

    p = _params()
    wanted = classes.split(",") if classes else None
    limits = Limits(p.max_pixels, p.min_side, p.max_aspect, p.white_level, p.boxes)
    rules = {name: getattr(p, name) for name in ("crop_margin", "max_rejects", "on_conflict")}
    split = partial(_split, p) if params.PARAMS.exists() else None
    settings = Settings(limits, wanted, split=split, **rules)
    if p.source is None or Path(p.source).resolve() != folder.resolve():
        other = f"params.yaml names another data.source, {p.source}: " if p.source else ""
        note = f"{other}its data.classes, parts and group were not used.\n" if other else ""
        return settings, note
    grouping = Grouping(p.group, p.group_per_class)
    own = {"classes": wanted or p.classes, "parts": p.parts, "grouping": grouping}
    return replace(settings, **own), ""


def _split(p: Any, table: Any) -> None:
    """Raise the UserError that the split of an index would raise; joins no groups."""
    from trackbed.dataset.schema import TRAIN, VALIDATION
    from trackbed.splitting import folds

    if p.validation_part == TRAIN:
        table = table.assign(part=table["part"].replace(VALIDATION, TRAIN))
    folds.assigned(table, p.folds, p.test_share, p.seed)


def _params() -> Any:
    from pydantic import Field, ValidationError

    from trackbed.dataset.duplicates import OnConflict
    from trackbed.dataset.part_name import PartName
    from trackbed.pictures.rejections import Boxes
    from trackbed.pipeline import params
    from trackbed.pipeline.errors import UserError
    from trackbed.pipeline.params import Maybe

    class ScanParams(params.Section, extra="ignore"):
        """What the build and the split let pass; the defaults are those of params.yaml."""

        source: Maybe[str] = None
        classes: Maybe[list[str]] = None
        parts: Maybe[dict[str, PartName]] = None
        group: Maybe[str] = None
        group_per_class: bool = False
        crop_margin: float = Field(0, ge=0)
        max_rejects: float = Field(0.05, ge=0, le=1)
        max_pixels: int = Field(50_000_000, ge=1)
        min_side: int = Field(8, ge=1)
        max_aspect: float = Field(20, ge=1)
        on_conflict: OnConflict = "reject"
        folds: int = Field(5, ge=2)
        test_share: float = Field(0.2, gt=0, lt=1)
        validation_part: str = "fold"
        seed: int = 0
        boxes: Boxes = "check"
        white_level: Maybe[int] = Field(None, ge=1, le=65535)

    try:
        sections = params.sections() if params.PARAMS.exists() else {}
    except UserError:  # one of `_faults`
        sections = {}
    given: dict[str, Any] = {}
    for section in ("data", "split"):
        values = sections.get(section)
        for key, value in (values if isinstance(values, dict) else {}).items():
            with suppress(ValidationError):
                ScanParams.model_validate({key: value})
                given[key] = value
    return ScanParams.model_validate(given)
