import pytest
from served import files, form, picture

from trackbed.serving.refusals import Refused
from trackbed.serving.uploads import FormReader

RED = picture()


def read(kind, body, most_files=10, step=7):
    reader = FormReader(kind, most_files)
    for start in range(0, len(body), step):
        reader.write(body[start : start + step])
    return reader.close()


@pytest.mark.parametrize("step", [1, 2, 7, 100_000])
def test_files_are_whole_however_they_arrive(step):
    found = read(*files(RED, b"\r\n--lin", b""), step=step)
    assert [one.data for one in found] == [RED, b"\r\n--lin", b""]
    assert [one.name for one in found] == ["0.png", "1.png", "2.png"]


def test_other_fields_are_left_out():
    kind, body = form(('name="note"', b"hello"), ('name="f"; filename="a"', RED))
    assert [one.data for one in read(kind, body)] == [RED]


def test_a_picture_needs_no_name():
    body = b"--line\r\nContent-Disposition: form-data; name=x\r\nContent-Type: image/png\r\n\r\nabc"
    body += b"\r\n--line--\r\n"
    (found,) = read("multipart/form-data; boundary=line", body)
    assert (found.data, found.name) == (b"abc", None)


GOOD = files(RED)[1]


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        ("multipart/form-data", GOOD, "no boundary"),
        ("multipart/form-data; boundary=" + "x" * 300, GOOD, "exceeds"),
        ("multipart/form-data; boundary=other", GOOD, "boundary"),
        ("multipart/form-data; boundary=line", GOOD[:-8], "before its last boundary"),
        ("multipart/form-data; boundary=line", b"", "before its last boundary"),
        ("multipart/form-data; boundary=line", b"\0\1\2 rubbish", "boundary"),
        ("multipart/form-data; boundary=line", b"--line\r\nno header\r\n\r\n", "character"),
        ("multipart/form-data; boundary=line", b"--line\r\n\r\nx\r\n--line--", "Disposition"),
    ],
)
def test_a_broken_form_is_refused(kind, body, message):
    with pytest.raises(Refused, match=message) as caught:
        read(kind, body)
    assert (caught.value.status, caught.value.code) == (400, "invalid_multipart")


def test_a_form_without_a_file_is_refused():
    with pytest.raises(Refused, match="no file"):
        read(*form(('name="note"', b"hello")))


def test_a_form_is_refused_at_the_first_file_too_many():
    kind, body = files(RED, RED, RED)
    reader = FormReader(kind, 2)
    with pytest.raises(Refused) as caught:
        reader.write(body[: body.rindex(b"--line\r\n") + 100])
    assert (caught.value.status, caught.value.code) == (413, "too_many_files")


def test_a_form_of_endless_fields_is_refused():
    with pytest.raises(Refused, match="100 fields"):
        read(*form(*[('name="note"', b"")] * 101))
