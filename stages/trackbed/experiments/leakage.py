"""What training and test images have in common, and what a random split would have claimed."""

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from sklearn.model_selection import StratifiedKFold

from trackbed.dataset import duplicates
from trackbed.pipeline import index, tables
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.outputs import replacing_folder

GROUP, IDENTICAL, NEAR = "shared group", "identical pixels", "near duplicate"
NO_MATCH = -1


@dataclass(frozen=True)
class Leak:
    """How many images of one side have something in common with the other, with examples.

    examples: pairs of file names, the judged image first.
    """

    kind: str  # GROUP, IDENTICAL or NEAR
    training: str  # the side that was learned from
    judged: str  # the side that is judged, of `of` images
    images: int
    of: int
    examples: list[tuple[str, str]]


def sides(table: pd.DataFrame, fold: int) -> dict[str, pd.DataFrame]:
    """The assigned index as training, validation (one fold) and test."""
    training = table["part"] == "train"
    held_out = table["fold"] == fold
    return {
        "training": table[training & ~held_out],
        "validation": table[training & held_out],
        "test": table[table["part"] == "test"],
    }


def leaks(table: pd.DataFrame, fold: int, distance: int, examples: int = 3) -> list[Leak]:
    """All kinds of leaks between the sides of a fold; those of no image are listed too.

    table: as index.assigned gives it. Identical: the same pixels. Near: see alike.pairs, and
    not identical. Group: the same group.
    """
    parts = sides(table, fold)
    pairs = (("training", "validation"), ("training", "test"), ("validation", "test"))
    return [
        Leak(kind, first, second, len(found), len(parts[second]), found[:examples])
        for first, second in pairs
        for kind, found in _matches(parts[first], parts[second], distance).items()
    ]


def groups_known(table: pd.DataFrame) -> bool:
    """Whether the source, or data.group, says of any two images that they belong together."""
    return not table["named_group"].is_unique


def _matches(
    training: pd.DataFrame, judged: pd.DataFrame, distance: int
) -> dict[str, list[tuple[str, str]]]:
    """Kind -> pairs of file names, in the order of the judged images."""
    matched = {
        GROUP: _first_equal(judged["group"], training["group"]),
        IDENTICAL: _first_equal(judged["pixel_hash"], training["pixel_hash"]),
    }
    near = _first_near(judged, training, distance)
    matched[NEAR] = np.where(matched[IDENTICAL] == NO_MATCH, near, NO_MATCH)
    names = training["filename"].to_numpy()
    return {
        kind: [
            (name, names[place])
            for name, place in zip(judged["filename"], places, strict=True)
            if place != NO_MATCH
        ]
        for kind, places in matched.items()
    }


def _first_near(judged: pd.DataFrame, training: pd.DataFrame, distance: int) -> np.ndarray:
    """For every judged image the position of the first near-duplicate, -1 where there is none."""
    first = np.full(len(judged), len(training))
    for left, right in duplicates.similar_pairs(judged, training, distance):
        np.minimum.at(first, left, right)
    return np.where(first < len(training), first, NO_MATCH)


def _first_equal(wanted: pd.Series, among: pd.Series) -> np.ndarray:
    """For every value the position of the first equal one, -1 where there is none."""
    first = among.reset_index(drop=True).drop_duplicates()
    position = pd.Series(first.index, index=first.to_numpy())
    return wanted.map(position).fillna(NO_MATCH).to_numpy(int)


CACHE = Path(".cache")
RANDOM, GROUPED = "random", "grouped"
SCORES = ("accuracy", "macro_f1")
ERROR_LINES = 5  # of what a stage said before it failed


@dataclass(frozen=True)
class SplitScores:
    """Scores of a model on the fold it was validated on, and on the test part."""

    split: str
    seed: int
    validation: dict[str, float]
    test: dict[str, float]


def compare_splits(
    root: Path, table: pd.DataFrame, sections: dict[str, Any], seeds: list[int]
) -> Iterator[SplitScores]:
    """Train the recipe of a project on both splits with every seed, one after the other.

    The test part is left alone: its groups are in no fold of either split, so that both models
    are judged on the same images of other groups. table: as index.assigned gives it. sections:
    those of params.yaml. Raises UserError for a stage that fails.
    """
    CACHE.mkdir(exist_ok=True)
    for seed in seeds:
        for split in (RANDOM, GROUPED):
            with tempfile.TemporaryDirectory(dir=CACHE, prefix="resplit-") as name:
                folder = Path(name).resolve()
                _create_project(
                    root.resolve(), folder, sections | {"train": sections["train"] | {"seed": seed}}
                )
                folds = random_folds(table, seed) if split == RANDOM else table
                with replacing_folder(folder / "data" / "folds") as target:
                    index.write_folds(target, folds)
                for stage in ("train", "evaluate"):
                    _run_stage(stage, folder)
                yield _scores(split, seed, folder)


def random_folds(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The assigned index with its training part in as many stratified folds, groups ignored."""
    training = np.flatnonzero(table["part"] == "train")
    fold = table["fold"].to_numpy().copy()
    splitter = StratifiedKFold(fold.max() + 1, shuffle=True, random_state=seed)
    labels = table["label"].to_numpy()[training]
    for number, (_, chosen) in enumerate(splitter.split(labels, labels)):
        fold[training[chosen]] = number
    return table.assign(fold=fold)


def _create_project(root: Path, folder: Path, sections: dict[str, Any]) -> None:
    """A project that shares code, records and embeddings, with parameters of its own."""
    (folder / "data").mkdir()
    for name in ("stages", "dvc.yaml", "data/records", "data/embeddings"):
        (folder / name).symlink_to(root / name)
    (folder / "params.yaml").write_text(yaml.safe_dump(sections, sort_keys=False), "utf-8")
    # DVCLive looks for a repository with a commit.
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "split"]):
        identity = ["-c", "user.name=trackbed", "-c", "user.email=trackbed@localhost"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


def _run_stage(stage: str, folder: Path) -> None:
    """Run the command that dvc.yaml gives for a stage."""
    command = yaml.safe_load((folder / "dvc.yaml").read_text("utf-8"))["stages"][stage]["cmd"]
    _, *arguments = shlex.split(command)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-ERROR_LINES:])
        raise UserError(f"stage {stage} failed on another split:\n{said}")


def _scores(split: str, seed: int, folder: Path) -> SplitScores:
    training = tables.json_object(folder / "metrics/train/metrics.json", "")
    test = tables.json_object(folder / "metrics/evaluate.json", "")
    return SplitScores(
        split,
        seed,
        {name: training["best"][f"val_{name}"] for name in SCORES},
        {name: test[name] for name in SCORES},
    )
