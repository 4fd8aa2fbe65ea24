#!/usr/bin/env bash
# tensorflow 2.21.0: a LiteRT converter with target_spec.supported_types = [tf.float16], or with
# supported_ops = [TFLITE_BUILTINS_INT8] and a representative_dataset, converts without an error or
# a warning to plain float32, unless `optimizations` is set too. Keras 3.15.1's
# model.export(format="litert") passes such settings on and does the same. The file is as
# large as the float32 one.
#
# Seen (2026-11-28), 38,298 parameters: float32 156 kB; float16 and int8 without optimizations 156
# kB; with optimizations 80 and 46 kB. Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0 keras==3.15.1
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python - 2> log <<'PYTHON'
import os

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((16, 16, 3)),
    layers.Conv2D(128, 3, activation="relu"),
    layers.Conv2D(30, 3),
    layers.GlobalAveragePooling2D(),
    layers.Dense(4, activation="softmax"),
])
images = np.random.default_rng(0).random((8, 1, 16, 16, 3)).astype("float32")
half = {"target_spec": {"supported_types": [tf.float16]}}
whole = {
    "target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
    "representative_dataset": lambda: ([image] for image in images),
}
optimized = {"optimizations": [tf.lite.Optimize.DEFAULT]}


def length(**settings):
    model.export("model.tflite", format="litert", verbose=False, **settings)
    return os.path.getsize("model.tflite")


plain = length()
silent = [length(**half), length(**whole)]
smaller = [length(**half, **optimized), length(**whole, **optimized)]
print(f"{model.count_params():,} parameters: float32 {plain:,} bytes; float16 and int8 without "
      f"optimizations {silent}, with {smaller}")
assert max(silent) - min(silent) < 100 and max(silent) == plain
assert smaller[0] < 0.6 * plain and smaller[1] < 0.4 * plain
PYTHON
