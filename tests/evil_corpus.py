"""Sources that try to fool the build, run through its real stage: `python tests/evil_corpus.py`."""

import csv
import json
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import evil
import evil_files
import evil_trees
import yaml
from evil_files import ACCEPTED

ROOT = Path(__file__).parents[1]
STAGE = ROOT / "stages" / "build_tfrecord.py"
SECONDS = 240
# Threads of numeric libraries reserve addresses that they never use.
ADDRESSES = 6 * 2**30
IGNORED = "ignored"
NOT_REGULAR, BAD_NAME = "rejected: not a regular file", "rejected: bad name"
NO_CLASS = "rejected: no class"
LONG = (evil_files.LONG,)


@dataclass(frozen=True)
class Case:
    """A file or a whole source, and what must become of it."""

    name: str  # for the table
    key: str  # the file's name in the tables of the build, or the source's folder
    write: Callable[[Path], object]  # puts the file at a path, or the source into a folder
    expected: tuple[str, ...]  # any of these; 'refused: WORDS' for a source


def picture(seed: int = 0) -> bytes:
    """A PNG that is like no other seed's."""
    return evil.saved(evil.picture(seed), "PNG")


def files() -> list[Case]:
    """Everything that lies in one source: contents, names and what is no regular file."""
    cases = [
        Case(name, f"GRAS/{name}", _content(data), _any(expected))
        for name, data, expected in evil_files.contents()
    ]
    cases += [
        Case(f"name {printed!r}", f"GRAS/{printed}", _content(picture()), (expected,))
        for printed, expected in NAMES.items()
    ]
    cases += [
        Case(f"class {name!r}", f"{name}/1.png", _content(picture(100 + seed)), (expected,))
        for seed, (name, expected) in enumerate(CLASSES.items())
    ]
    deep = "/".join(map(str, range(50)))
    places = {f"GRAS/{deep}/1.png": ACCEPTED, "stray.png": NO_CLASS}
    places |= dict.fromkeys(CLUTTER, IGNORED)
    cases += [Case(f"at {k}", k, _content(picture()), (v,)) for k, v in places.items()]
    return cases + [
        Case(name, f"GRAS/{name}", write, expected) for name, write, expected in nodes()
    ]


def _any(expected: str | tuple[str, ...]) -> tuple[str, ...]:
    return (expected,) if isinstance(expected, str) else expected


