"""Leaks between training, validation and test images, and what a random split would score."""

import os
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

from trackbed.dataset import similarity
from trackbed.integrity import git
from trackbed.pipeline import index, operating_system, tables
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.outputs import replacing_folder

GROUP, IDENTICAL, NEAR = "shared group", "identical pixels", "near duplicate"
NO_MATCH = -1


@dataclass(frozen=True)
class Leak:
    """How many images of one part match one of another part, with examples.

    examples: pairs of file names, the evaluated image first.
    """

    kind: str  # GROUP, IDENTICAL or NEAR
    training: str  # the part that is trained on
    evaluated: str  # the part that is evaluated on, of `of` images
    images: int
    of: int
    examples: list[tuple[str, str]]


def parts_of_fold(table: pd.DataFrame, fold: int) -> dict[str, pd.DataFrame]:
    """The assigned index as training, validation (one fold) and test."""
    training = table["part"] == "train"
    held_out = table["fold"] == fold
    return {
        "training": table[training & ~held_out],
        "validation": table[training & held_out],
        "test": table[table["part"] == "test"],
    }


def leaks(table: pd.DataFrame, fold: int, distance: int, examples: int = 3) -> list[Leak]:
    """All kinds of leaks between the parts of a fold, those without an image included.

    table: see index.assigned. distance: bits of 64 in which near duplicates may differ. Identical:
    equal pixels. Near: see similarity.similar_pairs, and not identical. Group: the same group.
    """
    parts = parts_of_fold(table, fold)
    pairs = (("training", "validation"), ("training", "test"), ("validation", "test"))
    return [
        Leak(kind, first, second, len(found), len(parts[second]), found[:examples])
        for first, second in pairs
        for kind, found in _matches(parts[first], parts[second], distance).items()
    ]


def groups_known(table: pd.DataFrame) -> bool:
    """Whether the source, or data.group, puts any two images into one group."""
    return not table["named_group"].is_unique


def _matches(
    training: pd.DataFrame, evaluated: pd.DataFrame, distance: int
) -> dict[str, list[tuple[str, str]]]:
    """Pairs of file names by kind, in the order of the evaluated images."""
    matched = {
        GROUP: _first_equal(evaluated["group"], training["group"]),
        IDENTICAL: _first_equal(evaluated["pixel_hash"], training["pixel_hash"]),
    }
    near = _first_near(evaluated, training, distance)
    matched[NEAR] = np.where(matched[IDENTICAL] == NO_MATCH, near, NO_MATCH)
    names = training["filename"].to_numpy()
    return {
        kind: [
            (name, names[place])
            for name, place in zip(evaluated["filename"], places, strict=True)
            if place != NO_MATCH
        ]
        for kind, places in matched.items()
    }


def _first_near(evaluated: pd.DataFrame, training: pd.DataFrame, distance: int) -> np.ndarray:
    """For every evaluated image the position of its first near-duplicate, or NO_MATCH."""
    first = np.full(len(evaluated), len(training))
    sides = similarity.appearance(evaluated), similarity.appearance(training)
    for left, right in similarity.similar_pairs(*sides, distance):
        np.minimum.at(first, left, right)
    return np.where(first < len(training), first, NO_MATCH)


def _first_equal(wanted: pd.Series, among: pd.Series) -> np.ndarray:
    """For every value the position of the first equal one, or NO_MATCH."""
    first = among.reset_index(drop=True).drop_duplicates()
    position = pd.Series(first.index, index=first.to_numpy())
    return wanted.map(position).fillna(NO_MATCH).to_numpy(int)


CACHE = Path(".cache")
RANDOM, GROUPED = "random", "grouped"
SCORES = ("accuracy", "macro_f1")
ERROR_LINES = 5  # of a failed stage's output


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
    """Train a project's recipe on a random and on the grouped split with every seed.

    The test part is the same for both: its groups are in no fold, so both models are evaluated on
    images of other groups. table: see index.assigned. sections: those of params.yaml. Raises
    UserError for a stage that fails.
    """
    CACHE.mkdir(exist_ok=True)
    for seed in seeds:
        for split in (RANDOM, GROUPED):
            with tempfile.TemporaryDirectory(dir=CACHE, prefix="resplit-") as name:
                folder = Path(name).resolve()
                own = {"train": sections["train"] | {"seed": seed}, "export": {"formats": []}}
                _create_project(root.resolve(), folder, sections | own)
                folds = random_folds(table, seed) if split == RANDOM else table
                with replacing_folder(folder / "data" / "folds") as target:
                    index.FOLDS_TABLE.write(target, folds)
                for stage in ("train", "export", "evaluate"):
                    _run_stage(stage, folder)
                yield _scores(split, seed, folder)


def random_folds(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The table with its training part in as many stratified folds, which ignore groups."""
    training = np.flatnonzero(table["part"] == "train")
    fold = table["fold"].to_numpy().copy()
    splitter = StratifiedKFold(fold.max() + 1, shuffle=True, random_state=seed)
    labels = table["label"].to_numpy()[training]
    for number, (_, chosen) in enumerate(splitter.split(labels, labels)):
        fold[training[chosen]] = number
    return table.assign(fold=fold)


def _create_project(root: Path, folder: Path, sections: dict[str, Any]) -> None:
    """Create a project that shares code, records and embeddings, with its own parameters."""
    (folder / "data").mkdir()
    for name in ("stages", "dvc.yaml", "data/records", "data/embeddings"):
        operating_system.link_or_copy(root / name, folder / name)
    (folder / "params.yaml").write_text(yaml.safe_dump(sections, sort_keys=False), "utf-8")
    # DVCLive needs a repository with a commit.
    identity = ("-c", "user.name=trackbed", "-c", "user.email=trackbed@localhost")
    git.run("init", "--quiet", folder=folder)
    commit = ("commit", "--quiet", "--allow-empty", "--message", "split")
    git.run(*identity, *commit, folder=folder)


def _run_stage(stage: str, folder: Path) -> None:
    """Run the command that dvc.yaml gives for a stage."""
    command = yaml.safe_load((folder / "dvc.yaml").read_text("utf-8"))["stages"][stage]["cmd"]
    _, *arguments = shlex.split(command)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        output = "\n".join((done.stdout + done.stderr).strip().splitlines()[-ERROR_LINES:])
        raise UserError(f"stage {stage} failed on another split:\n{output}")


def _scores(split: str, seed: int, folder: Path) -> SplitScores:
    training = tables.metrics(folder / "metrics/train/metrics.json", "")
    test = tables.metrics(folder / "metrics/evaluate.json", "")
    return SplitScores(
        split,
        seed,
        {name: training["best"][f"val_{name}"] for name in SCORES},
        {name: test[name] for name in SCORES},
    )
