import math

import pytest
from served import files, form, picture

RED, GREEN = picture(), picture((20, 250, 20))


def test_the_body_is_a_picture(server):
    status, content = server.predict(RED)
    (result,) = content["results"]
    # Softmax of 10 times the mean colour.
    weights = {"red": math.exp(10 * 250 / 255), "green": math.exp(10 * 20 / 255)}
    assert status == 200
    assert (result["file"], result["class"], result["refused"]) == (None, "red", False)
    expected = weights["red"] / (weights["red"] + 2 * weights["green"])
    assert result["confidence"] == pytest.approx(expected, abs=1e-6)
    assert sum(result["probabilities"].values()) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["image/jpeg", "IMAGE/PNG; x=y", "application/octet-stream"])
def test_the_content_tells_the_format(server, kind):
    assert server.predict(GREEN, kind)[1]["results"][0]["class"] == "green"


def test_an_answer_below_the_threshold_is_refused(server):
    status, content = server.predict(picture((120, 100, 100)))
    assert (status, content["results"][0]["refused"]) == (200, True)


def test_a_form_has_one_answer_per_file_in_their_order(server):
    kind, body = files(GREEN, RED, GREEN)
    results = server.predict(body, kind)[1]["results"]
    assert [one["file"] for one in results] == ["0.png", "1.png", "2.png"]
    assert [one["class"] for one in results] == ["green", "red", "green"]


def test_a_damaged_file_among_others_is_named(server):
    kind, body = files(RED, RED[:-20], b"")
    status, content = server.predict(body, kind)
    assert status == 200
    assert content["results"][0]["class"] == "red"
    assert content["results"][1]["rejected"]["reason"] == "truncated"
    assert content["results"][2]["rejected"]["reason"] == "empty"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"hello", "not an image"),
        (RED[:-20], "truncated"),
        (picture(size=(1, 1)), "too small"),
        (picture(size=(60, 2)), "too narrow"),
        (picture(size=(1100, 1000)), "too many pixels"),
        (b"%PDF-1.7 ", "unsupported format"),
    ],
)
def test_an_unusable_picture_is_status_422(server, data, reason):
    status, content = server.predict(data)
    assert (status, content["code"], content["reason"]) == (422, "rejected", reason)
    assert reason in content["error"]


def test_names_come_back_escaped(server):
    names = ["straße 写真.png", "../../etc/passwd", "<b>x</b>", "a\u202egpj.exe", "x" * 300]
    kind, body = form(*((f'name="f"; filename="{name}"', RED) for name in names))
    results = server.predict(body, kind)[1]["results"]
    expected = [*names[:3], "a\\u202egpj.exe", "x" * 255]
    assert [one["file"] for one in results] == expected


def test_the_map_has_the_colour_in_its_place(server):
    import io

    from PIL import Image

    image = Image.new("RGB", (16, 16), (60, 60, 60))
    image.paste((250, 60, 60), (12, 0, 16, 4))  # the upper right field of 4 x 4
    file = io.BytesIO()
    image.save(file, "PNG")
    status, content = server.predict(file.getvalue(), path="/predict?activation=true")
    rows = content["results"][0]["activation"]
    assert status == 200
    assert (len(rows), len(rows[0])) == (4, 4)
    assert rows[0][3] == 1
    assert max(rows[1]) < 1


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("text/plain", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        ("application/json", 415, "unsupported_media_type"),
        ("multipart/form-data", 400, "invalid_multipart"),
    ],
)
def test_other_content_types_are_refused(server, kind, status, code):
    found, content = server.predict(RED, kind)
    assert (found, content["code"]) == (status, code)
    assert set(content) >= {"error", "code"}


def test_an_empty_body_is_status_400(server):
    status, content = server.predict(b"")
    assert (status, content["code"]) == (400, "empty_body")


def test_a_wrong_flag_is_status_400(server):
    status, content = server.predict(RED, path="/predict?activation=maybe")
    assert (status, content["code"]) == (400, "bad_request")
