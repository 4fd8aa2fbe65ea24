"""`trackbed scan`: problems of a folder of pictures for DVC or the build."""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HELP = "check a folder of pictures before `dvc add`"
DESCRIPTION = """\
Scan FOLDER before `dvc add FOLDER`, which copies the targets of symbolic links into the cache,
loses empty class folders, and was seen to hang and to stop without naming the file. List all files
that DVC cannot keep safely. Then check every picture as the build would, within the limits of
params.yaml (the default parameters if there is no such file): data.max_pixels, min_side,
max_aspect and crop_margin. Only regular files are opened, and only the file of --csv is written.

exit code: 0 `dvc add` is safe and no picture is rejected, 3 otherwise."""


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
    from trackbed.dataset.schema import Limits
    from trackbed.dataset.source_scan import scan
    from trackbed.pipeline.errors import BadData

    p = _params()
    _refuse_inside(arguments.csv, arguments.folder)
    found = scan(
        arguments.folder,
        arguments.classes.split(",") if arguments.classes else None,
        Limits(p.max_pixels, p.min_side, p.max_aspect),
        p.crop_margin,
        None if arguments.quick else pool.cores(),
    )
    print("\n".join(lines(found, arguments.folder, arguments.examples)))
    if arguments.csv:
        _write(arguments.csv, found.table())
    return 0 if found.is_fine() else BadData.exit_code


def lines(found: Any, folder: Path, examples: int) -> Iterator[str]:
    """A scan line by line: the counts, what was found with examples, and the verdict."""
    from trackbed.dataset.schema import printable

    root = printable(str(folder))
    table = found.table()
    yield f"{root}: {_counted(found)}"
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
    if found.refusal:
        yield f"\nnot usable as a source: {found.refusal}"
    safe = "is not safe" if found.hazards else "is safe"
    yield f"\n`dvc add {root}` {safe}; {_build(found)}."


def _build(found: Any) -> str:
    """What the build would do."""
    if found.refusal:
        return "the build would refuse the folder as a whole"
    if len(found.rejects):
        return f"the build would reject {len(found.rejects):,} of the files"
    return "the build would take every picture" if found.counts else "no picture was opened"


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


def _refuse_inside(path: Path | None, folder: Path) -> None:
    from trackbed.pipeline.errors import UserError

    if path and path.resolve().is_relative_to(folder.resolve()):
        raise UserError(f"--csv {path}: must lie outside of {folder}, which is not changed.")


def _write(path: Path, table: Any) -> None:
    from trackbed.pipeline import outputs
    from trackbed.pipeline.errors import UserError

    try:
        outputs.write_csv(path, table)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}).") from None


def _params() -> Any:
    from pydantic import Field

    from trackbed.pipeline import params

    class Bounds(params.Section, extra="ignore"):
        """What the build lets pass; the defaults are those of params.yaml."""

        max_pixels: int = Field(50_000_000, ge=1)
        min_side: int = Field(8, ge=1)
        max_aspect: float = Field(20, ge=1)
        crop_margin: float = Field(0, ge=0)

    return params.load("data", Bounds) if params.PARAMS.exists() else Bounds()
