#!/usr/bin/env bash
# keras 3.15.1 with tf2onnx 1.17.0: a model of the policy mixed_bfloat16 exports to ONNX without an
# error, and `onnx.checker.check_model` (onnx 1.23.2) accepts the file. ONNX Runtime 1.32.0 refuses
# it: the constant of a rescaling layer is float16, the tensor bfloat16. With mixed_float16 the same
# export loads. So an export that ends with 0 and a checker that is content prove nothing.
#
# Seen (2026-11-28): mixed_float16: checked, loads; mixed_bfloat16: checked, "Type parameter (T) of
# Optype (Mul) bound to different types". Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0 keras==3.15.1 tf2onnx==1.17.0 \
    onnx==1.23.2 onnxruntime==1.32.0
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python - 2> log <<'PYTHON'
import keras
import numpy as np
import onnx
import onnxruntime
from keras import layers

refused = {}
for policy in ("mixed_float16", "mixed_bfloat16"):
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([
        keras.Input((32, 32, 3)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(16, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(4, activation="softmax", dtype="float32"),
    ])
    model.predict(np.zeros((1, 32, 32, 3)), verbose=0)  # the export wants a model that was called
    model.export("model.onnx", format="onnx", verbose=False)
    onnx.checker.check_model("model.onnx")
    try:
        onnxruntime.InferenceSession("model.onnx")
        refused[policy] = ""
    except Exception as error:
        refused[policy] = str(error)
    print(f"{policy}: checked, {refused[policy] or 'loads'}")
assert not refused["mixed_float16"]
assert "bound to different types" in refused["mixed_bfloat16"]
PYTHON
