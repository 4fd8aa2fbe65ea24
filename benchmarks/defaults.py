"""Train with the default parameters on few and on many images, beside the logistic regression.

python benchmarks/defaults.py PICTURES --classes 2,5 --per-class 5,20,70 --epochs 1,2,5,50

PICTURES holds class folders, or train/ and test/ with class folders. Every row of the table is one
run of the pipeline with the params.yaml of the repository, except for the source, the groups and
the epochs. The table goes to --out, what the stages print to the terminal.
"""

import argparse
import hashlib
import itertools
import json
import re
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "stages"))

from speed import project

TEST_SHARE = 5  # every fifth group of a source without parts is for testing
EXPLANATIONS = ("Not shown to be better", "The model has the moving average")
COLUMNS = (
    "classes",
    "images per class",
    "epochs",
    "macro F1",
    "logistic",
    "warned",
    "advice on the page",
)


def main() -> None:
    """Write the table, a row as soon as it is known."""
    options = arguments()
    with options.out.open("w", encoding="utf-8", buffering=1) as out:
        out.write(f"| {' | '.join(COLUMNS)} |\n|--:|--:|--:|--:|--:|---|---|\n")
        for classes, images in itertools.product(options.classes, options.per_class):
            with tempfile.TemporaryDirectory() as folder:
                for row in rows(Path(folder), classes, images, options):
                    out.write(f"| {' | '.join(map(str, row))} |\n")


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("pictures", type=Path, help="class folders, or train/ and test/ with class folders")
    add("--group", help="regular expression on the file name, as data.group")
    add("--classes", type=_numbers, default=[5], help="the first so many classes by name")
    add("--per-class", type=_numbers, default=[5, 20, 70], help="training images of a class")
    add("--epochs", type=_numbers, default=[1, 2, 5, 50])
    add("--out", type=Path, default=Path("defaults.md"), help="Markdown file to write")
    add("--test", type=int, default=60, help="test images of a class, at most")
    return parser.parse_args()


def rows(folder: Path, classes: int, images: int, options: argparse.Namespace) -> Iterator[list]:
    """One row per number of epochs, for one sample of the pictures."""
    pictures, home = folder / "pictures", folder / "project"
    sample(options.pictures, pictures, classes, images, options.test, options.group)
    data = {"group": options.group, "group_per_class": bool(options.group)}
    for epochs in options.epochs:
        project.create(home, pictures, data=data, train={"epochs": epochs})
        if not (home / "data").exists():
            project.run(home, "build_tfrecord", "split")
        for stage in ("embed", "train", "export", "evaluate", "report"):
            project.run_here(home, stage)
        (home / "stages").unlink()
        yield [classes, images, epochs, *_results(home)]


def _results(home: Path) -> list[str]:
    scores = json.loads((home / "metrics/evaluate.json").read_text())
    scores |= scores["details"][0]
    page = (home / "metrics/report.md").read_text()
    return [
        f"{scores['macro_f1']:.3f}",
        f"{scores['baseline_logistic_macro_f1']:.3f}",
        "yes" if scores["not_above_baseline"] else "",
        " ".join(re.findall(rf"^- ((?:{'|'.join(EXPLANATIONS)}).*)$", page, re.MULTILINE)),
    ]


def sample(
    source: Path, target: Path, classes: int, images: int, test: int, group: str | None
) -> None:
    """Copy a sample of the pictures into target/train and target/test.

    Files are taken in the order of a hash of their names, one of every group in turn.
    """
    parts = (source / "train").is_dir()
    names = sorted(path.name for path in (source / "train" if parts else source).iterdir())
    for name in names[:classes]:
        if parts:
            chosen = {part: _in_turn(source / part / name, group) for part in ("train", "test")}
        else:
            files = _in_turn(source / name, group)
            testing = {one for one in {_group(file, group) for file in files} if _held_out(one)}
            chosen = {
                "train": [file for file in files if _group(file, group) not in testing],
                "test": [file for file in files if _group(file, group) in testing],
            }
        for part, most in (("train", images), ("test", test)):
            folder = target / part / name
            folder.mkdir(parents=True)
            for file in chosen[part][:most]:
                shutil.copy(file, folder)


def _in_turn(folder: Path, group: str | None) -> list[Path]:
    groups = defaultdict(list)
    for file in sorted(folder.iterdir(), key=lambda file: _digest(file.name)):
        groups[_group(file, group)].append(file)
    turns = [
        (turn, number, file)
        for number, one in enumerate(groups.values())
        for turn, file in enumerate(one)
    ]
    return [file for *_, file in sorted(turns)]


def _group(file: Path, group: str | None) -> str:
    return re.search(group, file.name)[1] if group else file.name


def _held_out(group: str) -> bool:
    return int(_digest(group), 16) % TEST_SHARE == 0


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
