"""The same images split at random and by groups, each trained and judged on other groups."""

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

from trackbed import index, inputs
from trackbed.outputs import replacing_folder
from trackbed.problems import Problem

CACHE = Path(".cache")
RANDOM, GROUPED = "random", "grouped"
SCORES = ("accuracy", "macro_f1")
LINES = 5  # of what a stage said before it failed


@dataclass(frozen=True)
class Judged:
    """Scores of a model on the fold it was validated on, and on the test part."""

    split: str
    seed: int
    validation: dict[str, float]
    test: dict[str, float]


def judged(
    root: Path, table: pd.DataFrame, sections: dict[str, Any], seeds: list[int]
) -> Iterator[Judged]:
    """Train the recipe of a project on both splits with every seed, one after the other.

    The test part is left alone: its groups are in no fold of either split, so that both models
    are judged on the same images of other groups. table: as index.assigned gives it. sections:
    those of params.yaml. Raises Problem for a stage that fails.
    """
    CACHE.mkdir(exist_ok=True)
    for seed in seeds:
        for split in (RANDOM, GROUPED):
            with tempfile.TemporaryDirectory(dir=CACHE, prefix="resplit-") as name:
                folder = Path(name).resolve()
                _lay_out(
                    root.resolve(), folder, sections | {"train": sections["train"] | {"seed": seed}}
                )
                folds = random_folds(table, seed) if split == RANDOM else table
                with replacing_folder(folder / "data" / "folds") as target:
                    index.write_folds(target, folds)
                for stage in ("train", "evaluate"):
                    _run(stage, folder)
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


def _lay_out(root: Path, folder: Path, sections: dict[str, Any]) -> None:
    """A project that shares code, records and embeddings, with parameters of its own."""
    (folder / "data").mkdir()
    for name in ("stages", "dvc.yaml", "data/records", "data/embeddings"):
        (folder / name).symlink_to(root / name)
    (folder / "params.yaml").write_text(yaml.safe_dump(sections, sort_keys=False), "utf-8")
    # DVCLive looks for a repository with a commit.
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "split"]):
        identity = ["-c", "user.name=trackbed", "-c", "user.email=trackbed@localhost"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


def _run(stage: str, folder: Path) -> None:
    """Run the command that dvc.yaml gives for a stage."""
    command = yaml.safe_load((folder / "dvc.yaml").read_text("utf-8"))["stages"][stage]["cmd"]
    _, *arguments = shlex.split(command)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-LINES:])
        raise Problem(f"stage {stage} failed on another split:\n{said}")


def _scores(split: str, seed: int, folder: Path) -> Judged:
    training = inputs.json_object(folder / "metrics/train/metrics.json", "")
    test = inputs.json_object(folder / "metrics/evaluate.json", "")
    return Judged(
        split,
        seed,
        {name: training["best"][f"val_{name}"] for name in SCORES},
        {name: test[name] for name in SCORES},
    )