def _content(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


# By the name that the tables show.
NAMES = {
    'double "quotes".png': ACCEPTED,
    "single 'quote'.png": ACCEPTED,
    "comma, semicolon; tab.png": ACCEPTED,
    "$(touch stolen).png": ACCEPTED,
    "`touch stolen`.png": ACCEPTED,
    "; touch stolen #.png": ACCEPTED,
    "a && touch stolen.png": ACCEPTED,
    "${IFS}.png": ACCEPTED,
    "{{ 7 * 7 }}.png": ACCEPTED,
    "%s %d %n.png": ACCEPTED,
    "<img src=x onerror=alert(1)>.png": ACCEPTED,
    "&lt;b&gt;.png": ACCEPTED,
    "=1+1.png": ACCEPTED,
    "@SUM.png": ACCEPTED,
    "-rf.png": ACCEPTED,
    "--help": ACCEPTED,
    " leading blank.png": ACCEPTED,
    "trailing blank.png ": ACCEPTED,
    " ": ACCEPTED,
    "NaN": ACCEPTED,
    "null": ACCEPTED,
    "007": ACCEPTED,
    "con": ACCEPTED,
    "nul.png": ACCEPTED,
    "🛤️🚂.png": ACCEPTED,
    "\\x41.png": ACCEPTED,
    "back\\slash.png": ACCEPTED,
    "C:\\windows.png": ACCEPTED,
    "manifest.csv": ACCEPTED,
    "records.tfrecord.png": ACCEPTED,
    "\u200bzero width.png": ACCEPTED,
    unicodedata.normalize("NFC", "é twin.png"): ACCEPTED,
    unicodedata.normalize("NFD", "é twin.png"): ACCEPTED,
    "case twin.png": ACCEPTED,
    "CASE TWIN.png": ACCEPTED,
    "x" * 255: ACCEPTED,
    "..foo": IGNORED,
    "...": IGNORED,
    "new\\x0aline.png": BAD_NAME,
    "return\\x0d.png": BAD_NAME,
    "tab\\x09.png": BAD_NAME,
    "\\x1b[2J\\x1b[31mred.png": BAD_NAME,
    "bell\\x07.png": BAD_NAME,
    "delete\\x7f.png": BAD_NAME,
    "c1 \\x9b2J.png": BAD_NAME,
    "caf\\xe9 latin.png": BAD_NAME,
    "gnp.\\u202eexe.png": BAD_NAME,
    "separator\\u2028.png": BAD_NAME,
}
# The bytes of the names that are printed otherwise than they are.
BYTES = {
    "new\\x0aline.png": b"new\nline.png",
    "return\\x0d.png": b"return\r.png",
    "tab\\x09.png": b"tab\t.png",
    "\\x1b[2J\\x1b[31mred.png": b"\x1b[2J\x1b[31mred.png",
    "bell\\x07.png": b"bell\a.png",
    "delete\\x7f.png": b"delete\x7f.png",
    "c1 \\x9b2J.png": "c1 \x9b2J.png".encode(),
    "caf\\xe9 latin.png": b"caf\xe9 latin.png",
    "gnp.\\u202eexe.png": "gnp.\u202eexe.png".encode(),
    "separator\\u2028.png": "separator\u2028.png".encode(),
}
CLASSES = {
    "STONE": ACCEPTED,
    "<b>bold</b>": ACCEPTED,
    "<script>alert(1)<": ACCEPTED,
    '"quoted"': ACCEPTED,
    "it's": ACCEPTED,
    "=1+1": ACCEPTED,
    "@home": ACCEPTED,
    "-rf": ACCEPTED,
    "$(touch stolen)": ACCEPTED,
    "`touch stolen`": ACCEPTED,
    "{{ 7 * 7 }}": ACCEPTED,
    "a, b; c": ACCEPTED,
    "back\\slash": ACCEPTED,
    "NA": ACCEPTED,
    "012": ACCEPTED,
    "NO": ACCEPTED,
    "con": ACCEPTED,
    "草": ACCEPTED,
    "🛤": ACCEPTED,
    "size": ACCEPTED,
    ".hidden": IGNORED,
}
CLUTTER = ("__MACOSX/GRAS/1.png", "GRAS/.ipynb_checkpoints/1.png", "GRAS/Thumbs.db")
CLUTTER += (".git/config", "GRAS/.DS_Store", "desktop.ini", "..foo/1.png")


def nodes() -> list[tuple[str, Callable[[Path], object], tuple[str, ...]]]:
    """What is no file of its own: name, how to make it, what is expected."""
    sparse = [
        ("900 MB of nothing.png", b"", ("rejected: not an image",)),
        ("900 MB behind a jpeg.jpg", evil.saved(evil.picture(8), "JPEG"), LONG),
        ("900 MB behind a png signature.png", picture()[:33], (*LONG, *evil_files.BROKEN)),
        ("900 MB in a chunk.png", picture()[:33] + b"\x38\0\0\0evIL", LONG),
        ("900 MB in a tag.tif", _long_tag(), LONG),
        ("900 MB behind a gif.gif", evil.saved(evil.picture(8), "GIF"), LONG),
        ("900 MB behind a tiff.tif", evil.saved(evil.picture(8), "TIFF"), LONG),
    ]
    made = [(name, _sparse(start), expected) for name, start, expected in sparse]
    targets = {
        "link to a picture.png": "../STONE/1.png",
        "link to passwd.png": "/etc/passwd",
        "link to a device.png": "/dev/zero",
        "dangling link.png": "nowhere",
        "link to itself.png": "link to itself.png",
        "link to a folder": "..",
    }
    for name, target in targets.items():
        made.append((name, lambda path, target=target: path.symlink_to(target), (NOT_REGULAR,)))
    made.append(("pipe.png", os.mkfifo, (NOT_REGULAR,)))
    made.append(("socket.png", _socket, (NOT_REGULAR,)))
    made.append(("hard link.png", lambda p: p.hardlink_to(p.parent / "png.jpg"), (ACCEPTED,)))
    if os.geteuid() == 0:
        made.append(
            ("device.png", lambda p: os.mknod(p, 0o20666, os.makedev(1, 5)), (NOT_REGULAR,))
        )
    else:  # root may read everything
        made.append(("unreadable.png", _unreadable, ("rejected: unreadable",)))
    return made


def _long_tag() -> bytes:
    """A TIFF whose description takes most of the file."""
    tag = struct.pack("<HHII", 270, 2, 890 * 2**20, 100)
    return b"II*\0\x08\0\0\0\x01\0" + tag + bytes(4)


def _sparse(start: bytes) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        path.write_bytes(start)
        os.truncate(path, 900 * 2**20)

    return write


def _socket(path: Path) -> None:
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{short}/s")
        shutil.move(f"{short}/s", path)


def _unreadable(path: Path) -> None:
    path.write_bytes(picture())
    path.chmod(0)


@dataclass(frozen=True)
class Outcome:
    """What became of a case."""

    case: Case
    found: str

    def is_right(self) -> bool:
        """Whether it is as expected; a refusal must hold the words."""
        return any(
            wanted.removeprefix("refused: ") in self.found and self.found.startswith("refused")
            if wanted.startswith("refused")
            else wanted == self.found
            for wanted in self.case.expected
        )


# A process begins with the peak of the one that started it, so a small one comes between.
MEASURED = """
import pathlib, resource, subprocess, sys
done = subprocess.run([sys.executable, *sys.argv[2:]])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
pathlib.Path(sys.argv[1]).write_text(f"{peak}")
sys.exit(done.returncode)
"""


@dataclass(frozen=True)
class Run:
    """What a process did: its exit code (negative: a signal), output and peak memory."""

    code: int
    output: str
    peak: int  # bytes


def run(folder: Path, *command: object) -> Run:
    """Run a command in a folder, with little memory and time, and a Ghostscript that tells."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("gs", "convert", "inkscape", "sh"):
        (tools / name).write_text(f"#!/bin/bash\ntouch '{folder}/stolen'\n")
        (tools / name).chmod(0o755)
    with (folder / "output").open("w+b") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", MEASURED, f"{folder / 'peak'}", *map(str, command)],
            cwd=folder,
            stdout=output,
            stderr=output,
            env=os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "TF_CPP_MIN_LOG_LEVEL": "3"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES)),
        )
        timer = threading.Timer(SECONDS, process.kill)
        timer.start()
        code = process.wait()
        timer.cancel()
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    peak = folder / "peak"
    return Run(code, text, int(peak.read_text()) * 1024 if peak.exists() else 0)


def params(folder: Path, **data: object) -> None:
    """The parameters of the repository, with some of section data changed."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["data"] |= {"source": "raw", "group": None, "max_rejects": 1.0} | data
    values["runtime"] = {"workers": 1}
    (folder / "params.yaml").write_text(yaml.safe_dump(values))


def lay_files(folder: Path) -> list[Case]:
    """Write the source of all files to folder/raw."""
    params(folder)
    cases = files()
    for case in cases:
        path = folder / "raw" / case.key
        if path.name in BYTES:
            path = path.with_name(os.fsdecode(BYTES[path.name]))
        path.parent.mkdir(parents=True, exist_ok=True)
        case.write(path)
    return cases


def outcomes_of_files(folder: Path, cases: list[Case]) -> list[Outcome]:
    """What the tables of the build say about every case."""
    found = {row["filename"]: ACCEPTED for row in rows(folder / "data/records/index.csv")}
    for row in rows(folder / "data/records/rejects.csv"):
        found[row["filename"]] = f"rejected: {row['reason']}"
    return [Outcome(case, found.get(case.key, IGNORED)) for case in cases]


def rows(path: Path) -> list[dict[str, str]]:
    """A table of the build, read by Python's own reader."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lay_trees(folder: Path) -> list[Case]:
    """Write every source that is a case of its own to folder/NUMBER/raw."""
    cases = []
    for number, (name, write, expected) in enumerate(evil_trees.trees()):
        case = Case(name, f"{number:03d}", write, _any(expected))
        (folder / case.key).mkdir()
        params(folder / case.key)
        case.write(folder / case.key / "raw")
        cases.append(case)
    return cases


def drive(folder: Path) -> None:
    """In a process of its own: run the stage in every folder, and print what became of it."""
    import build_tfrecord
    from trackbed.pipeline.errors import UserError

    def too_long(*_: object) -> None:
        raise TimeoutError

    # The disk need not hold these outputs, and a hundred times waiting for it takes a minute.
    os.fsync = lambda _: None
    signal.signal(signal.SIGALRM, too_long)
    found = {}
    for path in sorted(path for path in folder.iterdir() if (path / "params.yaml").exists()):
        os.chdir(path)
        signal.alarm(60)
        try:
            build_tfrecord.main(Path("data"), Path("metrics"))
            found[path.name] = ACCEPTED
        except UserError as problem:
            found[path.name] = f"refused: {problem}"
        except TimeoutError:
            found[path.name] = "hang"
        except BaseException as error:
            found[path.name] = f"crash: {error!r}"
        signal.alarm(0)
    (folder / "found.json").write_text(json.dumps(found))


def outcomes_of_trees(folder: Path, cases: list[Case]) -> list[Outcome]:
    """What the driver noted about every source; rejects count for one that was built."""
    found = json.loads((folder / "found.json").read_text())
    outcomes = []
    for case in cases:
        outcome = found[case.key]
        if outcome == ACCEPTED:
            reasons = {
                row["reason"] for row in rows(folder / case.key / "data/records/rejects.csv")
            }
            outcome = f"rejected: {', '.join(sorted(reasons))}" if reasons else outcome
        outcomes.append(Outcome(case, outcome))
    return outcomes


def table(outcomes: list[Outcome]) -> str:
    """How many cases were tried and what became of them, in Markdown."""
    right = [outcome.found for outcome in outcomes if outcome.is_right()]
    kinds = ("accepted", "rejected", "ignored", "refused")
    counts = [sum(found.startswith(kind) for found in right) for kind in kinds]
    cells = [len(outcomes), *counts, len(outcomes) - len(right)]
    titles = ["tried", "accepted rightly", "rejected with its reason", "ignored rightly"]
    titles += ["refused as a whole", "wrong, crash, hang or silent"]
    lines = [titles, ["--:"] * len(titles), map(str, cells)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Run the corpus, print the table, the peak memory and what went wrong."""
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        cases = lay_files(Path(one))
        done = run(Path(one), STAGE, "data", "metrics")
        print(f"files: exit code {done.code}, peak {done.peak / 2**20:.0f} MiB")
        outcomes += outcomes_of_files(Path(one), cases)
        cases = lay_trees(Path(other))
        done = run(Path(other), __file__, other)
        print(f"sources: exit code {done.code}, peak {done.peak / 2**20:.0f} MiB\n")
        outcomes += outcomes_of_trees(Path(other), cases)
    print(table(outcomes))
    for outcome in outcomes:
        if not outcome.is_right():
            wanted = " or ".join(outcome.case.expected)
            print(f"\n{outcome.case.name}\n  expected {wanted}\n  found    {outcome.found}")


if __name__ == "__main__":
    sys.path.insert(0, str(STAGE.parent))
    drive(Path(sys.argv[1])) if sys.argv[1:] else main()
