"""Validation scores of many settings and folds of a head, trained together on embeddings."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from trackbed.experiments import stacked_heads
from trackbed.pipeline import index
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.progress import Progress
from trackbed.records.embedding_store import Embeddings
from trackbed.training import frozen_network
from trackbed.training.head_training import Embedded, Head
from trackbed.training.train_params import TrainParams

STACKED = {"learning_rate", "dropout", "fold"}  # may differ among heads that train together


def validation_scores(
    points: Sequence[TrainParams], stored: Embeddings, table: pd.DataFrame
) -> pd.DataFrame:
    """The best epoch of each point and its val_loss, val_accuracy and val_macro_f1, as rows.

    They equal the scores of training each point alone; those of a point that diverges are NaN.
    Points that differ only in learning rate, dropout and fold train together, one such group after
    the other.
    """
    rows = table[table["part"] == "train"]
    embedded = frozen_network.embedded(stored, table, rows, rows)
    found: dict[int, dict[str, float]] = {}
    with Progress("training heads", sum(point.epochs for point in points)) as progress:
        for group in _groups(points, table):
            heads = [points[number] for number in group]
            scores = _trained(heads, embedded, table, progress)
            found |= dict(zip(group, scores, strict=True))
    return pd.DataFrame([found[number] for number in range(len(points))])


def refuse(point: TrainParams, stored: Embeddings) -> None:
    """Raise UserError for parameters that need other embeddings."""
    for key, value in stored.about["of"].items():
        if f"{getattr(point, key)}" != value:
            raise UserError(
                f"train.{key}: the embeddings are of {value}, not {getattr(point, key)}; a grid "
                "over it needs `dvc exp run`."
            )


def _groups(points: Sequence[TrainParams], table: pd.DataFrame) -> Iterable[list[int]]:
    groups: dict[tuple[str, int], list[int]] = {}
    for number, point in enumerate(points):
        training, _ = index.training_and_validation(table, point.fold)
        groups.setdefault((point.model_dump_json(exclude=STACKED), len(training)), []).append(
            number
        )
    return groups.values()


def _trained(
    points: Sequence[TrainParams], embedded: Embedded, table: pd.DataFrame, progress: Progress
) -> list[dict[str, float]]:
    p, units = points[0], embedded.validation.shape[1]
    sizes = frozen_network.head_sizes(p.network, units, len(index.classes(table)))
    heads = [Head(one.learning_rate, one.dropout, *_places(one.fold, table)) for one in points]
    return stacked_heads.best_epochs(p, sizes, heads, embedded, progress.advance)


def _places(fold: int, table: pd.DataFrame) -> Iterable[np.ndarray]:
    """Of the rows for training and for validation, among all rows of the training part."""
    rows = table.index[table["part"] == "train"]
    for part in index.training_and_validation(table, fold):
        yield rows.get_indexer(part.index)
