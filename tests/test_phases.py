from types import SimpleNamespace

import keras
import pytest

from trackbed.learning import networks, phases
from trackbed.learning.spec import Spec
from trackbed.problems import Problem

CHOICES = {
    "network": "MobileNetV2",
    "head_epochs": 0,
    "fine_tune_rate": 1e-5,
    "epochs": 10,
    "monitor": "val_macro_f1",
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "clip_norm": 0.5,
    "average": 0.0,
    "schedule": "cosine",
    "decay_rate": 0.9,
    "decay_steps": 100,
    "warmup_epochs": 0,
    "plateau_factor": 0.5,
    "plateau_patience": 3,
}


SCRATCH = Spec(32, 3)


def choices(**changes):
    return SimpleNamespace(**CHOICES | changes)


def test_one_phase_of_all_epochs_is_the_rule():
    (phase,) = phases.planned(choices(), SCRATCH, networks.build("small_cnn", SCRATCH), steps=5)
    assert phase.epochs == 10
    assert float(phase.optimizer.learning_rate) == pytest.approx(1e-3)
    assert phase.optimizer.global_clipnorm == 0.5
    phase.optimizer.iterations.assign(50)  # ten epochs of five steps
    assert float(phase.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


def test_the_head_is_trained_first_and_then_what_is_unfrozen():
    spec = Spec(32, 3, unfreeze="10")
    network = networks.build("MobileNetV2", spec)
    base = next(layer for layer in network.layers if isinstance(layer, keras.Model))
    head, fine = phases.planned(choices(head_epochs=4), spec, network, steps=5)
    assert (head.epochs, fine.epochs) == (4, 6)
    head.prepare()
    assert len(network.trainable_weights) == 2  # kernel and bias of the classes
    assert float(fine.optimizer.learning_rate) == pytest.approx(1e-5)
    fine.prepare()
    assert [layer.trainable for layer in base.layers[-11:]] == [False] + [True] * 10


@pytest.mark.parametrize(
    "changes", [{"head_epochs": 10}, {"head_epochs": 3, "network": "small_cnn"}]
)
def test_head_epochs_without_a_second_phase_or_a_backbone_are_refused(changes):
    p = choices(**changes)
    with pytest.raises(Problem, match=r"train\.head_epochs"):
        phases.planned(p, SCRATCH, networks.build(p.network, SCRATCH), steps=5)


def test_the_plateau_watches_the_monitored_value():
    (callback,) = phases.plateau(choices(schedule="plateau"))
    assert (callback.monitor, callback.mode) == ("val_macro_f1", "max")
    assert (callback.factor, callback.patience) == (0.5, 3)
    assert phases.plateau(choices()) == []


def test_a_warm_up_as_long_as_the_training_is_refused():
    with pytest.raises(Problem, match=r"train\.warmup_epochs: must be below train.epochs \(10\)"):
        phases.planned(choices(warmup_epochs=10), SCRATCH, None, steps=5)
