"""The Open Inference Protocol, by hand and with the client of another project."""

import base64
import re
import struct

import numpy as np
import pytest
import served
from served import CLASSES, SIDE, picture

from trackbed.inference.exported_model import ExportedModel

http_client = pytest.importorskip("tritonclient.http")
from tritonclient.utils import InferenceServerException  # noqa: E402

IMAGES = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)
MODEL = "trackbed"


@pytest.fixture
def client(server):
    with http_client.InferenceServerClient(f"{server.host}:{server.port}") as client:
        yield client


@pytest.fixture(scope="module")
def expected(model_folder):
    model = ExportedModel.load(model_folder)
    return dict(
        zip(
            ("probabilities", "embedding"),
            model.outputs(IMAGES, "probabilities", "embedding"),
            strict=True,
        )
    )


def given(array, datatype, binary):
    tensor = http_client.InferInput("images", list(array.shape), datatype)
    tensor.set_data_from_numpy(array, binary_data=binary)
    return [tensor]


def test_the_client_finds_server_and_model(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL)
    assert not client.is_model_ready("other")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata(MODEL)
    (version,) = metadata["versions"]
    assert metadata["inputs"] == [
        {"name": "images", "datatype": "UINT8", "shape": [-1, SIDE, SIDE, 3]}
    ]
    assert client.is_model_ready(MODEL, version)
    assert client.get_model_metadata(MODEL, version) == metadata
    (listed,) = client.get_model_repository_index()
    assert listed == {"name": MODEL, "version": version, "state": "READY"}


@pytest.mark.parametrize("binary", [True, False])
def test_pixels_give_the_models_outputs_to_the_bit(client, expected, binary):
    wanted = [
        http_client.InferRequestedOutput(name, binary_data=binary)
        for name in ("embedding", "class", "probabilities")
    ]
    found = client.infer(MODEL, given(IMAGES, "UINT8", binary), outputs=wanted, request_id="7")
    for name, array in expected.items():
        np.testing.assert_array_equal(found.as_numpy(name), array, strict=True)
    names = [name.decode() if isinstance(name, bytes) else name for name in found.as_numpy("class")]
    assert names == [CLASSES[place] for place in expected["probabilities"].argmax(axis=1)]
    assert found.get_response()["id"] == "7"


def test_all_outputs_come_where_none_is_named(client, expected):
    found = client.infer(MODEL, given(IMAGES, "UINT8", True))
    np.testing.assert_array_equal(found.as_numpy("embedding"), expected["embedding"])
    assert len(found.get_response()["outputs"]) == 3


def test_many_images_are_answered_in_their_order(client):
    images = np.zeros((70, SIDE, SIDE, 3), np.uint8)
    images[np.arange(70), :, :, np.arange(70) % 3] = 250
    found = client.infer(MODEL, given(images, "UINT8", True)).as_numpy("probabilities")
    assert found.argmax(axis=1).tolist() == [place % 3 for place in range(70)]


def test_encoded_pictures_give_the_answers_of_predict(client, server):
    pictures = [picture((200, 40, 90)), picture((10, 90, 200), (60, 50), "JPEG")]
    array = np.array(pictures, dtype=object)
    found = client.infer(MODEL, given(array, "BYTES", True)).as_numpy("probabilities")
    for data, row in zip(pictures, found, strict=True):
        shares = server.predict(data)[1]["results"][0]["probabilities"]
        assert np.float32(list(shares.values())).tolist() == row.tolist()


def test_encoded_pictures_stand_in_json_as_base64(server):
    tensor = {"name": "images", "datatype": "BYTES", "shape": [1]}
    data = [base64.b64encode(picture()).decode()]
    status, content = server.infer({"inputs": [{**tensor, "data": data}]})
    assert status == 200
    assert content["outputs"][1]["data"] == ["red"]


def test_classification_names_the_best_classes(client, expected):
    wanted = [http_client.InferRequestedOutput("probabilities", class_count=2)]
    found = client.infer(MODEL, given(IMAGES, "UINT8", True), outputs=wanted)
    rows = found.as_numpy("probabilities")
    assert rows.shape == (3, 2)
    for row, shares in zip(rows, expected["probabilities"], strict=True):
        share, place, name = row[0].decode().split(":")
        assert (int(place), name) == (shares.argmax(), CLASSES[shares.argmax()])
        assert float(share) == pytest.approx(shares.max(), abs=1e-6)


@pytest.mark.parametrize(
    ("model", "version", "message"), [("other", "", "no such model"), (MODEL, "9", "version")]
)
def test_another_name_or_version_is_unknown(client, model, version, message):
    with pytest.raises(InferenceServerException, match=message) as caught:
        client.infer(model, given(IMAGES, "UINT8", True), version)
    assert caught.value.status() == "404"


def test_the_client_gets_the_reason_of_a_rejected_picture(client):
    array = np.array([picture(), b"rubbish"], dtype=object)
    with pytest.raises(InferenceServerException, match="Picture 1: not an image") as caught:
        client.infer(MODEL, given(array, "BYTES", True))
    assert caught.value.status() == "422"


def tensor(**values):
    flat = [0] * (SIDE * SIDE * 3)
    whole = {"name": "images", "datatype": "UINT8", "shape": [1, SIDE, SIDE, 3], "data": flat}
    return {"inputs": [{**whole, **values}]}


