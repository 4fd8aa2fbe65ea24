"""The plotting library in the page is the released file, with its licence."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "stages/trackbed/reporting/templates/vendor"
ROWS = re.findall(
    r"^\| `(uPlot[\w.]+)` \| `([0-9a-f]{64})` \|", (ROOT / "docs/charts.md").read_text(), re.M
)


@pytest.mark.parametrize(("name", "digest"), ROWS)
def test_a_file_is_the_one_that_the_documents_name(name, digest):
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest


def test_every_file_is_documented_and_the_page_has_the_licence(ordinary):
    assert {path.name for path in VENDOR.iterdir()} == {name for name, _ in ROWS}
    assert (VENDOR / "uPlot.LICENSE").read_text().strip() in ordinary.page
