"""Validation scores of many settings and folds of a head, trained together on embeddings."""

from collections.abc import Iterable, Sequence
from functools import partial

import keras
import numpy as np
import pandas as pd

from trackbed.evaluation import metrics
from trackbed.experiments import stacked_heads
from trackbed.networks import backbones
from trackbed.networks.spec import Spec
from trackbed.pipeline import index, tensorflow_setup
from trackbed.pipeline.errors import UserError
from trackbed.records.embedding_store import Embeddings
from trackbed.training import batches, callbacks, loop, optimization
from trackbed.training.train_params import TrainParams

STACKED = {"learning_rate", "dropout", "fold"}  # may differ among heads that train together


def validation_scores(
    points: Sequence[TrainParams], stored: Embeddings, table: pd.DataFrame
) -> pd.DataFrame:
    """The best epoch of each point and its val_loss, val_accuracy and val_macro_f1, as rows.

    They equal the scores of training each point alone, up to rounding; those of a point that
    diverges are NaN. Points that differ only
    in learning rate, dropout and fold train together, one such group after the other.
    """
    found: dict[int, dict[str, float]] = {}
    for group in _groups(points, table):
        heads = [points[number] for number in group]
        found |= dict(zip(group, _trained(heads, stored, table), strict=True))
    return pd.DataFrame([found[number] for number in range(len(points))])


def refuse(point: TrainParams, stored: Embeddings) -> None:
    """Raise UserError for parameters that need other embeddings or a training of their own."""
    for key, value in stored.about["of"].items():
        if f"{getattr(point, key)}" != value:
            raise UserError(
                f"train.{key}: the embeddings are of {value}, not {getattr(point, key)}; a grid "
                "over it needs `dvc exp run`."
            )
    if point.clip_norm or point.schedule == "plateau" or stored.about["views"]:
        raise UserError(
            "train.clip_norm, train.schedule: plateau and embed.views look at each head alone; "
            "use `dvc exp run`."
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
    points: Sequence[TrainParams], stored: Embeddings, table: pd.DataFrame
) -> Iterable[dict[str, float]]:
    p, classes = points[0], len(index.classes(table))
    embedded, labels = stored.of(table), table["label"].to_numpy()
    heads = [_head(point, table, embedded.shape[1], classes, p.learning_rate) for point in points]
    steps = batches.steps(len(heads[0].training), p.batch)
    rate = optimization.rate_of(p, p.learning_rate, p.epochs, steps)
    loss = optimization.loss_of(p)
    curves = stacked_heads.fit(
        heads,
        embedded,
        loop.one_hot(labels, classes),
        optimizer=partial(optimization.optimizer_of, p),
        rate=rate if callable(rate) else lambda step: rate,
        loss=loss,
        epochs=p.epochs,
        batch=p.batch,
        seed=p.seed,
    )
    for number, head in enumerate(heads):
        expected = labels[head.validation]
        scores = [_scores(epoch[number], expected, loss) for epoch in curves.probabilities]
        yield _best(pd.DataFrame(scores), p.monitor, p.patience)


def _head(
    p: TrainParams, table: pd.DataFrame, units: int, classes: int, rate: float
) -> stacked_heads.Head:
    tensorflow_setup.make_deterministic(p.seed)
    model = backbones.head(p.network, Spec(p.image_side, classes, p.dropout), units)
    rows = index.training_and_validation(table, p.fold)
    weights = optimization.class_weights(rows[0]["label"].to_numpy())
    return stacked_heads.Head(
        model,
        p.learning_rate / rate,
        p.dropout,
        *(table.index.get_indexer(part.index) for part in rows),
        weights=weights if p.class_weights else np.ones_like(weights),
        share=weights / weights.sum(dtype=float) if p.balanced_sampling else None,
    )


def _scores(
    probabilities: np.ndarray, labels: np.ndarray, loss: keras.losses.Loss
) -> dict[str, float]:
    classes, predicted = probabilities.shape[1], probabilities.argmax(axis=1)
    each = loss.call(loop.one_hot(labels, classes), probabilities)
    return {
        "val_loss": float(np.mean(each)),
        "val_accuracy": float((predicted == labels).mean()),
        "val_macro_f1": metrics.macro_f1(labels, predicted, classes),
    }


def _best(scores: pd.DataFrame, monitor: str, patience: int) -> dict[str, float]:
    """The scores of the best epoch, with early stopping as in training.

    All are NaN if a loss is not finite before that: then training ends without a result.
    """
    values = scores[monitor] if callbacks.mode(monitor) == "min" else -scores[monitor]
    best = 0
    for epoch, value in enumerate(values):
        if not np.isfinite(scores["val_loss"][epoch]):
            return dict.fromkeys(["best_epoch", *scores.columns], np.nan)
        if value < values[best]:
            best = epoch
        elif epoch - best >= patience:
            break
    return {"best_epoch": best + 1} | scores.loc[best].to_dict()
