"""Which files of a repository decide what its runs come to."""

from pathlib import PurePosixPath

SOURCE_FOLDERS = ("stages", "recipes")
SOURCE_SUFFIXES = (".yaml", ".yml", ".dvc")
SOURCE_FILES = (".dvc/config", ".dvcignore")
# Where nothing lies that a stage reads.
ELSEWHERE = ("benchmarks", "docs", "metrics", "plots", "tests")


def is_source(path: str) -> bool:
    """Whether a stage may read the file or DVC derives from it what runs; not the outputs."""
    parts = PurePosixPath(path)
    if path in SOURCE_FILES or parts.parts[0] in SOURCE_FOLDERS:
        return True
    hidden = parts.parts[0].startswith(".")  # of CI and tools
    return parts.suffix in SOURCE_SUFFIXES and parts.parts[0] not in ELSEWHERE and not hidden
