import numpy as np
import pytest

from trackbed.drift import drift_result
from trackbed.drift.observations import Observations, TrainingPictures


def seen(random, groups, moved=0.0, frames=1, novel=0.0):
    """Pictures of two classes, with embeddings and properties around 0."""
    count = groups * frames
    first = np.clip(random.normal(0.5, 0.3, (count, 1)), 0.01, 0.99)
    names = [f"{group}_{frame}" for group in range(groups) for frame in range(frames)]
    return Observations(
        names,
        [name.partition("_")[0] for name in names],
        np.hstack([first, 1 - first]),
        random.normal(novel, 1, (count, 6)),
        random.normal(moved, 1, (count, 9)),
    )


def compared(new_groups, held_out_groups=60, **changes):
    random = np.random.default_rng(0)
    held_out = seen(random, held_out_groups)
    labels = (random.random(held_out_groups) > held_out.probabilities[:, 0]).astype(int)
    new = seen(random, new_groups, **changes)
    training = TrainingPictures([], np.zeros(0, int), np.zeros((0, 9)))
    return drift_result.compared(held_out, labels, new, training, ["a", "b"])


def test_equal_pictures_show_no_drift():
    found = compared(40)
    assert (found.verdict, found.groups, found.images) == ("no drift", (60, 40), (60, 40))
    assert found.different == []
    assert found.shares.estimated.sum() == pytest.approx(1)


def test_each_test_finds_its_own_kind_of_change():
    assert [test.name for test in compared(40, novel=1.5).different] == ["pictures"]
    found = compared(40, moved=1.5)
    assert [test.name for test in found.different] == ["properties"]
    assert all(change.factor == pytest.approx(np.exp(1.5), rel=0.8) for change in found.changes)
    assert all(change.adjusted <= 0.05 for change in found.changes)


def test_few_groups_can_show_drift_and_no_absence_of_it():
    assert compared(5, moved=3.0).verdict == "drift"
    assert compared(5).verdict == "cannot decide"
    found = compared(2, moved=9.0, frames=30)
    assert (found.verdict, found.can_find) == ("cannot decide", False)
    # Three of six groups: no p-value is below 1 / 20, and three tests count.
    assert compared(3, 3, moved=9.0).verdict == "cannot decide"


def test_training_pictures_count_for_light_and_sharpness_alone():
    random = np.random.default_rng(1)
    held_out, new = seen(random, 4, moved=0), seen(random, 12, moved=1.0)
    labels = np.array([0, 1, 0, 1])
    names = [f"t{number}" for number in range(100)]
    training = TrainingPictures(names, np.arange(100) % 2, random.normal(0, 1, (100, 9)))
    found = drift_result.compared(held_out, labels, new, training, ["a", "b"])
    assert found.groups == (4, 12)
    assert [test.name for test in found.different] == ["properties"]


def test_the_scores_are_of_the_new_pictures():
    assert compared(40, novel=1.5).scores.shape == (40,)
