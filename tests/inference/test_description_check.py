import copy

import pytest

from trackbed.inference import description_check

DESCRIPTION = {
    "network": "small_cnn",
    "classes": ["a", "b"],
    "image_side": 80,
    "temperature": 1,
    "calibrated": True,
    "refusal_threshold": None,
    "head": ["relu", "softmax"],
    "backbone": None,
    "model": "0" * 64,
    "pictures": {
        "max_pixels": 10**6,
        "min_side": 8,
        "max_aspect": 20,
        "crop_margin": 0.0,
        "boxes": "check",
        "white_level": None,
    },
    "files": {"model.onnx": {"sha256": "0" * 64, "bytes": 9}},
}


def test_a_description_with_further_keys_is_fine():
    assert description_check.fault(DESCRIPTION | {"more": 1}) is None


@pytest.mark.parametrize("key", [*DESCRIPTION, *(f"pictures.{k}" for k in DESCRIPTION["pictures"])])
def test_a_missing_key_is_named(key):
    changed = copy.deepcopy(DESCRIPTION)
    section = changed["pictures"] if "." in key else changed
    del section[key.rpartition(".")[2]]
    assert description_check.fault(changed) == f"the key {key} is missing"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("classes", "ab"),
        ("classes", []),
        ("classes", ["a", 1]),
        ("image_side", 0),
        ("image_side", "80"),
        ("image_side", True),
        ("temperature", 0),
        ("temperature", None),
        ("temperature", float("nan")),
        ("calibrated", "no"),
        ("head", "softmax"),
        ("head", ["gelu"]),
        ("backbone", 1),
        ("model", None),
        ("refusal_threshold", 80),
        ("pictures", []),
        ("files", {"model.onnx": "0"}),
    ],
)
def test_a_wrong_value_is_named(key, value):
    assert description_check.fault(DESCRIPTION | {key: value}).startswith(f"{key} must be ")
