"""Values of params.yaml that suit a source, each with its reason."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from trackbed.creation.group_patterns import groups_of
from trackbed.creation.source_facts import SourceFacts
from trackbed.dataset.groups import Grouping
from trackbed.dataset.schema import TEST, VALIDATION

# Those of params.yaml: nothing is proposed where they fit.
FOLDS, BATCH, EPOCHS, TOP_K, TEST_SHARE = 5, 32, 50, 2, 0.2
TEST_SHARES = ((TEST_SHARE, 5), (0.25, 4), (0.34, 3))  # with the groups of a class that they need
SIDES = (32, 40, 48, 64, 80, 96, 128)  # pixels; larger ones take long without a GPU
# A network from scratch needs about 500 steps (docs/defaults.md), and training may stop early.
FEWEST_STEPS = 1000
STEPS_PER_EPOCH = 20  # with smaller batches where there are few pictures
# The recipes reach their scores with 2,100 to 3,900 steps.
USUAL_STEPS = 3000
LONGEST, SHORTEST = 200, 15  # trainings, in epochs
UNEQUAL = 3  # times as many pictures in the largest class as in the smallest
MANY_CLASSES = 20
# Names of classes whose pictures may mean something else in a mirror.
SIDED = re.compile(r"left|right|links|rechts|gauche|droite|turn|mirror|arrow", re.IGNORECASE)
UNFLIPPED = """\

    - {name: translation, factor: 0.1}
    - {name: brightness, factor: 0.1}
    - {name: contrast, factor: 0.3}"""


@dataclass(frozen=True)
class Proposal:
    """A value for a key of params.yaml."""

    section: str
    key: str
    value: str  # as YAML
    reason: str  # a sentence without its full stop

    @property
    def name(self) -> str:
        """Section and key, as `dvc exp run -S` takes them."""
        return f"{self.section}.{self.key}"

    @property
    def text(self) -> str:
        """The value in a line."""
        return "without flip" if self.value == UNFLIPPED else self.value


def quoted(value: Any) -> str:
    """A value as YAML that every reader takes for the same."""
    return json.dumps(value, ensure_ascii=False)


def from_data(facts: SourceFacts, grouping: Grouping, groups: int) -> list[Proposal]:
    """Proposals for all keys but data.source. groups: that the grouping makes; 0: not known."""
    return [
        *_grouping(grouping, groups),
        *_split(facts, grouping),
        *_image_side(facts),
        *_length(facts),
        *_augment(facts),
        *_sampling(facts),
        *_top_k(len(facts.listing.classes)),
    ]


def source(place: str, reason: str) -> Proposal:
    """data.source of a project."""
    return Proposal("data", "source", quoted(place), reason)


def title(name: str) -> Proposal:
    """The title of the report, from the name of the project's folder."""
    return Proposal("report", "title", quoted(name[:200]), "the name of the project's folder")


def overlay(proposals: Sequence[Proposal]) -> str:
    """The proposals as a YAML text of sections, the form of a recipe."""
    sections: dict[str, list[str]] = {}
    for one in proposals:
        # A block begins in a line of its own.
        gap = "" if one.value.startswith("\n") else " "
        sections.setdefault(one.section, []).append(f"  {one.key}:{gap}{one.value}\n")
    return "\n".join(f"{name}:\n{''.join(lines)}" for name, lines in sections.items())


def _grouping(grouping: Grouping, groups: int) -> Iterator[Proposal]:
    if grouping.pattern is None:
        reason = (
            f"the manifest names {groups:,} groups itself"
            if groups
            else "every picture counts as independent of all others"
        )
        yield Proposal("data", "group", "null", reason)
        return
    # Single quotes keep the backslashes of a pattern as they are.
    value = "'" + grouping.pattern.replace("'", "''") + "'"
    kept = f"{groups:,} groups, each on one side of a split"
    yield Proposal("data", "group", value, kept)
    if grouping.per_class:
        same = "the same group name in two classes means two groups"
        yield Proposal("data", "group_per_class", "true", same)


def _split(facts: SourceFacts, grouping: Grouping) -> Iterator[Proposal]:
    """Shares that the class with the fewest groups can give."""
    name, fewest = fewest_groups(facts, grouping)
    few = f"class {name} has {fewest:,} {'pictures' if grouping.pattern is None else 'groups'}"
    if TEST not in facts.parts:
        share, parts = next((one for one in TEST_SHARES if fewest >= one[1]), TEST_SHARES[-1])
        if share != TEST_SHARE:
            yield Proposal("split", "test_share", f"{share}", f"{few}, and some for the test part")
        fewest -= ceil(fewest / parts)
    if VALIDATION not in facts.parts and fewest < FOLDS:
        left = f"{few}, {fewest:,} of them for training and validation"
        yield Proposal("split", "folds", f"{max(2, fewest)}", left)


