"""Results as a revision of the repository has them, from DVC's cache or its remote."""

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed.evaluation.comparison import Comparison, compared
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError

WORKSPACE = "workspace"
PREDICTIONS = Path("data/evaluation") / tables.PREDICTIONS_FILE
SCORES = Path("metrics/evaluate.json")


def predictions(revision: str) -> pd.DataFrame:
    """predictions.csv of a revision (commit, branch, tag, experiment) or of the workspace.

    Raises UserError if there is no such revision, or the file is in no cache or remote.
    """
    if revision == WORKSPACE:
        return tables.read_predictions(PREDICTIONS.parent)
    return tables.parsed_predictions(
        io.StringIO(text(PREDICTIONS, revision)), f"{revision}:{PREDICTIONS}"
    )


def comparison(first: str, second: str) -> Comparison:
    """Two revisions compared on their test images. Raises UserError where that has no sense."""
    tables = predictions(first), predictions(second)
    try:
        return compared(*tables)
    except ValueError as error:
        raise UserError(f"{first} and {second} cannot be compared: {error}.") from None


def macro_f1(revision: str) -> float:
    """Macro F1 as metrics/evaluate.json of a revision says. Raises UserError."""
    value = _scores(revision).get("macro_f1")
    if not isinstance(value, int | float):
        raise UserError(f"{SCORES} of {revision}: no macro_f1. Run `dvc repro -f evaluate`.")
    return float(value)


def _scores(revision: str) -> dict[str, Any]:
    if revision == WORKSPACE:
        return tables.json_object(SCORES, "Run `dvc repro evaluate`.")
    return json.loads(text(SCORES, revision))


def text(path: Path, revision: str) -> str:
    """A file as a revision has it, in git or in DVC's cache or remote. Raises UserError."""
    import dvc.api

    try:
        return dvc.api.read(path.as_posix(), rev=revision, encoding="utf-8")
    except FileNotFoundError:
        raise UserError(
            f"{path} of {revision}: the revision has none, or neither cache nor remote holds it. "
            f"Fetch it with `dvc fetch` on that revision, or `dvc push` where it was made."
        ) from None
    except Exception as error:
        # Each kind of remote storage fails with exceptions of its own libraries.
        reason = f"{error}".strip().partition("\n")[0] or type(error).__name__
        raise UserError(f"{path} of {revision}: {reason}") from error
