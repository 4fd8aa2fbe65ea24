#!/usr/bin/env bash
# Keras 3.15.1: RandomSaturation has value_range=(0, 255) by default, and limits the saturation itself
# to this range. Saturation lies between 0 and 1 whatever the range of the pixels is, so nothing is
# limited: colours that become stronger get values far below 0. With pixels 0 to 1 and
# value_range=(0, 1) the limit is the right one.
#
# Seen (2026-11-28): factor 0.7, pixels 0 to 255: down to -340, in all images; factor 1.0: down to
# -64,770. Pixels 0 to 1: never outside. Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.1 jax==0.10.2
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PYTHON'
import keras
import numpy as np

images = np.random.default_rng(0).integers(0, 256, (200, 16, 16, 3)).astype(np.float32)
for factor in (0.7, 1.0):
    layer = keras.layers.RandomSaturation((factor, factor), seed=0)
    changed = np.asarray(layer(images, training=True))
    outside = (changed < -0.01).any(axis=(1, 2, 3)).mean()
    print(f"keras {keras.__version__}, factor {factor}, pixels 0 to 255: {changed.min():.4g} to "
          f"{changed.max():.4g}, {outside:.0%} of the images below 0")
    assert changed.min() < -100, "the pixels now stay in the range"
    unit = keras.layers.RandomSaturation((factor, factor), value_range=(0, 1), seed=0)
    changed = np.asarray(unit(images / 255, training=True))
    print(f"pixels 0 to 1: {changed.min():.4g} to {changed.max():.4g}")
    assert -1e-5 < changed.min() and changed.max() < 1 + 1e-5
PYTHON
