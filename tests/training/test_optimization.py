import math
from pathlib import Path

import keras
import numpy as np
import pytest

from trackbed.networks import registry
from trackbed.networks.spec import Spec
from trackbed.pipeline import params
from trackbed.pipeline.errors import UserError
from trackbed.training import optimization
from trackbed.training.train_params import TrainParams

TRUE = np.array([[1.0, 0, 0], [0, 1, 0]], np.float32)
FOUND = np.array([[0.7, 0.2, 0.1], [0.5, 0.25, 0.25]], np.float32)


def mean_of(loss):
    return float(np.mean(loss(TRUE, FOUND)))


def test_crossentropy_by_hand():
    loss = optimization.loss("crossentropy", label_smoothing=0, gamma=2)
    assert mean_of(loss) == pytest.approx(-(np.log(0.7) + np.log(0.25)) / 2, rel=1e-5)


def test_label_smoothing_spreads_its_share_over_all_classes():
    loss = optimization.loss("crossentropy", label_smoothing=0.3, gamma=0)
    labels = 0.7 * TRUE + 0.1
    assert mean_of(loss) == pytest.approx(-(labels * np.log(FOUND)).sum(1).mean(), rel=1e-5)


def test_focal_loss_is_the_published_one():
    loss = optimization.loss("focal", label_smoothing=0, gamma=2)
    expected = -np.mean([0.3**2 * np.log(0.7), 0.75**2 * np.log(0.25)])
    assert mean_of(loss) == pytest.approx(expected, rel=1e-5)


def test_focal_loss_with_gamma_zero_is_crossentropy():
    focal = optimization.loss("focal", label_smoothing=0, gamma=0)
    plain = optimization.loss("crossentropy", label_smoothing=0, gamma=0)
    assert mean_of(focal) == pytest.approx(mean_of(plain), rel=1e-5)


SHAPE = {"decay_rate": 0.9, "decay_steps": 10_000, "steps": 100, "warmup": 0}


def rates(schedule, steps, **changes):
    rate = optimization.learning_rate(schedule, 1e-4, **(SHAPE | changes))
    made = optimization.optimizer("adam", rate, weight_decay=0, average=0)
    found = []
    for step in steps:
        made.iterations.assign(step)
        found.append(float(made.learning_rate))
    return found


def test_a_constant_learning_rate_stays():
    assert rates("constant", [0, 1000]) == pytest.approx([1e-4, 1e-4])


def test_exponential_decay_is_the_published_one():
    steps = [0, 5_000, 10_000, 20_000]
    expected = [1e-4 * 0.9 ** (step / 10_000) for step in steps]
    assert rates("exponential", steps) == pytest.approx(expected, abs=1e-6)


def test_cosine_is_half_a_cosine_over_all_steps():
    expected = [1e-4 * (1 + math.cos(math.pi * step / 100)) / 2 for step in (0, 25, 50, 100)]
    assert rates("cosine", [0, 25, 50, 100]) == pytest.approx(expected, abs=1e-10)


def test_the_warm_up_is_a_straight_line_to_the_rate():
    found = rates("cosine", [0, 5, 10, 55, 100], warmup=10)
    assert found == pytest.approx([0, 0.5e-4, 1e-4, 0.5e-4, 0], abs=1e-10)


@pytest.mark.parametrize(
    ("name", "after"),
    [
        # gradient 2, learning rate 0.1: Adam's first step is the rate itself
        ("adam", 1 - 0.1),
        # and with decay 0.5 AdamW takes 0.1 * 0.5 of the weight away
        ("adamw", 1 - 0.1 - 0.05),
        # Nesterov's first step is rate * gradient * (1 + momentum)
        ("sgd", 1 - 0.1 * 2 * 1.9),
    ],
)
def test_the_first_step_is_that_of_the_published_rule(name, after):
    import keras

    weight = keras.Variable(np.array([1.0], np.float32), name="kernel")
    made = optimization.optimizer(name, 0.1, weight_decay=0.5, average=0)
    made.apply([np.array([2.0], np.float32)], [weight])
    assert float(weight.numpy()[0]) == pytest.approx(after, rel=1e-4)


def test_biases_and_normalisation_do_not_decay():
    import keras

    made = optimization.optimizer("adamw", 0.1, weight_decay=0.5, average=0)
    for name in ("bias", "gamma", "beta"):
        weight = keras.Variable(np.array([1.0], np.float32), name=name)
        made = optimization.optimizer("adamw", 0.1, weight_decay=0.5, average=0)
        made.apply([np.array([2.0], np.float32)], [weight])
        assert float(weight.numpy()[0]) == pytest.approx(0.9, rel=1e-4)


SCRATCH = Spec(32, 3)
CHANGES = {
    "network": "MobileNetV2",
    "epochs": 10,
    "monitor": "val_macro_f1",
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "clip_norm": 0.5,
    "average": 0.0,
    "warmup_epochs": 0,
}


def choices(**changes):
    """Section `train` of params.yaml with other values."""
    p = params.load("train", TrainParams, Path(__file__).parents[2] / "params.yaml")
    return p.model_copy(update=CHANGES | changes)


