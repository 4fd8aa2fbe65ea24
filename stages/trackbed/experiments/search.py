"""A search in which earlier scores decide the next settings, with Optuna's ask and tell."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trackbed.experiments import param_values
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


Space = dict[str, Range | list[str]]
"""What each key may be: a number of a range, or one of several values."""


def search_space(assignments: Sequence[str]) -> Space:
    """From '-S key=1e-5..1e-2:log', '-S key=32..512' and '-S key=a,b'. Raises UserError."""
    if not assignments:
        raise UserError("--search: needs a search space, such as -S train.dropout=0..0.5.")
    found: Space = {}
    for assignment in assignments:
        settings = param_values.grid([assignment])
        (key,) = settings[0]
        if key in found:
            raise UserError(f"-S {key}: given twice; put its values into one list.")
        choices = [setting[key] for setting in settings]
        ends = match_range(choices[0]) if len(choices) == 1 else None
        found[key] = choices if ends is None else _parse_range(key, choices[0], ends)
    return found


def match_range(text: str) -> re.Match[str] | None:
    """The parts of LOW..HIGH or LOW..HIGH:log, None for other text."""
    return RANGE.fullmatch(text)


def extreme_settings(searched: Space) -> list[param_values.Setting]:
    """Settings that together contain every value, and both ends of every range."""
    ends = {
        key: [one.text(one.low), one.text(one.high)] if isinstance(one, Range) else one
        for key, one in searched.items()
    }
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


def suggest(trial: "optuna.Trial", searched: Space) -> param_values.Setting:
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


def _parse_range(key: str, text: str, ends: re.Match[str]) -> Range:
    try:
        low, high = float(ends["low"]), float(ends["high"])
    except ValueError:
        low, high = 1.0, 0.0
    log = ends["log"] is not None
    if not low < high or (log and low <= 0):
        raise UserError(
            f"-S {key}={text}: must be LOW..HIGH or LOW..HIGH:log with LOW below HIGH, and above 0 "
            "for :log, such as 1e-5..1e-2:log."
        )
    whole = ends["low"].isdigit() and ends["high"].isdigit()
    return Range(low, high, log, whole)
