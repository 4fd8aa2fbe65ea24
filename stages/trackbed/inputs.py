"""Read what another stage wrote; a file that is missing or broken is a Problem with its remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from trackbed.problems import Problem

if TYPE_CHECKING:
    import pandas as pd


def json_object(path: Path, remedy: str) -> dict[str, Any]:
    """A JSON file that holds an object. Raises Problem."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem(f"{path}: no such file. {remedy}") from None
    except ValueError as error:
        raise Problem(f"{path}: not valid JSON ({error}). {remedy}") from None
    if not isinstance(values, dict):
        raise Problem(f"{path}: must hold an object, holds {type(values).__name__}. {remedy}")
    return values


def table(path: Path | TextIO, remedy: str, **options: Any) -> pd.DataFrame:
    """A UTF-8 table in a file or an open one, read with these options of pandas.read_csv.

    Raises Problem.
    """
    import pandas as pd

    try:
        return pd.read_csv(path, encoding="utf-8", **options)
    except FileNotFoundError:
        raise Problem(f"{path}: no such file. {remedy}") from None
    except ValueError as error:  # of pandas' parser, too, and of text that is not UTF-8
        raise Problem(f"{path}: broken ({error}). {remedy}") from error
