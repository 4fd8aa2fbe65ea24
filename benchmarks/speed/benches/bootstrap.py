"""Intervals of scores: one resample after the other with scikit-learn, or all at once."""

import time
from typing import Any

from speed.bench import Bench, Contestant, Task, Values

# The official test part of GTSRB.
IMAGES, CLASSES, FRAMES = 12_630, 43, 30
TIMED = 20  # resamples of scikit-learn
WHOLE = "s of processor"


def one_by_one(task: Task, frames: int) -> Values:
    """Draw groups, gather their images, score them; TIMED times, of which the rest is inferred."""
    import numpy as np
    from sklearn.metrics import accuracy_score, f1_score

    from trackbed.evaluation.bootstrap import RESAMPLES

    labels, predicted, groups = _answers(frames)
    members = np.split(np.argsort(groups, kind="stable"), np.cumsum(np.bincount(groups))[:-1])
    random = np.random.default_rng(0)
    begun = time.process_time()
    for _ in range(TIMED):
        sampled = random.integers(len(members), size=len(members))
        rows = np.concatenate([members[group] for group in sampled])
        f1_score(labels[rows], predicted[rows], average=None, labels=range(CLASSES))
        accuracy_score(labels[rows], predicted[rows])
    return {WHOLE: (time.process_time() - begun) * RESAMPLES / TIMED}


def at_once(task: Task, frames: int) -> Values:
    """The intervals of macro F1, accuracy and every class, as the evaluate stage makes them."""
    from trackbed.evaluation import intervals

    labels, predicted, groups = _answers(frames)
    begun = time.process_time()
    intervals.intervals(labels, predicted, groups, CLASSES, seed=0)
    return {WHOLE: time.process_time() - begun}


def _answers(frames: int) -> tuple[Any, Any, Any]:
    """Labels, predictions (95 % right) and groups of `frames` images of one class."""
    import numpy as np

    random = np.random.default_rng(0)
    groups = np.arange(IMAGES) // frames
    labels = random.integers(CLASSES, size=groups.max() + 1)[groups]
    right = random.random(IMAGES) < 0.95
    return labels, np.where(right, labels, random.integers(CLASSES, size=IMAGES)), groups


def _bench(title: str, frames: int) -> Bench:
    return Bench(
        title=f"Intervals: 12,630 predictions, 43 classes, 2,000 resamples, {title}",
        measures="Macro F1, accuracy and the F1 of every class; imports left out. Scikit-learn's "
        f"time is that of {TIMED} resamples times 100.",
        times=(WHOLE,),
        contestants={
            "scikit-learn, one by one": Contestant(one_by_one, {"frames": frames}),
            "trackbed": Contestant(at_once, {"frames": frames}),
        },
    )


BENCHES = {
    "intervals": _bench("tracks of 30", FRAMES),
    "intervals_single": _bench("every image alone", 1),
}
