import os

import pytest
from test_sources import lay, scan

from trackbed.ingest import class_names
from trackbed.problems import BadData

FINE = ["GRAS", "0", "NA", "Straße (nass)", "草", "<b>&amp;", '"x"', "'", "=1+1", "-1", "@home"]
FINE += [
    "$(touch x)",
    "`id`",
    "a\\b",
    "con",
    "..",
    ".foo",
    "🛤",
    "👷\u200d♀️",
    "می\u200cروم",
    "x" * 100,
]


@pytest.mark.parametrize("name", FINE)
def test_names_that_are_text_will_do_however_odd(name):
    assert class_names.fault(name) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "empty"),
        (" GRAS", "a blank at its beginning or end"),
        ("GRAS\u00a0", "a blank at its beginning or end"),
        ("a\nb", "the character U+000A"),
        ("\x1b[2J", "the character U+001B"),
        ("a\x7fb", "the character U+007F"),
        ("a\u00a0b", "the character U+00A0"),
        ("a\u2028b", "the character U+2028"),
        ("SARG\u202e", "the character U+202E"),
        ("G\u200bRAS", "the character U+200B"),
        (os.fsdecode(b"Stra\xdfe"), "not UTF-8, byte DF"),
        ("a/b", "a slash"),
        ("x" * 101, "101 characters"),
        ("=SUM(A1)", "a formula that a spreadsheet would run"),
    ],
)
def test_other_names_are_told_with_what_is_wrong(name, told):
    assert class_names.fault(name) == told


@pytest.mark.parametrize("name", ["a\nb", "SARG\u202e", os.fsdecode(b"Stra\xdfe"), "GRAS "])
def test_a_source_with_such_a_class_is_refused_as_a_whole(tmp_path, name):
    lay(tmp_path, "A/1.png", "B/1.png", f"{name}/1.png")
    with pytest.raises(
        BadData, match=r"the class '.*' has a name that does not do.*1 to 100"
    ) as no:
        scan(tmp_path)
    assert str(no.value).isprintable()


def test_so_is_one_whose_manifest_says_so(tmp_path):
    lay(tmp_path, "1.png", "2.png")
    (tmp_path / "manifest.csv").write_text("filename,label\n1.png,A\n2.png, B\n")
    with pytest.raises(BadData, match=r"the class ' B' has .* a blank at its beginning"):
        scan(tmp_path)


def test_file_names_that_a_spreadsheet_would_run_are_refused_before_any_work(tmp_path):
    lay(tmp_path, "A/1.png", "B/1.png", "B/x;=SUM(A1).png")
    with pytest.raises(BadData, match=r"would run 'B/x;=SUM\(A1\).png' as a formula. Rename"):
        scan(tmp_path)