def fewest_groups(facts: SourceFacts, grouping: Grouping) -> tuple[str, int]:
    """The class with the fewest groups outside of the test part, and how many it has."""
    if grouping.pattern is None:
        counts = facts.class_images
    else:
        found = groups_of(facts.listing, grouping.pattern, grouping.per_class)
        group = {name: key for key, files in found.members.items() for name in files}
        pairs = {(e.class_name, group[e.filename]) for e in facts.listing.entries if e.part != TEST}
        counts = Counter(name for name, _ in pairs)
    name = min(sorted(counts), key=counts.__getitem__)
    return name, counts[name]


def _image_side(facts: SourceFacts) -> Iterator[Proposal]:
    median = facts.median_side
    side = max((side for side in SIDES if side <= median), default=SIDES[0])
    reason = f"the shorter side of half of the pictures is {median:,} pixels or more"
    if median >= 2 * SIDES[-1]:
        reason += "; a larger side shows more detail and takes longer"
    yield Proposal("train", "image_side", f"{side}", reason)


def _length(facts: SourceFacts) -> Iterator[Proposal]:
    """A batch and a number of epochs for a useful number of steps."""
    images = facts.training_images
    batch = next((size for size in (BATCH, 16) if images >= STEPS_PER_EPOCH * size), 8)
    steps = ceil(images / batch)
    if batch != BATCH:
        few = f"only about {images:,} pictures to train on"
        yield Proposal("train", "batch", f"{batch}", f"{few}, so that an epoch has {_steps(steps)}")
    epochs = EPOCHS
    if steps * EPOCHS < FEWEST_STEPS:
        epochs = min(LONGEST, ceil(FEWEST_STEPS / steps))
    elif steps * EPOCHS > USUAL_STEPS:
        epochs = min(EPOCHS, max(SHORTEST, round(USUAL_STEPS / steps)))
    if epochs != EPOCHS:
        yield Proposal("train", "epochs", f"{epochs}", f"{_steps(epochs * steps)} at most")


def _steps(number: int) -> str:
    return "1 step" if number == 1 else f"{number:,} steps"


def _augment(facts: SourceFacts) -> Iterator[Proposal]:
    """No mirror images where the names of the classes speak against them."""
    names = facts.listing.classes
    if sided := next((name for name in names if SIDED.search(name)), None):
        yield Proposal("train", "augment", UNFLIPPED, f"class {sided} may have a side")
    elif all(len(name) == 1 or name.isdigit() for name in names):
        reason = "the classes are numbers or letters, which may be what the pictures show"
        yield Proposal("train", "augment", UNFLIPPED, reason)


def _sampling(facts: SourceFacts) -> Iterator[Proposal]:
    ordered = facts.class_images.most_common()
    (largest, most), (smallest, fewest) = ordered[0], ordered[-1]
    if most >= UNEQUAL * fewest:
        unequal = f"{most:,} pictures of {largest}, {fewest:,} of {smallest}"
        yield Proposal("train", "balanced_sampling", "true", unequal)


def _top_k(classes: int) -> Iterator[Proposal]:
    if classes == 2:
        yield Proposal(
            "evaluate", "top_k", "1", "with two classes the second guess is always right"
        )
    elif classes >= MANY_CLASSES:
        yield Proposal("evaluate", "top_k", "5", f"{classes:,} classes")


def notes(facts: SourceFacts, proposals: Sequence[Proposal]) -> list[str]:
    """What the data cannot tell, or what to look at, a sentence each."""
    found = []
    if not any(one.key == "augment" for one in proposals):
        found.append(
            "train.augment mirrors training pictures (flip). Remove flip if a mirror image would "
            "mean something else, as for digits, text and traffic signs: file names cannot tell."
        )
    if facts.grey == len(facts.sides):
        found.append("The pictures are grey. No value depends on that.")
    elif facts.grey > 0:
        found.append(
            f"{facts.grey} of {len(facts.sides)} pictures looked at are grey, the others in "
            "colour. If some classes are grey alone, a network learns that instead."
        )
    if facts.rejected:
        looked = len(facts.sides) + len(facts.rejected)
        name, reason = facts.rejected[0]
        found.append(
            f"{len(facts.rejected)} of {looked} pictures looked at cannot be used, such as {name} "
            f"({reason}). The build lists all of them, and fails above data.max_rejects."
        )
    return found
