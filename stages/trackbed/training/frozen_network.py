"""A network on a frozen backbone, of which only the head is trained, on embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trackbed.networks import embeddings
from trackbed.records import embedding_store
from trackbed.training import checkpoint, dense_heads, head_training, keras_archive
from trackbed.training.dense_heads import DenseHeads
from trackbed.training.early_stopping import Observer, Outcome
from trackbed.training.head_training import Embedded
from trackbed.training.train_params import TrainParams

if TYPE_CHECKING:
    import pandas as pd

Weights = list[np.ndarray]
"""Kernel and bias of every dense layer of the head."""


class FrozenNetwork:
    """A network whose head is trained in NumPy, without TensorFlow.

    name, parameters: of the whole network. Before the training its weights are not numbers.
    """

    def __init__(
        self, p: TrainParams, stored: embedding_store.Embeddings, embedded: Embedded, classes: int
    ) -> None:
        """Raises UserError if the embeddings come from another backbone than that of `p`."""
        self.p, self.embedded = p, embedded
        units = embedded.validation.shape[1]
        sizes = head_sizes(p.network, units, classes)
        unknown = np.full((1, dense_heads.parameters(sizes)), np.nan, np.float32)
        self.head = DenseHeads(unknown, sizes)
        stored.refuse_other_params(p)
        path = stored.checked(embedding_store.NETWORK_FILE)
        # The layers of a file have the precision with which they were built: float32.
        from_file = path if p.precision == "float32" else None
        found = _of_file(from_file, p.dropout) if from_file else _built(p, stored, classes)
        self.name, self.parameters, self._save = found

    @property
    def seconds_waited(self) -> float:
        """Seconds waited for batches, which lie in memory."""
        return 0.0

    def fit(self, observers: Sequence[Observer]) -> Outcome:
        """Train; see head_training.fit."""
        with head_training.one_thread():
            return head_training.fit(self.p, self.head, self.embedded, observers)

    def weights(self) -> Weights:
        """Kernel and bias of every dense layer of the head."""
        return [values[0] for layer in self.head.layers for values in layer]

    def save(self, folder: Path) -> None:
        """Write the whole network as model.keras."""
        self._save(folder, self.weights())

    def probabilities(self) -> np.ndarray:
        """Of the validation rows: float32, shape (images, classes)."""
        with head_training.one_thread():
            return head_training.probabilities_of(self.head, self.embedded.validation)


def embedded(
    stored: embedding_store.Embeddings,
    table: pd.DataFrame,
    training: pd.DataFrame,
    validation: pd.DataFrame,
) -> Embedded:
    """The embeddings of training rows, all views, and of validation rows of the index."""
    return Embedded(
        stored.training(table, training),
        training["label"].to_numpy(),
        stored.of(validation),
        validation["label"].to_numpy(),
    )


def head_sizes(network: str, units: int, classes: int) -> tuple[int, ...]:
    """Units of the embedding, of the hidden layers of a network's head, and of its last layer."""
    return (units, *embeddings.HIDDEN.get(network, ()), classes)


Found = tuple[str, int, Callable[[Path, Weights], None]]
"""Name and parameters of a network, and how to write it into a folder with a trained head."""


def _of_file(path: Path, dropout: float) -> Found:
    network = keras_archive.read(path)

    def save(folder: Path, weights: Weights) -> None:
        content = network.with_head(weights, dropout)
        keras_archive.write(folder / checkpoint.MODEL_FILE, content)

    return network.name, network.parameters(), save


def _built(p: TrainParams, stored: embedding_store.Embeddings, classes: int) -> Found:
    """By Keras, which is needed for layers of mixed precision, and where there is no file."""
    from trackbed.pipeline import tensorflow_setup

    tensorflow_setup.start()
    from trackbed.networks import registry
    from trackbed.networks.spec import Spec

    tensorflow_setup.make_deterministic(p.seed, p.precision)
    network = registry.build(p.network, Spec.of(p, classes))
    stored.refuse_other_backbone(embeddings.weights_digest(embeddings.backbone(network)))

    def save(folder: Path, weights: Weights) -> None:
        embeddings.head(network).set_weights(weights)
        checkpoint.save_network(folder, network)

    return network.name, network.count_params(), save
