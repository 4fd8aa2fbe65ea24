"""Numbers and names come back from the characters that the page holds."""

import pytest
import unpacking

from trackbed.gallery import packing


@pytest.mark.parametrize(
    ("values", "start"),
    [([0, 7, 255], "1"), ([256, 0], "2"), ([65535], "2"), ([65536, 3], "4"), ([], "1")],
)
def test_numbers_take_the_fewest_bytes(values, start):
    text = packing.numbers(values)
    assert text[0] == start
    assert unpacking.numbers(text).tolist() == values
    assert len(text) <= 1 + 4 * -(-len(values) * int(start) // 3)


def test_names_keep_what_differs():
    given = ["test/a/1.jpg", "test/a/2.jpg", "test/b.jpg", "", "é", "éa"]
    short = packing.names(given)
    assert short == ["00test/a/1.jpg", "072.jpg", "05b.jpg", "00", "00é", "01a"]
    assert unpacking.names(short) == given


def test_long_names_and_signs_of_two_units_come_back():
    given = ["x" * 300 + "1", "x" * 300 + "2", "🚂a", "🚂b"]
    short = packing.names(given)
    assert unpacking.names(short) == given
    assert short[1].startswith("99")
    assert short[3] == "00🚂b"  # JavaScript counts it as two characters
