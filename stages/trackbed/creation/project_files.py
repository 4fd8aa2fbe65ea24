"""The files that every project begins with: where they are, and where a project has them.

A wheel holds them in PACKED inside the package (setup.py puts them there), a clone of the
repository has them at its root. Nothing but the standard library is imported here, since setup.py
imports it.
"""

import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from trackbed.pipeline.errors import UserError

PACKAGE = Path(__file__).parents[1]
PACKED = "project_files"
VERSION = "VERSION"  # beside the package, in a project alone
TEMPLATES = "creation/templates"
# Patterns of files in the repository; a project has them at the same place.
COPIED = (
    "*.lock",
    ".ci/check",
    ".ci/install.py",
    ".ci/same_scores.py",
    ".ci/venv",
    ".dvc/.gitignore",
    ".dvc/config",
    ".dvc/plots/*.json",
    ".dvcignore",
    ".gitattributes",
    ".gitignore",
    ".vscode/extensions.json",
    "data/.gitignore",
    "docs/*.md",
    "dvc.yaml",
    "params.schema.json",
    "params.yaml",
    "plots/.gitignore",
    "recipes/*.yaml",
    "stages/*.py",
)
# Of the development of trackbed itself, of its sample and of its results.
LEFT_OUT = {"dvc.lock", "stages/sample.py"}
LEFT_OUT |= {f"requirements-{name}.lock" for name in ("audit", "dev", "docs")}
LICENCE = "LICENSE"
# Rooms of the package that a project has no use for.
LEFT_OUT_ROOMS = {PACKED, "sample", "__pycache__"}
SAMPLE_LINE = "/sample\n"  # of data/.gitignore


def listed(root: Path) -> list[str]:
    """The files of a project below the root of the repository, but for the package; sorted."""
    found = {path.relative_to(root).as_posix() for one in COPIED for path in root.glob(one)}
    return sorted({*found, LICENCE} - LEFT_OUT)


def root() -> Path:
    """The folder that holds the files of a project.

    Raises UserError where the code runs from a project, or from an installation without them.
    """
    if (PACKAGE / VERSION).exists():
        raise UserError(
            f"{PACKAGE}: this code belongs to a project, whose files may have been changed. Use an "
            "installed trackbed, such as `pip install 'trackbed[pipeline]'` gives."
        )
    for folder in (PACKAGE / PACKED, PACKAGE.parents[1]):
        if (folder / "dvc.yaml").is_file() and (folder / LICENCE).is_file():
            return folder
    raise UserError(
        f"{PACKAGE}: this installation holds no files for a project. Install trackbed from a "
        "wheel, from its git repository, or use a clone."
    )


def write(folder: Path) -> list[str]:
    """Write the files of a project into a folder; their names, sorted. Raises UserError."""
    source = root()
    names = {name: source / name for name in listed(source)}
    names["stages/trackbed/LICENSE"] = names.pop(LICENCE)
    names["Makefile"] = PACKAGE / TEMPLATES / "Makefile"
    for path in package_files():
        names[f"stages/trackbed/{path.relative_to(PACKAGE).as_posix()}"] = path
    for name, path in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / name)
    ignored = folder / "data/.gitignore"
    ignored.write_bytes(ignored.read_bytes().replace(SAMPLE_LINE.encode(), b""))
    version_file = f"stages/trackbed/{VERSION}"
    (folder / version_file).write_text(f"{version()}\n", encoding="utf-8", newline="\n")
    return sorted([*names, version_file])


def package_files() -> Iterator[Path]:
    """The files of the package that a project has."""
    for path in sorted(PACKAGE.rglob("*")):
        rooms = LEFT_OUT_ROOMS.intersection(path.relative_to(PACKAGE).parts)
        if path.is_file() and not rooms and path.suffix != ".pyc":
            yield path


def version() -> str:
    """The version of the code beside this file; 'unknown' if it cannot be determined."""
    import tomllib

    for path in (PACKAGE / VERSION, PACKAGE.parents[1] / "pyproject.toml"):
        try:
            text = path.read_text(encoding="utf-8")
            if path.name == VERSION:
                return text.strip()
            project = tomllib.loads(text)["project"]
            # Another one may lie above an installed copy.
            if project["name"] == "trackbed":
                return project["version"]
        except (OSError, tomllib.TOMLDecodeError, KeyError):
            pass
    try:
        return metadata.version("trackbed")
    except metadata.PackageNotFoundError:
        return "unknown"
