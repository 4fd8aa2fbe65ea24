"""Results of a revision of the repository, from git, DVC's cache or its remote."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed.evaluation.comparison import Comparison, compared
from trackbed.integrity import dvc_repo
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError

WORKSPACE = "workspace"
PREDICTIONS = Path("data/evaluation") / tables.PREDICTIONS_TABLE.name
SCORES = Path("metrics/evaluate.json")


def predictions(revision: str) -> pd.DataFrame:
    """predictions.csv of a revision (commit, branch, tag, experiment) or of the workspace.

    Raises UserError if there is no such revision, or the file is in no cache or remote.
    """
    if revision == WORKSPACE:
        return tables.PREDICTIONS_TABLE.read(PREDICTIONS.parent)
    text = dvc_repo.file_text(PREDICTIONS, revision)
    return tables.PREDICTIONS_TABLE.parse(text, f"{revision}:{PREDICTIONS}")


def comparison(first: str, second: str) -> Comparison:
    """Two revisions compared on their test part.

    Raises UserError where their test parts differ: in file names or classes, or in the fingerprint
    where both have one (evaluations of older versions do not).
    """
    both = predictions(first), predictions(second)
    try:
        change = compared(*both)
    except ValueError as error:
        raise UserError(f"{first} and {second} cannot be compared: {error}.") from None
    parts = [test_part(revision) for revision in (first, second)]
    if all(parts) and parts[0] != parts[1]:
        raise UserError(
            f"{first} and {second} cannot be compared: their test images have the same names but "
            f"other pixels (test_part in {SCORES}: {parts[0]} and {parts[1]})."
        )
    return change


def test_part(revision: str) -> str:
    """Fingerprint of the test part of a revision; '' where its evaluate.json has none."""
    try:
        return str(_scores(revision).get("test_part") or "")
    except (UserError, ValueError):
        return ""


def macro_f1(revision: str) -> float:
    """Macro F1 in metrics/evaluate.json of a revision, 0 to 1. Raises UserError."""
    value = _scores(revision).get("macro_f1")
    if not isinstance(value, int | float):
        raise UserError(f"{SCORES} of {revision}: no macro_f1. Run `dvc repro -f evaluate`.")
    return float(value)


def _scores(revision: str) -> dict[str, Any]:
    if revision == WORKSPACE:
        return tables.json_object(SCORES, "Run `dvc repro evaluate`.")
    return json.loads(dvc_repo.file_text(SCORES, revision))