def test_one_phase_of_all_epochs_is_the_rule():
    (phase,) = optimization.phases(
        choices(), SCRATCH, registry.build("small_cnn", SCRATCH), steps=5
    )
    assert phase.epochs == 10
    assert float(phase.optimizer.learning_rate) == pytest.approx(1e-3)
    assert phase.optimizer.global_clipnorm == 0.5
    phase.optimizer.iterations.assign(50)  # ten epochs of five steps
    assert float(phase.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


def test_the_warm_up_of_params_is_counted_in_epochs():
    p = choices(schedule="cosine", warmup_epochs=2)
    (phase,) = optimization.phases(p, SCRATCH, None, steps=5)
    found = []
    for epoch in (1, 2, 6, 10):  # half of the warm-up, its end, half of the rest, the end
        phase.optimizer.iterations.assign(5 * epoch)
        found.append(float(phase.optimizer.learning_rate))
    assert found == pytest.approx([0.5e-3, 1e-3, 0.5e-3, 0], abs=1e-9)


def test_the_head_is_trained_first_and_then_what_is_unfrozen():
    spec = Spec(32, 3, unfreeze="10")
    network = registry.build("MobileNetV2", spec)
    base = next(layer for layer in network.layers if isinstance(layer, keras.Model))
    head, fine = optimization.phases(choices(head_epochs=4), spec, network, steps=5)
    assert (head.epochs, fine.epochs) == (4, 6)
    head.prepare()
    assert len(network.trainable_weights) == 2  # kernel and bias of the classes
    assert float(fine.optimizer.learning_rate) == pytest.approx(1e-5)
    fine.prepare()
    assert [layer.trainable for layer in base.layers[-11:]] == [False] + [True] * 10


@pytest.mark.parametrize(
    "changes", [{"head_epochs": 10}, {"head_epochs": 3, "network": "small_cnn"}]
)
def test_head_epochs_need_a_backbone_and_a_second_phase(changes):
    p = choices(**changes)
    with pytest.raises(UserError, match=r"train\.head_epochs"):
        optimization.phases(p, SCRATCH, registry.build(p.network, SCRATCH), steps=5)


def test_the_plateau_watches_the_monitored_value():
    (callback,) = optimization.plateau_callbacks(choices(schedule="plateau"))
    assert (callback.monitor, callback.mode) == ("val_macro_f1", "max")
    assert (callback.factor, callback.patience) == (0.5, 3)
    assert optimization.plateau_callbacks(choices()) == []


@pytest.mark.parametrize("epochs", [1, 2])
def test_the_warm_up_takes_at_most_half_of_the_training(epochs):
    p = choices(schedule="cosine", epochs=epochs, warmup_epochs=2)
    (phase,) = optimization.phases(p, SCRATCH, None, steps=4)
    found = []
    for step in (0, 2 * epochs, 4 * epochs):  # the start, the end of the warm-up, the end
        phase.optimizer.iterations.assign(step)
        found.append(float(phase.optimizer.learning_rate))
    assert found == pytest.approx([0, 1e-3, 0], abs=1e-9)


def test_a_single_step_has_the_whole_learning_rate():
    rate = optimization.learning_rate("cosine", 1e-4, **(SHAPE | {"steps": 1, "warmup": 2}))
    assert float(rate(0)) == pytest.approx(1e-4)


def test_loss_rate_and_optimizer_are_those_of_params():
    p = choices(optimizer="sgd", loss="focal", label_smoothing=0.25, schedule="constant")
    assert isinstance(optimization.optimizer_of(p, 0.5), keras.optimizers.SGD)
    loss = optimization.loss_of(p)
    assert isinstance(loss, keras.losses.CategoricalFocalCrossentropy)
    assert (loss.gamma, loss.label_smoothing) == (p.focal_gamma, 0.25)
    assert optimization.rate_of(p, 0.5, epochs=3, steps=7) == 0.5


def test_the_momentum_of_averaged_weights_starts_low():
    # In TensorFlow's ExponentialMovingAverage: min(decay, (1 + step) / (10 + step)).
    variable = keras.Variable([10.0])
    made = optimization.optimizer("sgd", 0.5, weight_decay=0, average=0.3)
    made.build([variable])
    values = []
    for _ in range(6):
        made.apply([keras.ops.ones((1,))], [variable])
        values.append(float(variable.numpy()[0]))
    expected = values[0]  # the first step is no average yet
    for step, value in enumerate(values[1:], 1):
        momentum = min(0.3, (1 + step) / (10 + step))
        expected = momentum * expected + (1 - momentum) * value
    assert float(made._model_variables_moving_average[0].numpy()[0]) == pytest.approx(
        expected, abs=1e-6
    )


@pytest.mark.parametrize("steps", [4, 20, 100])
def test_an_average_of_few_steps_is_close_to_the_last_weights(steps):
    variable = keras.Variable([0.0])
    made = optimization.optimizer("sgd", 1.0, weight_decay=0, average=0.99)
    made.build([variable])
    for _ in range(steps):
        made.apply([-(1 - variable)], [variable])  # towards 1
    assert float(made._model_variables_moving_average[0].numpy()[0]) > 0.5
