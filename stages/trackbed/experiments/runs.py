"""The runs of a sweep: settings crossed with folds and seeds, named by their values."""

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trackbed.experiments import overrides, param_values
from trackbed.experiments.overrides import Setting
from trackbed.pipeline.errors import UserError

FOLD, SEED = "train.fold", "train.seed"
MAX_NAME_LENGTH = 100  # characters; git makes a file name of it
PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
UNSAFE = re.compile(r"[^A-Za-z0-9_+=.-]+|\.(?=\.)|\.lock(?=$)")


@dataclass(frozen=True)
class Run:
    """One `dvc exp run`: its name and the values it sets."""

    name: str
    setting: Setting


def planned(
    prefix: str,
    settings: Sequence[Setting],
    folds: Sequence[int],
    seeds: Sequence[int],
) -> list[Run]:
    """Every setting on every fold with every seed; without folds or seeds, as the settings say.

    Raises UserError for a prefix that cannot begin a name and for two equal runs.
    """
    if not PREFIX.fullmatch(prefix):
        raise UserError(
            f"--prefix {prefix}: must consist of letters, digits, '_' and '-', a letter or digit "
            "first."
        )
    runs = []
    for setting, fold, seed in itertools.product(settings, folds or [None], seeds or [None]):
        values = dict(setting)
        values |= {FOLD: str(fold)} if fold is not None else {}
        values |= {SEED: str(seed)} if seed is not None else {}
        runs.append(Run(run_name(prefix, values), values))
    _refuse_equal(runs)
    return runs


def run_name(prefix: str, setting: Setting) -> str:
    """The name of a run: 'sweep-dropout=0.2_learning_rate=0.001_fold=0'.

    Valid as a git reference and for DVC. The same for equal values in any order and notation, and
    different for different values: a hash replaces characters that a name cannot have and the end
    of a name that is too long. Fold and seed come last.
    """
    # `+` and `++` lead to the same values.
    values = {key.lstrip("+"): overrides.parse_value(text) for key, text in setting.items()}
    keys = sorted(values, key=lambda key: (key == SEED, key == FOLD, key))
    same = {key: param_values.canonical(values[key]) for key in keys}
    wanted = "_".join(
        f"{_short_key(key, keys)}={param_values.short_text(same[key])}" for key in keys
    )
    safe = UNSAFE.sub("-", wanted).rstrip(".")
    whole = f"{prefix}-{safe}"
    if safe == wanted and len(whole) <= MAX_NAME_LENGTH:
        return whole
    code = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:8]
    return f"{whole[: MAX_NAME_LENGTH - 9]}-{code}"


def folds_and_seeds(
    folds: str | None, seeds: str | None, keys: set[str], count: int
) -> tuple[list[int], list[int]]:
    """The numbers of --folds ('all': 0 to count - 1) and of --seeds; empty for None.

    keys: those given by -S. Raises UserError where one of them is the fold or the seed too.
    """
    for option, text, key in (("folds", folds, FOLD), ("seeds", seeds, SEED)):
        if text and key in keys:
            raise UserError(f"--{option} and -S {key} say the same; give one of them.")
    if folds == "all" and "split.folds" in keys:
        raise UserError("--folds all: takes its number from split.folds; leave that out of -S.")
    chosen = (
        list(range(count)) if folds == "all" else parse_numbers(folds, "--folds") if folds else []
    )
    return chosen, parse_numbers(seeds, "--seeds") if seeds else []


def parse_numbers(text: str, option: str) -> list[int]:
    """'0,1,2' as numbers. Raises UserError for other text and for repeated numbers."""
    try:
        found = [int(number) for number in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 0 or len(set(found)) < len(found):
        raise UserError(f"{option} {text}: must be different whole numbers such as 0,1,2.")
    return found


def _short_key(key: str, keys: Iterable[str]) -> str:
    """The key without its section, where no other key has the same name."""
    last = key.partition(".")[2]
    alone = sum(other.partition(".")[2] == last for other in keys) == 1
    return last if last and alone and not key.startswith("~") else key


def _refuse_equal(runs: Sequence[Run]) -> None:
    seen: dict[str, Run] = {}
    for run in runs:
        if run.name in seen:
            first = " ".join(f"{key}={value}" for key, value in seen[run.name].setting.items())
            raise UserError(f"-S: the same run comes twice, {first}. Give every value once.")
        seen[run.name] = run
