import pytest

from trackbed.reporting import formatting


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", r"a\|b"),
        ("`x`", r"\`x\`"),
        ("a\nb", "a b"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("speed_limit_30", "speed_limit_30"),
        ("_x_", r"\_x\_"),
        ("a\\", "a\\\\"),
    ],
)
def test_markdown_shows_text_as_it_stands(text, expected):
    assert formatting.markdown(text) == expected


def test_a_long_name_keeps_both_ends():
    assert formatting.name("a" * 100 + "b" * 155, 11) == "aaaaa…bbbbb"
    assert formatting.name("日本" * 50, 9) == "日本…日本"
    assert formatting.name("tab\tand\x00nul") == "tab and\N{REPLACEMENT CHARACTER}nul"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, "n/a"), (4.25, "4.2 s"), (61, "1 min 1 s"), (3599.9, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_durations_have_two_units(seconds, expected):
    assert formatting.duration(seconds) == expected
