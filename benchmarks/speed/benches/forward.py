"""A backbone goes over images once: what `embed` does."""

import time
from collections.abc import Mapping

from speed.bench import Bench, Contestant, Task, Values

BATCH = 32
SIDE = 224  # pixels
RATE = "images/s"


def keras_predict(task: Task) -> Values:
    """`predict` of the pooled ResNet50V2, as it comes."""
    import keras

    images = _images(task.images)
    inputs = keras.Input(images.shape[1:])
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = keras.applications.ResNet50V2(include_top=False, weights=None, pooling="avg")(x)
    model = keras.Model(inputs, x)
    model.predict(images[: 2 * BATCH], batch_size=BATCH, verbose=0)
    begun = time.perf_counter()
    model.predict(images, batch_size=BATCH, verbose=0)
    return {RATE: len(images) / (time.perf_counter() - begun)}


def trackbed(task: Task, *, engine: str, precision: str) -> Values:
    """The stage embed, without reading pictures."""
    from speed.benches import embedding

    images = _images(task.images)
    return {RATE: embedding.forward(engine=engine, precision=precision, images=images)}


def _images(number: int):
    """Noise: what a network computes takes the same time on any picture."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 256, (number, SIDE, SIDE, 3), dtype=np.uint8)


CONTESTANTS: Mapping[str, Contestant] = {
    "Keras predict": Contestant(keras_predict),
    **{
        f"trackbed, {engine}, {precision}": Contestant(
            trackbed, {"engine": engine, "precision": precision}
        )
        for engine, precision in (
            ("tensorflow", "float32"),
            ("tensorflow", "bfloat16"),
            ("openvino", "float32"),
            ("openvino", "bfloat16"),
            ("openvino", "int8"),
        )
    },
}

BENCH = Bench(
    title="Frozen backbone, forward",
    measures=f"ResNet50V2 with random weights over noise of {SIDE} x {SIDE} pixels, after a "
    "warm-up; imports and compilation are left out.",
    rates=(RATE,),
    contestants=CONTESTANTS,
)
