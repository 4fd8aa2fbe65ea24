"""What to do about single classes, by rules from their numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trackbed.telling import wording
from trackbed.telling.findings import Confusion

FEWEST_CONFUSED = 3  # images
CONFUSED_SHARE = 0.1  # of the images of the true class or of the calls of the other
MOST_PAIRS = 3
FEW_OF_MEDIAN = 0.5  # training images of a class against the median class
BELOW_MACRO = 0.05  # of its F1 below macro F1
FEW_TEST_IMAGES = 10
SURE = 0.95  # confidence
LISTED = 3


@dataclass(frozen=True)
class Advice:
    """What to do, the numbers that say so, and the anchor in the page where to look."""

    text: str
    target: str

    @property
    def invitation(self) -> str:
        """The words of the link to the target."""
        pictures = self.target == "mistakes" or self.target.startswith("pair-")
        return "Look at these pictures." if pictures else "See there."


def confused(
    confusions: list[Confusion], classes: pd.DataFrame, calls: pd.Series, anchors: list[str]
) -> list[Advice]:
    """Up to MOST_PAIRS pairs whose confusions cost a class CONFUSED_SHARE or more.

    confusions: most frequent first; anchors: of their pictures, '' beyond the last. classes:
    columns recall and precision; calls: images per predicted class. A pair that is confused in
    both directions is told once.
    """
    counts = {(one.true, one.predicted): one.images for one in confusions}
    told: set[frozenset[str]] = set()
    found = []
    for place, one in enumerate(confusions):
        share = max(one.images / one.support, one.images / calls[one.predicted])
        pair = frozenset((one.true, one.predicted))
        if one.images < FEWEST_CONFUSED or share < CONFUSED_SHARE or pair in told:
            continue
        told.add(pair)
        back = counts.get((one.predicted, one.true), 0)
        target = anchors[place] if place < len(anchors) else "confusions"
        found.append(Advice(_pair(one, classes, int(calls[one.predicted]), back), target))
    return found[:MOST_PAIRS]


def scarce(
    counts: pd.DataFrame, classes: pd.DataFrame, macro_f1: float | None, train: Mapping[str, Any]
) -> list[Advice]:
    """Classes with few training images and a low F1: collect more, or weigh them more.

    counts: images per class, column train; train: section of params.yaml, scalars as text.
    """
    median = counts["train"].median()
    low = classes["f1"] < (macro_f1 or 0) - BELOW_MACRO
    few = counts["train"] < FEW_OF_MEDIAN * median
    tried = [key for key in ("class_weights", "balanced_sampling") if train.get(key) == "true"]
    other = f"; {tried[0]} is on" if tried else ", or try train.class_weights"
    return [
        Advice(
            f"{_name(name)}: {wording.plural(counts.at[name, 'train'], 'training image')}, the "
            f"median class has {wording.count(median)}, and F1 {wording.share(f1)} against a "
            f"macro F1 of {wording.share(macro_f1)}: collect more of it{other}.",
            "balance",
        )
        for name, f1 in classes["f1"][low & few].sort_values(kind="stable").head(LISTED).items()
    ]


def untested(classes: pd.DataFrame) -> list[Advice]:
    """Classes with no or fewer than FEW_TEST_IMAGES test images: their scores say little."""
    found = []
    support = classes["support"]
    if none := [_name(name) for name in support.index[support == 0]]:
        found.append(Advice(f"Add test images of {_listed(none)}: there are none.", "data"))
    few = support[(support > 0) & (support < FEW_TEST_IMAGES)]
    if len(few):
        names = [f"{_name(name)} ({images})" for name, images in few.items()]
        found.append(
            Advice(
                f"Add test images of {_listed(names)}: with {int(few.min())}, one image more or "
                f"less moves a recall by {wording.share(1 / few.min(), 2)}.",
                "data",
            )
        )
    return found


def sure_mistakes(mistakes: pd.DataFrame) -> list[Advice]:
    """Mistakes with a confidence of SURE or more: wrong labels are found there first.

    mistakes: columns filename, true, predicted, confidence; the surest first.
    """
    sure = mistakes[mistakes["confidence"] >= SURE]
    if sure.empty:
        return []
    names = [wording.name(name, 60) for name in sure["filename"]]
    return [
        Advice(
            f"Check the labels of {wording.plural(len(sure), 'mistake')} of {len(mistakes):,} with "
            f"a confidence of at least {SURE}: {_listed(names)}.",
            "mistakes",
        )
    ]


def _pair(one: Confusion, classes: pd.DataFrame, calls: int, back: int) -> str:
    of_calls = one.images / calls > one.images / one.support
    subject, other = (one.predicted, one.true) if of_calls else (one.true, one.predicted)
    recall, precision = (wording.share(classes.at[subject, m], 2) for m in ("recall", "precision"))
    what = (
        f"{one.images:,} of its {wording.plural(calls, 'call')} are {_name(other)}"
        if of_calls
        else f"{one.images:,} of its {wording.plural(one.support, 'image')} are called "
        f"{_name(other)}"
    )
    both = (
        f" The other way round it happens {back} times: the two look alike to the network, or "
        "their labels are mixed up."
        if back >= FEWEST_CONFUSED
        else ""
    )
    return f"{_name(subject)}: recall {recall}, precision {precision}; {what}.{both}"


def _name(name: str) -> str:
    return f"“{wording.name(name, 60)}”"


def _listed(names: list[str]) -> str:
    rest = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {rest} more" if rest > 0 else "")
