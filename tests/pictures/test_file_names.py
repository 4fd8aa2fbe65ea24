import pytest

from trackbed.pictures import file_names


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("Gleis 1/Ö.jpg", "Gleis 1/Ö.jpg"),
        ("a\nb", "a\\x0ab"),
        ("a\u202egpj.exe", "a\\u202egpj.exe"),
        (b"\xff.jpg".decode("utf-8", "surrogateescape"), "\\xff.jpg"),
    ],
)
def test_what_a_terminal_would_interpret_is_escaped(name, printed):
    assert file_names.printable(name) == printed
    assert file_names.has_bad_name(name) == (name != printed)
