"""A network that is trained on images."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from trackbed.networks import augmentation, registry
from trackbed.networks.spec import Spec
from trackbed.records import integrity, reader
from trackbed.training import batches, checkpoint, loop, optimization, resources, resume
from trackbed.training.callbacks import Observed
from trackbed.training.early_stopping import Observer, Outcome
from trackbed.training.train_params import TrainParams


class ImageNetwork:
    """A network of section `train`, the images it is trained on, and the state on the disk.

    rows: of the index, for training and validation; store: where to keep the state, if anywhere.
    name, parameters: of the network.
    """

    def __init__(
        self,
        p: TrainParams,
        records_path: Path,
        rows: Iterable[pd.DataFrame],
        classes: int,
        store: resume.Store | None,
    ) -> None:
        self.p, self.spec, self.store = p, Spec.of(p, classes), store
        self.network = registry.build(p.network, self.spec)
        self.changes = augmentation.build(p.augment, p.seed)
        self.records_path, self.rows = records_path, tuple(rows)
        integrity.check(records_path, pd.concat(self.rows)["shard"])
        self.waiting = resources.InputWait()
        self.name, self.parameters = self.network.name, self.network.count_params()

    @property
    def seconds_waited(self) -> float:
        """Seconds waited for batches so far."""
        return self.waiting.seconds

    def fit(self, observers: Sequence[Observer]) -> Outcome:
        """Train while the images are read; see loop.fit. Raises Damaged as `reader.pixels` does."""
        p, plan, side = self.p, loop.Plan.of(self.p), self.spec.side
        training, validation = self.rows
        order = loop.first_order(training["label"].to_numpy(), plan)
        steps = batches.steps(len(training), p.batch)
        with reader.Reading(self.records_path, pd.concat(self.rows), side, side, order) as reading:
            examples = batches.of_images(reading, training, validation)
            outcome = loop.fit(
                self.network,
                self.changes,
                *examples,
                phases=optimization.phases(p, self.spec, self.network, steps),
                loss=optimization.loss_of(p),
                plan=plan,
                callbacks=[*map(Observed, observers), *optimization.plateau_callbacks(p)],
                waiting=self.waiting,
                store=self.store,
            )
        self.validation_images = examples[1].images
        return outcome

    def weights(self) -> list[np.ndarray]:
        """All weights."""
        return self.network.get_weights()

    def save(self, folder: Path) -> None:
        """Write the network as model.keras."""
        checkpoint.save_network(folder, self.network)

    def probabilities(self) -> np.ndarray:
        """Of the validation images, after `fit`: float32, shape (images, classes)."""
        images = batches.in_order(self.validation_images, batch=self.p.batch)
        return self.network.predict(images, verbose=0)
