"""Refuse an output that is not the one that dvc.lock names."""

from pathlib import Path
from typing import Any

import yaml

from trackbed.problems import Damaged, Problem
from trackbed.running import hashing, recorded

LOCK = Path("dvc.lock")


def refuse_another(folder: Path, lock: Path = LOCK) -> None:
    """Raise Damaged if a folder is not as the lock file says that its stage left it.

    `dvc repro` of that stage sees a changed output by itself; `dvc repro -s` of a later one does
    not, nor does a script that is run by hand. Without a record of the folder nothing is refused.
    Raises Problem for a lock file that cannot be read.
    """
    wanted = _recorded(folder, lock)
    if wanted is None:
        return
    paths = {path.relative_to(folder).as_posix(): f"{path}" for path in _files(folder)}
    found = hashing.Hasher().files(list(paths.values()))
    hashes = {name: found[path].md5 or "" for name, path in paths.items()}
    listed = hashing.of_bytes(recorded.listing(hashes))
    if f"{listed.md5}{recorded.FOLDER}" != wanted:
        raise Damaged(
            f"{folder}: not what {lock} names (MD5 {wanted[:12]}…, found {listed.md5[:12]}…): "
            f"changed since, or from elsewhere. `dvc checkout --force {folder}` brings the "
            "recorded one back, `dvc repro` makes it anew."
        )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _recorded(folder: Path, lock: Path) -> str | None:
    """The MD5 of a folder in a lock file, None where there is no such file or entry."""
    try:
        content = yaml.safe_load(lock.read_text("utf-8"))
        outs = [out for stage in content["stages"].values() for out in stage.get("outs", ())]
        return _of(outs, folder)
    except FileNotFoundError:
        return None
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise Problem(f"{lock}: not readable ({error}). `git checkout {lock}`.") from error


def _of(outs: list[dict[str, Any]], folder: Path) -> str | None:
    return next((out.get("md5") for out in outs if Path(out["path"]) == folder), None)
