"""The report's table of scores: value, interval, meaning and change of each, as text."""

from dataclasses import dataclass
from typing import Any

from trackbed.evaluation import scores as definitions
from trackbed.reporting import formatting
from trackbed.reporting.previous_runs import Previous

UNCHANGED = 0.0005  # a smaller change is written as +0.000, whatever its sign


@dataclass(frozen=True)
class ScoreRow:
    """A row of the table as text; '' where there is no interval, reason or change."""

    label: str
    value: str
    interval: str
    meaning: str
    reason: str  # why there is no value
    change: str  # against the last committed run


def rows(values: dict[str, Any], previous: Previous | None = None) -> list[ScoreRow]:
    """The scores of evaluate.json that have a row, in the order of evaluation.scores.SCORES.

    A missing value is 'n/a' with the reason. Keys without a definition have no row: a file of
    another version may have some.
    """
    known = {
        key: value
        for key, value in values.items()
        if not definitions.is_bound(key) and (score := definitions.find(key)) and score.label
    }
    return [_row(values, key, previous) for key in definitions.ordered(known)]


def _row(values: dict[str, Any], key: str, previous: Previous | None) -> ScoreRow:
    score = definitions.find(key)
    text, reason = formatting.share(values[key]), ""
    if text == formatting.NOT_AVAILABLE:
        reason = score.missing if values.get("images") else "no test images"
    change = previous.difference(values, key) if previous else None
    moved = "" if change is None else formatting.signed(change if abs(change) >= UNCHANGED else 0)
    between = formatting.interval(values, key)
    return ScoreRow(score.label, text, between, score.meaning, reason, moved)
