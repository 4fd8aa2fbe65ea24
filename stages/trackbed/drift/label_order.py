"""Which of some new pictures to label first, and the manifest to label them in."""

from __future__ import annotations

import csv
import io
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from trackbed.dataset import manifest_csv
from trackbed.drift.observations import Observations
from trackbed.inference.inputs import Input
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.outputs import is_formula

# Candidates, as a multiple of the pictures that are wanted: of these the list is made diverse.
CANDIDATES = 5


@dataclass(frozen=True)
class ToLabel:
    """A picture to be labelled; place: its row in the observations."""

    place: int
    proposal: str
    confidence: float
    novelty: float | None


def uncertainties(probabilities: np.ndarray) -> np.ndarray:
    """1 less the difference of the two highest probabilities: shape (images,), 0 to 1.

    Margin sampling (Scheffer, Decomain and Wrobel 2001).
    """
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities))
    highest = np.sort(probabilities, axis=1)[:, -2:]
    return 1 - (highest[:, 1] - highest[:, 0])


def priorities(probabilities: np.ndarray, novelty: np.ndarray | None) -> np.ndarray:
    """How much a label is worth: float, shape (images,), 0 to 1.

    The mean of two ranks among the images, by uncertainty and by novelty (float, shape (images,),
    higher for more novel ones); None: by uncertainty alone.
    """
    ranks = [rankdata(uncertainties(probabilities))]
    if novelty is not None:
        ranks.append(rankdata(novelty))
    return np.mean(ranks, axis=0) / max(1, len(probabilities))


def label_order(embeddings: np.ndarray, priority: np.ndarray, count: int) -> list[int]:
    """Places of up to `count` images, the first to label first.

    embeddings: float, shape (images, units). Of the images with the highest priorities the next is
    always the one with the highest product of priority and distance to those that were taken (as
    in Sener and Savarese 2018, Active Learning for Convolutional Neural Networks), so frames that
    look alike do not stand side by side.
    """
    if not len(priority):
        return []
    candidates = np.argsort(-priority, kind="stable")[: CANDIDATES * count]
    spread = embeddings[candidates].std(axis=0)
    vectors = embeddings[candidates] / np.where(spread > 1e-9, spread, np.inf)
    nearest = np.full(len(candidates), np.inf)
    worth = priority[candidates].astype(float)
    taken: list[int] = []
    free = np.ones(len(candidates), bool)
    while len(taken) < min(count, len(candidates)):
        scale = np.where(np.isinf(nearest), 1.0, nearest)
        value = np.where(free, worth * scale, -np.inf)
        chosen = int(value.argmax())
        taken.append(chosen)
        free[chosen] = False
        nearest = np.minimum(nearest, np.linalg.norm(vectors - vectors[chosen], axis=1))
    return candidates[taken].tolist()


def to_label(
    seen: Observations,
    classes: Sequence[str],
    places: np.ndarray,
    novelty: np.ndarray | None,
    count: int,
) -> list[ToLabel]:
    """Up to `count` pictures of those at some places, the first to label first.

    novelty: of all pictures, see `priorities`.
    """
    probabilities = seen.probabilities[places]
    priority = priorities(probabilities, None if novelty is None else novelty[places])
    order = label_order(seen.embeddings[places], priority, count)
    return [
        ToLabel(
            place,
            classes[seen.answers[place]],
            float(seen.probabilities[place].max()),
            None if novelty is None else float(novelty[place]),
        )
        for place in places[order].tolist()
    ]


def manifest(
    rows: Sequence[ToLabel],
    inputs: Sequence[Input],
    names: Sequence[str],
    groups: Sequence[str] | None,
    path: Path,
) -> str:
    """A manifest.csv with an empty column `label`; one row per picture, in their order.

    names: of the pictures, relative to the manifest's folder; groups: a column of them, or None.
    path: of the manifest, for messages. Raises UserError for names that a manifest cannot hold.
    """
    boxed = any(inputs[row.place].box for row in rows)
    columns = ["filename", "label", *(["group"] if groups is not None else [])]
    columns += [*manifest_csv.SIDES, *manifest_csv.SIZE] if boxed else []
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow([*columns, *manifest_csv.PROPOSAL])
    for row in rows:
        one, name = inputs[row.place], posixpath.normpath(names[row.place])
        _refuse(one, name, path)
        cells = [name, "", *([groups[row.place]] if groups is not None else [])]
        if boxed:
            cells += [*(one.box or ("",) * 4), *(one.counted_in or ("",) * 2)]
        novelty = "" if row.novelty is None else f"{row.novelty:.4f}"
        writer.writerow([*cells, row.proposal, f"{row.confidence:.4f}", novelty])
    return lines.getvalue()


def _refuse(one: Input, name: str, path: Path) -> None:
    if one.record is not None:
        raise UserError(
            f"{path}: {name} is a record of a TFRecord file, which a manifest cannot name."
        )
    manifest_csv.refuse_name(name, path)
    if is_formula(name):
        raise UserError(f"{path}: a spreadsheet would run {name!r} as a formula. Rename the file.")
