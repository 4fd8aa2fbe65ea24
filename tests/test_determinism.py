import keras
import numpy as np

from trackbed.learning import determinism


def drawn(seed):
    determinism.reproducible(seed)
    return np.asarray(keras.random.normal((4,)))


def test_a_seed_decides_what_follows():
    assert np.array_equal(drawn(1), drawn(1))
    assert not np.array_equal(drawn(1), drawn(2))


def test_the_precision_is_that_of_the_layers_built_next():
    determinism.reproducible(0, "mixed_bfloat16")
    assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    determinism.reproducible(0)
    assert keras.layers.Dense(1).compute_dtype == "float32"
