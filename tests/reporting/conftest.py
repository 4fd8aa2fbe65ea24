"""Reports of a few fabricated runs, each rendered once for all tests of this folder."""

import json
from dataclasses import dataclass
from pathlib import Path

import fabricated
import pytest

EVIL_TITLE = "</title><script>x</script>"


@dataclass(frozen=True)
class Report:
    """A folder after the report stage, its page and its Markdown."""

    folder: Path
    page: str
    markdown: str


@pytest.fixture(scope="session")
def ordinary(tmp_path_factory):
    """Five classes, nine of ten images classified right."""
    folder = tmp_path_factory.mktemp("ordinary")
    return Report(folder, *fabricated.report(folder))


@pytest.fixture(scope="session")
def evil(tmp_path_factory):
    """Title, classes and files of hostile names; one class has no test images."""
    folder = tmp_path_factory.mktemp("evil")
    suffix = "<img src=x onerror=alert(3)>.jpg"
    paths = fabricated.run(folder, fabricated.EVIL, empty=["012"], suffix=suffix)
    text = fabricated.PARAMS.replace("Track bed under rails", f"'{EVIL_TITLE}'")
    (folder / "params.yaml").write_text(text)
    return Report(folder, *fabricated.report_again(folder, paths))


@pytest.fixture(scope="session")
def perfect(tmp_path_factory):
    """No mistake, no rejected file, few scores."""
    folder = tmp_path_factory.mktemp("perfect")
    paths = fabricated.run(folder, ["A", "B"], right=1.0)
    (folder / "data/records/rejects.csv").write_text("filename,reason,detail\n")
    scores = {"macro_f1": 1.0, "accuracy": 1.0, "images": 80, "confidence_wrong": None}
    (folder / "metrics/evaluate.json").write_text(json.dumps(scores))
    return Report(folder, *fabricated.report_again(folder, paths))


@pytest.fixture(scope="session")
def poor(tmp_path_factory):
    """Nine of ten images classified wrong, and groups that nothing is known of."""
    folder = tmp_path_factory.mktemp("poor")
    paths = fabricated.run(folder, right=0.1)
    counts = folder / "metrics/split.json"
    counts.write_text(counts.read_text().replace('"groups_known": 1', '"groups_known": 0'))
    return Report(folder, *fabricated.report_again(folder, paths))