FLAT = [0] * (SIDE * SIDE * 3)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (b"", "no body"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "nested|not JSON"),
        (b'{"inputs": NaN}', "NaN is no number"),
        ([], "object"),
        ({}, "`inputs`"),
        ({"inputs": [1]}, "`inputs`"),
        ({"inputs": tensor()["inputs"] * 2}, "`inputs`"),
        (tensor(name="pixels"), "no input 'pixels'"),
        (tensor(datatype="FP32"), "`datatype`"),
        (tensor(datatype=None), "`datatype`"),
        (tensor(shape=[1, SIDE, SIDE]), "`shape`"),
        (tensor(shape=[1, 3, SIDE, SIDE]), "`shape`"),
        (tensor(shape=[0, SIDE, SIDE, 3], data=[]), "`shape`"),
        (tensor(shape=[-1, SIDE, SIDE, 3]), "`shape`"),
        (tensor(shape=[1.0, SIDE, SIDE, 3]), "`shape`"),
        (tensor(shape=[True, SIDE, SIDE, 3]), "`shape`"),
        (tensor(shape="1"), "`shape`"),
        (tensor(shape=[10**15, SIDE, SIDE, 3]), "`data`"),
        (tensor(shape=[10**4299, SIDE, SIDE, 3]), "`shape`"),
        (tensor(data=FLAT[1:]), "`data` has shape"),
        (tensor(data=[[0], [0, 1]]), "`data`"),
        (tensor(data=[256, *FLAT[1:]]), "0 to 255"),
        (tensor(data=[-1, *FLAT[1:]]), "0 to 255"),
        (tensor(data=[0.5, *FLAT[1:]]), "whole numbers"),
        (tensor(data=["a", *FLAT[1:]]), "whole numbers"),
        (tensor(data=[None, *FLAT[1:]]), "whole numbers"),
        (tensor(data=[10**400, *FLAT[1:]]), "whole numbers"),
        (tensor(data={"0": 0}), "no `data`"),
        (tensor(datatype="BYTES", shape=[1], data=["not base64!"]), "base64"),
        (tensor(datatype="BYTES", shape=[2], data=["AA=="]), "2 pictures"),
        (tensor() | {"outputs": [{"name": "logits"}]}, "No output 'logits'"),
        (tensor() | {"outputs": {"name": "class"}}, "`outputs`"),
        (tensor() | {"parameters": []}, "`parameters`"),
        (tensor() | {"id": 7}, "`id`"),
        (tensor() | {"id": "\ud800"}, "`id`"),
        (tensor(parameters={"binary_data_size": 768}), "`data` or `binary_data_size`"),
    ],
)
def test_what_does_not_follow_the_protocol_is_refused(server, request_, message):
    status, content = server.infer(request_)
    assert status == 400, content

    assert re.search(message, content["error"]), content


def binary(count, data, datatype="UINT8", shape=(1, SIDE, SIDE, 3), length=None):
    import json

    header = json.dumps(
        {
            "inputs": [
                {
                    "name": "images",
                    "datatype": datatype,
                    "shape": list(shape),
                    "parameters": {"binary_data_size": count},
                }
            ]
        }
    ).encode()
    return header + data, {"Inference-Header-Content-Length": str(length or len(header))}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (binary(768, bytes(700)), "700 bytes follow"),
        (binary(700, bytes(700)), "700 bytes for a tensor"),
        (binary("768", bytes(768)), "binary_data_size"),
        (binary(768, bytes(768), length=10**6), "Inference-Header-Content-Length"),
        (binary(768, bytes(768), length="-5"), "Inference-Header-Content-Length"),
        (binary(768, bytes(768), length="9" * 5000), "Inference-Header-Content-Length"),
        (binary(768, bytes(768), shape=[10**4299, SIDE, SIDE, 3]), "`shape`"),
        (binary(3, b"abc", "BYTES", [1]), "no BYTES tensor"),
        (binary(8, struct.pack("<I", 10) + b"abcd", "BYTES", [1]), "no BYTES tensor"),
        (binary(16, struct.pack("<I", 4) * 4, "BYTES", [1]), "no BYTES tensor"),
    ],
)
def test_binary_tensors_of_another_length_are_refused(server, body, message):
    status, content = server.infer(body[0], **body[1])
    assert status == 400
    assert message in content["error"]


def test_a_tensor_of_bytes_has_as_many_pictures_as_a_form(server):
    data = [base64.b64encode(picture()).decode()] * 6
    status, content = server.infer(tensor(datatype="BYTES", shape=[6], data=data))
    assert (status, content["code"]) == (413, "too_many_files")


def test_the_code_of_the_document_works(server, capsys):
    text = (served.STAGES.parent / "docs/serve.md").read_text("utf-8")
    code = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL)[1]
    assert "127.0.0.1:8000" in code
    address = f"{server.host}:{server.port}"
    exec(code.replace("127.0.0.1:8000", address).replace("80, 80", f"{SIDE}, {SIDE}"), {})
    assert "[[0.33333" in capsys.readouterr().out


def test_another_content_type_is_refused(server):
    status, content = server.infer(tensor(), **{"Content-Type": "text/plain"})
    assert (status, content["code"]) == (415, "unsupported_media_type")
