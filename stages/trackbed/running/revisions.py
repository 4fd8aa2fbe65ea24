"""Results as a revision of the repository has them, from DVC's cache or its remote."""

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed import inputs
from trackbed.judging import predictions
from trackbed.judging.comparison import Comparison, compared
from trackbed.problems import Problem

WORKSPACE = "workspace"
PREDICTIONS = Path("data/evaluation") / predictions.PREDICTIONS_FILE
SCORES = Path("metrics/evaluate.json")


def predicted(revision: str) -> pd.DataFrame:
    """predictions.csv of a revision (commit, branch, tag, experiment) or of the workspace.

    Raises Problem if there is no such revision, or the file is in no cache or remote.
    """
    if revision == WORKSPACE:
        return predictions.read(PREDICTIONS.parent)
    return predictions.parsed(io.StringIO(text(PREDICTIONS, revision)), f"{revision}:{PREDICTIONS}")


def comparison(first: str, second: str) -> Comparison:
    """Two revisions compared on their test images. Raises Problem where that has no sense."""
    tables = predicted(first), predicted(second)
    try:
        return compared(*tables)
    except ValueError as error:
        raise Problem(f"{first} and {second} cannot be compared: {error}.") from None


def macro_f1(revision: str) -> float:
    """Macro F1 as metrics/evaluate.json of a revision says. Raises Problem."""
    value = _scores(revision).get("macro_f1")
    if not isinstance(value, int | float):
        raise Problem(f"{SCORES} of {revision}: no macro_f1. Run `dvc repro -f evaluate`.")
    return float(value)


def _scores(revision: str) -> dict[str, Any]:
    if revision == WORKSPACE:
        return inputs.json_object(SCORES, "Run `dvc repro evaluate`.")
    return json.loads(text(SCORES, revision))


def text(path: Path, revision: str) -> str:
    """A file as a revision has it, in git or in DVC's cache or remote. Raises Problem."""
    import dvc.api

    try:
        return dvc.api.read(path.as_posix(), rev=revision, encoding="utf-8")
    except FileNotFoundError:
        raise Problem(
            f"{path} of {revision}: the revision has none, or neither cache nor remote holds it. "
            f"Fetch it with `dvc fetch` on that revision, or `dvc push` where it was made."
        ) from None
    except Exception as error:
        # Each kind of remote storage fails with exceptions of its own libraries.
        reason = f"{error}".strip().partition("\n")[0] or type(error).__name__
        raise Problem(f"{path} of {revision}: {reason}") from error
