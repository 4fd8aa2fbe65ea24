"""Training the head on embeddings is training the network on its images."""

import numpy as np
import pandas as pd
import pytest

from trackbed.learning import (
    determinism,
    embeddings,
    engines,
    examples,
    halves,
    losses,
    networks,
    optimizers,
    training,
)
from trackbed.learning.spec import Spec
from trackbed.problems import Problem

SIDE, TRAINED = 32, 40
random = np.random.default_rng(0)
LABELS = np.arange(56) % 2
IMAGES = random.integers(0, 120, (56, SIDE, SIDE, 3), dtype=np.uint8)
IMAGES[LABELS == 1, ::2] += 100
TABLE = pd.DataFrame({"record": range(56), "label": LABELS, "part": "train"})


def network():
    determinism.reproducible(0)
    return networks.build("rails", Spec(SIDE, 2, 0.3))


class Curve(training.keras.callbacks.Callback):
    """Keeps the losses of every epoch."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append((logs["loss"], logs["val_loss"]))


def curve(model, learned):
    kept = Curve()
    optimizer = optimizers.optimizer("adamw", 0.01, weight_decay=0.01, average=0.9)
    training.fit(
        model,
        ((), ()),
        *learned,
        phases=[training.Phase(4, optimizer)],
        loss=losses.loss("crossentropy", label_smoothing=0.1, gamma=0),
        plan=training.Plan(batch=16, patience=4, seed=0),
        callbacks=[kept],
    )
    return kept.losses


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embeddings")
    backbone = halves.backbone(network())
    forward = engines.forward(backbone, *embeddings.EXACT, IMAGES[:0])
    embeddings.write(folder / embeddings.STORED_FILE, IMAGES, np.arange(56), [forward], 16)
    embeddings.write_about(folder, frozen=True, backbone=halves.digest(backbone), views=0)
    return embeddings.read(folder)


def test_the_loss_curve_and_the_predictions_are_those_of_training_on_images(stored):
    on_images = network()
    expected = curve(
        on_images,
        [
            examples.Examples(IMAGES[part], LABELS[part])
            for part in (slice(TRAINED), slice(TRAINED, None))
        ],
    )
    whole = network()
    rows = TABLE[:TRAINED], TABLE[TRAINED:]
    learned = examples.of_embeddings(stored, whole, TABLE, *rows)
    found = curve(halves.head(whole), learned)
    assert expected[0][0] > expected[-1][0] + 0.1  # something was learned
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    answers = [model.predict(IMAGES, verbose=0) for model in (whole, on_images)]
    np.testing.assert_allclose(*answers, atol=1e-3)


def test_embeddings_of_another_backbone_are_refused(stored):
    other = networks.build("rails", Spec(SIDE, 2, 0.3, unfreeze="all"))
    with pytest.raises(Problem, match="a backbone with other weights"):
        examples.of_embeddings(stored, other, TABLE, TABLE[:TRAINED], TABLE[TRAINED:])
