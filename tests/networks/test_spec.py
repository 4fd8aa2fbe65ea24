from pathlib import Path

import keras

from trackbed.networks import augmentation
from trackbed.networks.spec import Spec
from trackbed.pipeline import params
from trackbed.pipeline.params import Section
from trackbed.training.train_params import TrainParams

PARAMS = Path(__file__).parents[2] / "params.yaml"


def test_a_spec_of_params_has_every_value_of_them():
    p = params.load("train", TrainParams, PARAMS)
    p = p.model_copy(update={"image_side": 48, "width": 1.5, "l2": 0.25, "unfreeze": "all"})
    spec = Spec.of(p, 7)
    assert (spec.side, spec.classes, spec.width, spec.l2, spec.unfreeze) == (
        48,
        7,
        1.5,
        0.25,
        "all",
    )
    assert (spec.dropout, spec.units, spec.weights) == (p.dropout, p.units, p.weights)


def test_keys_that_a_section_lacks_keep_their_defaults():
    class Some(Section):
        image_side: int
        scaling: str
        augment: augmentation.Changes

    assert Spec.of(Some(image_side=32, scaling="unit", augment=[]), 2) == Spec(
        32, 2, scaling="unit"
    )


def test_input_and_output_of_a_model():
    spec = Spec(24, 3)
    inputs = spec.inputs()
    model = spec.model("flat", inputs, keras.layers.Flatten()(inputs))
    assert model.input_shape == (None, 24, 24, 3)
    assert (model.name, model.output_shape) == ("flat", (None, 3))
    assert model.layers[-1].activation is keras.activations.softmax
