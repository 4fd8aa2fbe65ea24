"""`trackbed verify`: is everything still as dvc.lock has it?"""

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

DESCRIPTION = """\
Hash every output, every file in an output folder, and the objects that DVC keeps of them, and
compare them with dvc.lock and the .dvc files. DVC itself believes its cache: it checks a damaged
file out and reports it up to date.

--repair puts right what another place still holds as recorded. A file of the workspace that it
replaces is kept below .cache/verify/, as is a damaged object that no place holds otherwise. It
fetches single files from the remote storage; with --remote it writes damaged and missing ones there
too. An output that is not in the workspace at all is left alone.

exit code: 0 all is as recorded, or was made so; 1 something differs; 2 it cannot tell."""
DIFFERS, CANNOT_TELL = 1, 2


def add_to(commands: "argparse._SubParsersAction") -> None:
    """Add the command to those of the program."""
    command = commands.add_parser(
        "verify",
        help="find damaged files in workspace, cache and remote storage, and repair them",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--remote",
        nargs="?",
        const="",
        metavar="NAME",
        help="look into the remote storage too, which reads all of it; default: DVC's own choice",
    )
    command.add_argument("--repair", action="store_true", help="put right what can be")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings, and what was repaired; the exit code. Raises UserError."""
    from trackbed.integrity import dvc_lock, inspection, repair
    from trackbed.integrity.storage import Remotes

    ask = arguments.remote is not None
    with dvc_lock.repository() as repo, contextlib.ExitStack() as stack:
        if arguments.repair:
            stack.enter_context(repair.locked(repo))
        remotes = Remotes(repo, arguments.remote or None)
        seen = inspection.inspect(repo, remotes, _bar, ask=ask, fetch=arguments.repair)
        findings = _findings(seen)
        _tell(findings)
        done: set[tuple[str, str]] = set()
        if arguments.repair:
            work = repair.Repair(repo, remotes, seen.lists, write=ask)
            done = _repairs_with_output(work.outcomes(seen.checked))
    return _concluded(seen, findings, done)


def _findings(seen: "Inspection") -> list["Finding"]:
    from trackbed.integrity import verification

    found = verification.findings(seen.checked)
    return found + [verification.unlisted(path, output) for path, output in seen.unlisted]


def _tell(findings: Sequence["Finding"]) -> None:
    """What differs file by file, what is only not here output by output."""
    from trackbed.integrity.verification import Kind

    away: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        if finding.kind is Kind.WRONG:
            place = f"{_shortened(finding.path)}: {finding.where}: {finding.what}."
            print(f"{place} {_shortened(finding.remedy)}")
        else:
            away[finding.output, finding.what, finding.remedy] += 1
    for (output, what, remedy), count in away.items():
        files = f"{count:,} files " if count > 1 else ""
        print(f"{_shortened(output)}: {files}{what}. {_shortened(remedy)}")


def _repairs_with_output(outcomes: Iterator["Outcome"]) -> set[tuple[str, str]]:
    """Print the outcomes; place and object, or path, of what was repaired."""
    done = set()
    for outcome in outcomes:
        word = "repaired" if outcome.done else "NOT repaired"
        print(f"{word}: {_shortened(outcome.path)}: {outcome.where}: {_shortened(outcome.told)}")
        if outcome.done:
            done.add((outcome.where, outcome.name or outcome.path))
    return done


def _concluded(
    seen: "Inspection", findings: Sequence["Finding"], done: set[tuple[str, str]]
) -> int:
    """Print the counts; the exit code."""
    from trackbed.integrity.verification import Kind

    wrong = [finding for finding in findings if finding.kind is Kind.WRONG]
    left = [finding for finding in wrong if (finding.where, _key(finding)) not in done]
    unknown = sum(finding.kind is Kind.UNKNOWN for finding in findings)
    away = sum(finding.kind is Kind.AWAY for finding in findings)
    print(_looked(seen))
    told = [f"{_by_place(left)} as recorded" if left else "all as recorded"]
    told += [f"{len(wrong) - len(left):,} repaired"] if len(wrong) > len(left) else []
    told += [f"{away:,} not here"] if away else []
    told += [f"{unknown:,} perhaps in the remote storage alone"] if unknown else []
    print("; ".join(told))
    names = ", ".join(output.path for output in seen.unrecorded)
    if names:
        print(f"no record of {_shortened(names)}: `dvc repro` was not run for it yet")
    never_run = any(output.made for output in seen.unrecorded) and not any(
        one.file.output.made for one in seen.checked
    )
    if left:
        return DIFFERS
    return CANNOT_TELL if unknown or never_run else 0


def _looked(seen: "Inspection") -> str:
    """How many files were looked at in each place."""
    places: Counter[str] = Counter()
    for one in seen.checked:
        places.update(one.copies.places().keys())
    outputs = {one.file.output.path for one in seen.checked}
    counts = ", ".join(f"{place} {count:,}" for place, count in sorted(places.items()))
    asked = "" if "remote" in places else ", remote not asked"
    return f"checked: {len(outputs)} outputs; files: {counts}{asked}"


def _by_place(findings: Sequence["Finding"]) -> str:
    places = Counter(finding.where for finding in findings)
    counts = ", ".join(f"{place} {count:,}" for place, count in places.items())
    return f"{len(findings):,} NOT ({counts})"


def _key(finding: "Finding") -> str:
    return finding.name or finding.path


def _shortened(text: str) -> str:
    """Without control characters, which `dvc add` takes in names."""
    from trackbed.dataset.schema import printable

    return printable(text)


@contextlib.contextmanager
def _bar(title: str, total: int) -> Iterator["Progress"]:
    """On a terminal, a bar of the bytes that were read."""
    import sys

    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    hidden = not sys.stdout.isatty()
    with Progress(*columns, TimeRemainingColumn(), disable=hidden, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)
