import keras
import numpy as np

from trackbed.exporting.float32_copy import float32_copy
from trackbed.networks import registry
from trackbed.networks.spec import Spec


def test_a_model_of_mixed_precision_answers_like_its_float32_twin():
    made = {}
    for policy in ("float32", "mixed_bfloat16"):
        keras.utils.set_random_seed(0)
        keras.mixed_precision.set_global_policy(policy)
        made[policy] = registry.build("small_cnn", Spec(32, 3))
    keras.mixed_precision.set_global_policy("float32")
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    mixed, copy = made["mixed_bfloat16"], float32_copy(made["mixed_bfloat16"])
    assert {layer.compute_dtype for layer in copy.layers} == {"float32"}
    assert np.array_equal(copy(images), made["float32"](images))
    assert not np.array_equal(mixed(images), made["float32"](images))


def test_a_model_in_float32_is_taken_as_it_is():
    model = registry.build("small_cnn", Spec(32, 3))
    assert float32_copy(model) is model


def test_a_nested_backbone_computes_in_float32_too():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    mixed = registry.build("MobileNetV2", Spec(32, 3))
    keras.mixed_precision.set_global_policy("float32")
    (backbone,) = [one for one in float32_copy(mixed).layers if isinstance(one, keras.Model)]
    assert {layer.compute_dtype for layer in backbone.layers} == {"float32"}
