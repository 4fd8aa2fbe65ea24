"""Whether new pictures look like held-out ones: tests, their common verdict, and class shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trackbed.drift import class_shares, two_sample
from trackbed.drift.class_shares import ClassShares
from trackbed.drift.image_properties import LISTED, PROPERTIES
from trackbed.drift.observations import Observations, TrainingPictures
from trackbed.drift.two_sample import Samples, TwoSampleTest
from trackbed.inference.temperature import logits

# With fewer groups on a side an undetected change says nothing; see docs/drift.md.
FEWEST_GROUPS = 10
# With fewer, one unusual group is taken for all new pictures.
FEWEST_TO_DIFFER = 3
DRIFT, NO_DRIFT, UNDECIDED = "drift", "no drift", "cannot decide"
EXIT_CODES = {NO_DRIFT: 0, DRIFT: 1, UNDECIDED: 2}
# Name and question of every test.
TESTS = {
    "pictures": "can a classifier tell their embeddings from those of held-out pictures with the "
    "same answer?",
    "answers": "are the probabilities of any class distributed otherwise?",
    "properties": "can a classifier tell them by light, colour and sharpness from all pictures of "
    "the records with the same answer?",
}


@dataclass(frozen=True)
class Tested:
    """A test; adjusted: its p-value where all tests count together (Holm)."""

    name: str
    value: float
    p_value: float
    adjusted: float


@dataclass(frozen=True)
class PropertyChange:
    """factor: of the geometric mean in new pictures to that in the records."""

    name: str
    factor: float
    adjusted: float


@dataclass(frozen=True)
class DriftResult:
    """New pictures compared with held-out ones.

    scores: how unlike held-out pictures every new one is, float, shape (new pictures,).
    """

    classes: list[str]
    samples: Samples
    tests: list[Tested]
    changes: list[PropertyChange]
    shares: ClassShares
    scores: np.ndarray
    alpha: float

    @property
    def groups(self) -> tuple[int, int]:
        """Of held-out and of new pictures."""
        marks = self.samples.group_is_new
        return int((~marks).sum()), int(marks.sum())

    @property
    def images(self) -> tuple[int, int]:
        """Held out and new."""
        return int((~self.samples.is_new).sum()), int(self.samples.is_new.sum())

    @property
    def different(self) -> list[Tested]:
        """The tests that found a difference; none where there are too few groups."""
        found = [test for test in self.tests if test.adjusted <= self.alpha]
        return found if self.can_find else []

    @property
    def can_find(self) -> bool:
        """Whether there are groups enough for a difference to count."""
        attainable = self.samples.smallest_p_value * len(self.tests) <= self.alpha
        return attainable and min(self.groups) >= FEWEST_TO_DIFFER

    @property
    def verdict(self) -> str:
        """DRIFT, NO_DRIFT or UNDECIDED."""
        if self.different:
            return DRIFT
        few = not self.can_find or min(self.groups) < FEWEST_GROUPS
        return UNDECIDED if few else NO_DRIFT


def compared(
    held_out: Observations,
    labels: np.ndarray,
    new: Observations,
    training: TrainingPictures,
    classes: Sequence[str],
    alpha: float = 0.05,
    seed: int = 0,
) -> DriftResult:
    """Compare new pictures with held-out ones; labels: of the latter, int.

    Properties need no model, so they are compared with those of the training pictures, too. Every
    p-value comes from exchanging whole groups.
    """
    both = two_sample.samples(held_out.groups, new.groups)
    answers = np.concatenate([held_out.answers, new.answers])
    embeddings, seen_properties = (
        two_sample.without_class_means(np.concatenate(values), answers)
        for values in (
            (held_out.embeddings, new.embeddings),
            (held_out.properties, new.properties),
        )
    )
    outputs = logits(np.concatenate([held_out.probabilities, new.probabilities]))
    properties, of_records = _with_training(held_out, training, new)
    found = {
        "pictures": two_sample.classifier_test(embeddings, both, seed),
        "answers": two_sample.distribution_test(outputs, both, seed),
        "properties": two_sample.classifier_test(properties, of_records, seed),
    }
    features = np.hstack([two_sample.standardised(embeddings), seen_properties])
    return DriftResult(
        classes=list(classes),
        samples=both,
        tests=_adjusted(found),
        changes=_changes(properties, of_records, seed),
        shares=class_shares.class_shares(
            held_out.probabilities,
            labels,
            new.probabilities,
            (np.asarray(held_out.groups), np.asarray(new.groups)),
            seed,
        ),
        scores=two_sample.classifier_scores(features, both, seed)[both.is_new],
        alpha=alpha,
    )


def _with_training(
    held_out: Observations, training: TrainingPictures, new: Observations
) -> tuple[np.ndarray, Samples]:
    """Properties of all pictures less those of their answers, and which of them are new.

    For a training picture its label stands for the answer, which it mostly is.
    """
    properties = np.concatenate([held_out.properties, training.properties, new.properties])
    answers = np.concatenate([held_out.answers, training.labels, new.answers])
    of_records = two_sample.samples([*held_out.groups, *training.groups], new.groups)
    return two_sample.without_class_means(properties, answers), of_records


def _adjusted(found: dict[str, TwoSampleTest]) -> list[Tested]:
    adjusted = two_sample.adjusted([test.p_value for test in found.values()])
    return [
        Tested(name, test.value, test.p_value, value)
        for (name, test), value in zip(found.items(), adjusted, strict=True)
    ]


def _changes(properties: np.ndarray, both: Samples, seed: int) -> list[PropertyChange]:
    """The properties for a reader, with p-values that hold for all of them."""
    places = [list(PROPERTIES).index(name) for name in LISTED]
    found = [two_sample.mean_test(properties[:, place], both, seed) for place in places]
    adjusted = two_sample.adjusted([test.p_value for test in found])
    return [
        PropertyChange(name, float(np.exp(test.value)), value)
        for name, test, value in zip(LISTED, found, adjusted, strict=True)
    ]
