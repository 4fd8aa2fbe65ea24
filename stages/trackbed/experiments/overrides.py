"""Values of parameters from the command line, read as `dvc exp run --queue -S` reads them."""

import argparse
import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trackbed.experiments.param_values import as_text, canonical, typed
from trackbed.pipeline.errors import UserError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

Setting = dict[str, str]
"""Values by key as `dvc exp run -S` takes them, such as {"train.dropout": "0.2"}.

As there, a key may begin with `+` (add), `++` (add or change) or `~` (delete).
"""
MOST_SETTINGS = 100_000  # of a grid; more are a mistake and would fill the memory


def add_grid_option(command: argparse.ArgumentParser, metavar: str, more: str = "") -> None:
    """Add the repeatable option -S to a command; its texts become `assignments`."""
    command.add_argument(
        "-S",
        dest="assignments",
        action="append",
        default=[],
        metavar=metavar,
        help="values of a parameter, as `dvc exp run --queue -S` takes them: a,b; [a,b] for one "
        f"list; choice(a,b); range(1,4); several -S make a grid{more}",
    )


def grid(assignments: Sequence[str]) -> list[Setting]:
    """Every combination of the values of the assignments, the last key varying fastest.

    The texts are those that `dvc exp run --queue -S` queues. Raises UserError for an assignment
    that Hydra cannot read, that has no list of values, or whose key comes twice.
    """
    overrides = [parsed(assignment) for assignment in assignments]
    keys = [override.get_key_element() for override in overrides]
    if double := {key for key in keys if [*map(plain_key, keys)].count(plain_key(key)) > 1}:
        raise UserError(f"-S {min(double)}: given twice; put its values into one list.")
    values = [texts(override) for override in overrides]
    if (count := math.prod(map(len, values))) > MOST_SETTINGS:
        raise UserError(f"-S: {count:,} combinations; at most {MOST_SETTINGS:,} can be run.")
    return [dict(zip(keys, some, strict=True)) for some in itertools.product(*values)]


def parsed(assignment: str) -> "Override":
    """An assignment such as 'train.dropout=0.2,0.5', read by Hydra, as `dvc exp run -S` does.

    Raises UserError with the assignment and the reason.
    """
    path, colon, key = assignment.partition("=")[0].rpartition(":")
    if colon and path != "params.yaml":
        raise UserError(f"-S {assignment}: only params.yaml can be changed, not '{path}'.")
    names = plain_key(key).split(".")
    if not all(names) or ("=" not in assignment and not key.startswith("~")):
        raise UserError(
            f"-S {assignment}: must be section.key=value[,value...], such as train.dropout=0.2,0.5."
        )
    return _override(assignment.removeprefix(f"{path}:"))


@lru_cache(maxsize=4096)
def _override(text: str) -> "Override":
    # Hydra comes with DVC; its import would slow down help.
    from dvc.utils.hydra import to_hydra_overrides
    from hydra.errors import HydraException

    try:
        (override,) = to_hydra_overrides([text])
    except HydraException as error:
        raise UserError(
            f"-S {text}: not a value that DVC can read ({_reason(error)}). Write a list as [a,b], "
            "several values as a,b, and put text with special characters into quotes."
        ) from None
    if override.package is not None:
        raise UserError(f"-S {text}: must be section.key=value; '@' is not possible in a key.")
    return override


def _reason(error: Exception) -> str:
    """The line of Hydra's message that tells why."""
    first, *rest = str(error).splitlines()
    if first.startswith("LexerNoViableAltException") and rest:  # a caret below the character
        return f"{first[rest[0].index('^')]!r} cannot stand there"
    noise = ("See http", "Error parsing override")
    kept = [line.strip() for line in (first, *rest) if line and not line.startswith(noise)]
    return (kept or [first])[0].rstrip(".")


def texts(override: "Override") -> list[str]:
    """The values of an assignment, each as DVC queues it. Raises UserError."""
    from hydra.core.override_parser.types import Override, Sweep, ValueType
    from hydra.errors import HydraException

    name = f"-S {override.input_line}"
    if override.is_interval_sweep():
        raise UserError(
            f"{name}: an interval has no list of values. It goes with `trackbed sweep --search N`; "
            "else give values, such as 0.1,0.2 or range(1,4)."
        )
    if override.value_type == ValueType.GLOB_CHOICE_SWEEP:
        raise UserError(f"{name}: glob finds nothing here; list the values.")
    values = [override._value]
    try:
        if override.is_sweep_override():
            values = list(itertools.islice(override.sweep_iterator(), MOST_SETTINGS + 1))
    except (HydraException, ValueError) as error:
        raise UserError(f"{name}: {_reason(error)}.") from None
    if not 0 < len(values) <= MOST_SETTINGS:
        count = f"more than {MOST_SETTINGS:,} values" if values else "no value"
        raise UserError(f"{name}: holds {count}.")
    if any(isinstance(inner, Sweep) for value in values for inner in _leaves(value)):
        raise UserError(f"{name}: choice, range and interval cannot stand inside a list.")
    return [Override._get_value_element_as_str(value) for value in values]


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return [leaf for inner in inside for leaf in _leaves(inner)]
    return [value]


def plain_key(key: str) -> str:
    """The key of a setting without the `+`, `++` or `~` before it."""
    return key.lstrip("+~")


def applied(sections: dict[str, Any], setting: Setting) -> dict[str, Any]:
    """The sections of params.yaml with the values of a setting, as `dvc exp run -S` writes them.

    sections: see params.sections. Scalars are text. Raises UserError where DVC would refuse the
    setting.
    """
    from dvc.utils.hydra import to_omegaconf
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        config = OmegaConf.create(to_omegaconf(typed(canonical(sections))))
        OmegaConf.set_struct(config, True)
        for key, text in setting.items():
            override = _override(f"{key}={text}")
            ConfigLoaderImpl._apply_overrides_to_config([override], config)
        return as_text(OmegaConf.to_object(config))
    except (HydraException, OmegaConfBaseException) as error:
        given = ", ".join(f"{key}={text}" for key, text in setting.items())
        reasons = [_reason(one) for one in (error, error.__cause__) if one is not None]
        raise UserError(f"-S {given}: {': '.join(reasons)}.") from None


def parse_value(text: str) -> Any:
    """The value of one text of a setting, every scalar as text, as in params.sections."""
    return as_text(_override(f"key={text}").value())
