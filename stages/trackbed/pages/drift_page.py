"""New pictures beside held-out ones: the verdict as text, as JSON values, and as a page."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from trackbed.drift import delivery, drift_result
from trackbed.drift.delivery import Delivery
from trackbed.drift.drift_result import DriftResult, PropertyChange, Tested
from trackbed.inference.exported_model import ExportedModel
from trackbed.pictures.rejections import Rejected
from trackbed.pipeline.outputs import data_uri, jpeg
from trackbed.reporting import formatting, html

PER_GROUP = 3  # pictures of one group on the page
SHARES = 12  # classes in the terminal
NO_GROUPS = (
    "No groups are known, so every new picture counts as independent. If several show the same "
    "place, object or drive, a difference may be chance; name the groups with --group."
)
NAMES = {"pictures": "pictures", "answers": "answers", "properties": "light and sharpness"}
VALUES = {
    "pictures": "AUC {:.3f}",
    "answers": "largest distance {:.3f}",
    "properties": "AUC {:.3f}",
}


@dataclass(frozen=True)
class Card:
    """A new picture; `picture` is a data URI."""

    picture: str
    filename: str
    group: str
    answer: str
    confidence: float


def verdict(result: DriftResult) -> str:
    """Whether the pictures differ, and by what test, in a sentence or two."""
    images, groups = result.images, result.groups
    basis = (
        f"{formatting.plural(images[1], 'new picture')} of {formatting.plural(groups[1], 'group')} "
        f"against {formatting.plural(images[0], 'held-out picture')} of "
        f"{formatting.plural(groups[0], 'group')}"
    )
    if result.verdict == drift_result.DRIFT:
        found = " and ".join(NAMES[test.name] for test in result.different)
        return f"Drift: {found} differ by more than chance ({basis})."
    if result.verdict == drift_result.NO_DRIFT:
        return f"No drift found ({basis}). A small change may be missed."
    return f"Cannot decide ({basis}). {_too_few(result)}"


def _too_few(result: DriftResult) -> str:
    least = drift_result.FEWEST_GROUPS
    where = [
        name
        for name, count in zip(("held-out", "new"), result.groups, strict=True)
        if count < least
    ]
    sides = " and ".join(where) or "new"
    if not result.can_find:
        return (
            f"There are too few {sides} groups to tell drift from one unusual group. More groups "
            "are needed, not more pictures of these."
        )
    return (
        f"No difference was found, but {least} {sides} groups are the least with which that says "
        "something. More groups are needed, not more pictures of these."
    )


def reading(result: DriftResult) -> str:
    """What the tests that differ, and those that do not, point to; '' without a difference."""
    names = {test.name for test in result.different}
    if not names:
        return ""
    if names == {"answers"}:
        return (
            "Only the answers differ, not pictures of the same answer: probably the shares of the "
            "classes have changed."
        )
    return (
        "Pictures of the same answer look different, so the scores of the test part need not hold "
        "for these. Label some of them and compare."
    )


def text(result: DriftResult, new: Delivery, known: int, training: int) -> str:
    """The result for a terminal. known: see `notes`."""
    lines = [verdict(result), *notes(new, known, training), ""]
    for test in result.tests:
        lines.append(
            f"{NAMES[test.name]:<20} {VALUES[test.name].format(test.value):<24} "
            f"p = {test.p_value:.3g}, {test.adjusted:.3g} with all tests"
        )
    lines += ["", "new pictures against those of the records with the same answer:"]
    lines += [f"  {change_text(change, result.alpha)}" for change in result.changes]
    lines += ["", "class shares: held out, answers, estimate with 95 % interval"]
    shares = result.shares
    moved = np.abs(shares.estimated - shares.held_out)
    for label in sorted(np.argsort(-moved, kind="stable")[:SHARES]):
        lines.append(
            f"  {formatting.name(result.classes[label], 30):<30} {shares.held_out[label]:7.1%} "
            f"{shares.counted[label]:7.1%} {shares.estimated[label]:7.1%} "
            f"({shares.low[label]:.1%} to {shares.high[label]:.1%})"
        )
    if len(moved) > SHARES:
        lines.append(f"  and {len(moved) - SHARES} classes that changed less; all with --json")
    if note := reading(result):
        lines += ["", note]
    return "\n".join(lines)


def notes(new: Delivery, known: int, training: int) -> list[str]:
    """What a reader must know of the new pictures.

    known: those with the bytes of a picture in the records; training: of these, those that the
    model was fitted to.
    """
    found = []
    if not new.grouped:
        found.append(NO_GROUPS)
    if known:
        found.append(
            f"{formatting.plural(known, 'new picture')} {'is' if known == 1 else 'are'} already in "
            f"the records, {training:,} of them among those that the model was trained on, which "
            "it knows better than new ones."
        )
    if new.rejected:
        found.append(
            f"{formatting.plural(len(new.rejected), 'picture')} rejected; --rejects lists them."
        )
    return found


def change_text(change: PropertyChange, alpha: float) -> str:
    """A property in a line: 'brightness x 0.80 *', with a mark where it is more than chance."""
    mark = f"changed, p = {change.adjusted:.3g}" if change.adjusted <= alpha else "no change found"
    return f"{change.name:<12} x {change.factor:.2f}  {mark}"


def values(result: DriftResult, new: Delivery, known: int) -> dict[str, Any]:
    """The content of the JSON file."""
    shares = result.shares
    return {
        "verdict": result.verdict,
        "exit_code": drift_result.EXIT_CODES[result.verdict],
        "alpha": result.alpha,
        "held_out": {"images": result.images[0], "groups": result.groups[0]},
        "new": {
            "images": result.images[1],
            "groups": result.groups[1],
            "groups_known": new.grouped,
            "rejected": len(new.rejected),
            "in_records": known,
        },
        "tests": {test.name: _test(test, result.alpha) for test in result.tests},
        "properties": {
            change.name: {"factor": change.factor, "p_adjusted": change.adjusted}
            for change in result.changes
        },
        "class_shares": {
            name: {
                "held_out": float(shares.held_out[label]),
                "answers": float(shares.counted[label]),
                "estimate": float(shares.estimated[label]),
                "low": float(shares.low[label]),
                "high": float(shares.high[label]),
            }
            for label, name in enumerate(result.classes)
        },
        "class_shares_weight": shares.weight,
    }


def _test(test: Tested, alpha: float) -> dict[str, Any]:
    return {
        "value": test.value,
        "p": test.p_value,
        "p_adjusted": test.adjusted,
        "differs": test.adjusted <= alpha,
    }


def write(
    path: Path,
    result: DriftResult,
    new: Delivery,
    model: ExportedModel,
    known: tuple[int, int],
    pictures: int,
) -> None:
    """Write the page, with the `pictures` new pictures that are most unlike held-out ones."""
    content: dict[str, Any] = {
        "result": result,
        "folder": str(new.folder),
        "verdict": verdict(result),
        "reading": reading(result),
        "notes": notes(new, *known),
        "tests": [
            (NAMES[test.name], drift_result.TESTS[test.name], VALUES[test.name], test)
            for test in result.tests
        ],
        "cards": list(_cards(result, new, model, pictures)),
        "per_group": PER_GROUP,
        "rejected": new.rejected[:100],
    }
    content |= html.script()
    html.write_page(path, html.environment(autoescape=True), "drift.html.j2", content)


def most_different(scores: np.ndarray, groups: list[str], count: int) -> list[int]:
    """Places of the highest scores, highest first, at most PER_GROUP of one group."""
    taken: dict[str, int] = {}
    places = []
    for place in np.argsort(-scores, kind="stable").tolist():
        group = groups[place]
        if len(places) < count and taken.setdefault(group, 0) < PER_GROUP:
            taken[group] += 1
            places.append(place)
    return places


def _cards(result: DriftResult, new: Delivery, model: ExportedModel, count: int) -> Iterator[Card]:
    seen = new.observations
    opener = delivery.opener(model)
    side = html.enlarged_side(count)
    for place in most_different(result.scores, seen.groups, count):
        try:
            image = delivery.picture(new.inputs[place], opener)
        except Rejected:  # it was there a minute ago
            continue
        image = image.convert("RGB")
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        label = int(seen.answers[place])
        yield Card(
            data_uri(jpeg(image, html.QUALITY)),
            seen.names[place],
            seen.groups[place],
            result.classes[label],
            float(seen.probabilities[place, label]),
        )
