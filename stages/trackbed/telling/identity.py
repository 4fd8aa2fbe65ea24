"""What tells the data and the model of a run from any other: hashes of their files."""

import hashlib
from pathlib import Path

from trackbed.index import FOLDS_FILE, INDEX_FILE
from trackbed.problems import Problem

MODEL_FILE = "model.keras"


def hashes(records_path: Path, folds_path: Path, models_path: Path) -> dict[str, str]:
    """SHA-256 of index, folds and model, hexadecimal. Raises Problem for a missing file.

    The index holds the SHA-256 of every source image: equal indexes mean equal pictures.
    """
    files = {
        "data": records_path / INDEX_FILE,
        "folds": folds_path / FOLDS_FILE,
        "model": models_path / MODEL_FILE,
    }
    return {name: _sha256(path) for name, path in files.items()}


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}. Run `dvc repro` or `dvc pull`.") from None
