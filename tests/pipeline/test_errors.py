import re
from pathlib import Path

import pytest

from trackbed.pipeline import errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]
DOCUMENT = Path(__file__).parents[2] / "docs" / "trouble.md"


def test_every_kind_of_error_has_an_exit_code_of_its_own():
    codes = [kind.exit_code for kind in KINDS]
    assert len(set(codes)) == len(codes)
    assert not {0, 1} & set(codes)  # success, and a fault of the program


@pytest.mark.parametrize("kind", KINDS)
def test_every_exit_code_is_documented(kind):
    assert re.search(rf"^\| {kind.exit_code} \|", DOCUMENT.read_text(), re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_a_user_error_with_its_text(kind):
    assert issubclass(kind, errors.UserError)
    assert str(kind("data: empty.")) == "data: empty."
