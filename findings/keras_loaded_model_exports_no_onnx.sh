#!/usr/bin/env bash
# keras 3.15.1 with tensorflow 2.21.0 and tf2onnx 1.17.0: a model of `keras.models.load_model` is
# built and answers, but `model.export(format="onnx")` raises ValueError "The model provided has
# never called." until it answered something in the same process. The formats litert and
# tf_saved_model need no call, nor does the documentation of `export` ask for one.
#
# Seen (2026-11-28): litert: written; tf_saved_model: written; onnx: ValueError; onnx after
# model(images): written. Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0 keras==3.15.1 tf2onnx==1.17.0
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python - 2> log <<'PYTHON'
import keras
import numpy as np
from keras import layers

images = np.zeros((1, 8, 8, 3), "float32")
built = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2)])
built.save("model.keras")


def outcome(model, kind, path):
    try:
        model.export(path, format=kind, verbose=False)
    except ValueError as error:
        assert "has never called" in str(error)
        return "ValueError"
    return "written"


def loaded():
    return keras.models.load_model("model.keras")


called = loaded()
called(images)
outcomes = {
    "litert": outcome(loaded(), "litert", "model.tflite"),
    "tf_saved_model": outcome(loaded(), "tf_saved_model", "saved"),
    "onnx": outcome(loaded(), "onnx", "model.onnx"),
    "onnx after model(images)": outcome(called, "onnx", "model.onnx"),
}
print(outcomes)
assert list(outcomes.values()) == ["written", "written", "ValueError", "written"]
PYTHON
