"""`trackbed verify`: check that all data is as dvc.lock records it."""

import argparse
import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trackbed.integrity.dvc_lock import Progress
    from trackbed.integrity.inspection import Inspection
    from trackbed.integrity.repair import Outcome
    from trackbed.integrity.verification import Finding

HELP = "find damaged files in workspace, cache and remote storage, and repair them"
DESCRIPTION = """\
Hash every output, every file in an output folder, and their objects in DVC's cache, and compare
them with dvc.lock and the .dvc files. DVC itself trusts its cache: it checks out a damaged file and
reports that it is up to date.

--repair restores files from any place that still has them as recorded. A replaced file of the
workspace is kept below .cache/verify/, and so is a damaged object of which no place has a good
copy. Single files are fetched from the remote storage; with --remote, damaged and missing files are
also written there. An output that is not in the workspace at all is left alone.

exit code: 0 all is as recorded, or was repaired; 1 something differs; 2 unknown."""
DIFFERS, CANNOT_TELL = 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument(
        "--remote",
        nargs="?",
        const="",
        metavar="NAME",
        help="check the remote storage too (reads all of it); default: DVC's default storage",
    )
    parser.add_argument("--repair", action="store_true", help="repair what can be repaired")


def run(arguments: argparse.Namespace) -> int:
    """Print the findings, and what was repaired; the exit code. Raises UserError."""
    from trackbed.integrity import dvc_repo, inspection, repair
    from trackbed.integrity.storage import Remotes

    remote = arguments.remote is not None
    with dvc_repo.repository() as repo, contextlib.ExitStack() as stack:
        if arguments.repair:
            stack.enter_context(repair.locked(repo))
        remotes = Remotes(repo, arguments.remote or None)
        inspected = inspection.inspect(repo, remotes, _bar, remote=remote, fetch=arguments.repair)
        findings = _findings(inspected)
        _print_findings(findings)
        repaired: set[tuple[str, str]] = set()
        if arguments.repair:
            work = repair.Repair(repo, remotes, inspected.lists, write=remote)
            repaired = _print_outcomes(work.outcomes(inspected.checked))
    return _conclude(inspected, findings, repaired)


def _findings(inspected: "Inspection") -> list["Finding"]:
    from trackbed.integrity import verification

    found = verification.findings(inspected.checked)
    return found + [verification.unlisted(path, output) for path, output in inspected.unlisted]


def _print_findings(findings: Sequence["Finding"]) -> None:
    """Print what differs by file, and what is only missing here by output."""
    from trackbed.integrity.verification import Kind

    away: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        if finding.kind is Kind.WRONG:
            problem = f"{_printable(finding.path)}: {finding.where}: {finding.problem}."
            print(f"{problem} {_printable(finding.remedy)}")
        else:
            away[finding.output, finding.problem, finding.remedy] += 1
    for (output, problem, remedy), count in away.items():
        files = f"{count:,} files " if count > 1 else ""
        print(f"{_printable(output)}: {files}{problem}. {_printable(remedy)}")


def _print_outcomes(outcomes: Iterator["Outcome"]) -> set[tuple[str, str]]:
    """Print the outcomes; (place, object or path) of what was repaired."""
    repaired = set()
    for outcome in outcomes:
        result = "repaired" if outcome.done else "NOT repaired"
        path, message = _printable(outcome.path), _printable(outcome.message)
        print(f"{result}: {path}: {outcome.where}: {message}")
        if outcome.done:
            repaired.add((outcome.where, outcome.name or outcome.path))
    return repaired


def _conclude(
    inspected: "Inspection", findings: Sequence["Finding"], repaired: set[tuple[str, str]]
) -> int:
    """Print the counts; the exit code."""
    from trackbed.integrity.verification import Kind

    wrong = [finding for finding in findings if finding.kind is Kind.WRONG]
    left = [finding for finding in wrong if (finding.where, _key(finding)) not in repaired]
    unknown = sum(finding.kind is Kind.UNKNOWN for finding in findings)
    away = sum(finding.kind is Kind.AWAY for finding in findings)
    print(_checked_counts(inspected))
    counts = [f"{_by_place(left)} as recorded" if left else "all as recorded"]
    counts += [f"{len(wrong) - len(left):,} repaired"] if len(wrong) > len(left) else []
    counts += [f"{away:,} not here"] if away else []
    counts += [f"{unknown:,} possibly in the remote storage only"] if unknown else []
    print("; ".join(counts))
    names = ", ".join(output.path for output in inspected.unrecorded)
    if names:
        print(f"no record of {_printable(names)}: `dvc repro` was not run for it yet")
    never_run = any(output.made for output in inspected.unrecorded) and not any(
        one.file.output.made for one in inspected.checked
    )
    if left:
        return DIFFERS
    return CANNOT_TELL if unknown or never_run else 0


def _checked_counts(inspected: "Inspection") -> str:
    """How many files were checked in each place."""
    places: Counter[str] = Counter()
    for one in inspected.checked:
        places.update(one.copies.places().keys())
    outputs = {one.file.output.path for one in inspected.checked}
    counts = ", ".join(f"{place} {count:,}" for place, count in sorted(places.items()))
    unchecked = "" if "remote" in places else ", remote not checked"
    return f"checked: {len(outputs)} outputs; files: {counts}{unchecked}"


def _by_place(findings: Sequence["Finding"]) -> str:
    places = Counter(finding.where for finding in findings)
    counts = ", ".join(f"{place} {count:,}" for place, count in places.items())
    return f"{len(findings):,} NOT ({counts})"


def _key(finding: "Finding") -> str:
    return finding.name or finding.path


def _printable(text: str) -> str:
    """Without control characters, which `dvc add` accepts in names."""
    from trackbed.pictures.file_names import printable

    return printable(text)


@contextlib.contextmanager
def _bar(title: str, total: int) -> Iterator["Progress"]:
    """On a terminal, a progress bar of the bytes read."""
    import sys

    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    hidden = not sys.stdout.isatty()
    with Progress(*columns, TimeRemainingColumn(), disable=hidden, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)
