"""A search in which earlier scores decide the next settings, with Optuna's ask and tell."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trackbed.experiments import overrides
from trackbed.experiments.overrides import Setting
from trackbed.pipeline.errors import UserError

if TYPE_CHECKING:
    import optuna

RANGE = re.compile(r"(?P<low>[^.:]+(?:\.\d+)?)\.\.(?P<high>[^:]+?)(?P<log>:log)?")
DIGITS = 3  # of a suggested number, so that names stay short


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included. log: sampled on a log scale. whole: integers."""

    low: float
    high: float
    log: bool
    whole: bool

    def text(self, number: float) -> str:
        """A number of the range as a setting has it."""
        if self.whole:
            return str(round(number))
        return f"{min(max(float(f'{number:.{DIGITS}g}'), self.low), self.high):.12g}"

    @property
    def examples(self) -> list[str]:
        """Both ends and, of real numbers, one between them."""
        inside = [] if self.whole else [0.37 * self.low + 0.63 * self.high]
        return [self.text(number) for number in (self.low, *inside, self.high)]


Space = dict[str, Range | list[str]]
"""What each key may be: a number of a range, or one of several values."""


def search_space(assignments: Sequence[str]) -> Space:
    """From -S 'key=1e-5..1e-2:log', 'key=32..512', 'key=interval(0,1)', 'key=a,b'.

    `interval` is Hydra's, and `tag(log,interval(1e-5,1e-2))` that of its Optuna sweeper. Raises
    UserError.
    """
    if not assignments:
        raise UserError("--search: needs a search space, such as -S train.dropout=0..0.5.")
    found: Space = {}
    for assignment in assignments:
        override = overrides.parsed(assignment)
        key = override.get_key_element()
        if overrides.plain_key(key) in map(overrides.plain_key, found):
            raise UserError(f"-S {key}: given twice; put its values into one list.")
        if override.is_interval_sweep():
            ends = override.value()
            found[key] = _range(assignment, ends.start, ends.end, "log" in ends.tags)
            continue
        choices = overrides.texts(override)
        parts = match_range(choices[0]) if len(choices) == 1 else None
        found[key] = choices if parts is None else _parsed_range(assignment, parts)
    return found


def match_range(text: str) -> re.Match[str] | None:
    """The parts of a setting's text LOW..HIGH or LOW..HIGH:log, None for other text."""
    value = overrides.parse_value(text)
    return RANGE.fullmatch(value) if isinstance(value, str) else None


def extreme_settings(searched: Space) -> list[Setting]:
    """Settings that together contain every value, the ends of every range, and a number inside.

    Between the ends 8 and 64 of a range of real numbers most are not whole.
    """
    ends = {key: one.examples if isinstance(one, Range) else one for key, one in searched.items()}
    first = {key: values[0] for key, values in ends.items()}
    return [first | {key: value} for key, values in ends.items() for value in values]


def create_study(at_once: int) -> "optuna.Study":
    """A study that maximizes; the same scores lead to the same suggestions.

    at_once: how many settings are suggested before the first is scored. Raises UserError where
    Optuna is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError:
        raise UserError(
            "--search: needs Optuna, which is not installed. Run `make search`."
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=0, constant_liar=at_once > 1)
    return optuna.create_study(direction="maximize", sampler=sampler)


def suggest(trial: "optuna.Trial", searched: Space) -> Setting:
    """The setting that a trial suggests."""
    setting = {}
    for key, one in searched.items():
        if isinstance(one, list):
            setting[key] = trial.suggest_categorical(key, one)
        elif one.whole:
            setting[key] = one.text(
                trial.suggest_int(key, int(one.low), int(one.high), log=one.log)
            )
        else:
            setting[key] = one.text(trial.suggest_float(key, one.low, one.high, log=one.log))
    return setting


def report_scores(
    study: "optuna.Study", trial: "optuna.Trial", scores: Sequence[float | None]
) -> None:
    """Report the mean score of a trial's runs, or a failure where one of them is None."""
    import optuna

    if not scores or None in scores:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    else:
        study.tell(trial, sum(scores) / len(scores))


def _parsed_range(assignment: str, parts: re.Match[str]) -> Range:
    numbers = [_number(parts[end]) for end in ("low", "high")]
    return _range(assignment, *numbers, parts["log"] is not None)


def _number(text: str) -> float:
    """A whole number as int, another one as float, NaN for other text."""
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        return float("nan")


def _range(assignment: str, low: float, high: float, log: bool) -> Range:
    if not low < high or (log and low <= 0):
        raise UserError(
            f"-S {assignment}: must be LOW..HIGH or LOW..HIGH:log with LOW below HIGH, and above 0 "
            "for :log, such as 1e-5..1e-2:log."
        )
    whole = isinstance(low, int) and isinstance(high, int)
    return Range(float(low), float(high), log, whole)
