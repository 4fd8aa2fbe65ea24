"""What a network learns from: the images of some records, or their embeddings."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from trackbed.ingest import records
from trackbed.learning import embeddings, halves


@dataclass(frozen=True)
class Examples:
    """Inputs of a model and their labels (int; images).

    Images are uint8 of shape (images, side, side, 3); embeddings float32 of shape (images,
    units), or (images, views, units) where every image has several.
    """

    images: np.ndarray
    labels: np.ndarray


def of_images(
    records_path: Path, side: int, training: pd.DataFrame, validation: pd.DataFrame
) -> tuple[Examples, Examples]:
    """The images of the rows for training and validation."""
    first, second = (
        Examples(records.pixels(records_path, rows, side, side), rows["label"].to_numpy())
        for rows in (training, validation)
    )
    return first, second


def of_embeddings(
    stored: embeddings.Embeddings,
    network: keras.Model,
    table: pd.DataFrame,
    training: pd.DataFrame,
    validation: pd.DataFrame,
) -> tuple[Examples, Examples]:
    """The embeddings of the rows for training, all views, and of those for validation.

    Raises Problem if they do not come from the network's backbone.
    """
    stored.refuse_another(halves.digest(halves.backbone(network)))
    return (
        Examples(stored.training(table, training), training["label"].to_numpy()),
        Examples(stored.of(validation), validation["label"].to_numpy()),
    )
