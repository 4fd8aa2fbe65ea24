#!/usr/bin/env bash
# Keras 3.15.1: where the bounds of `factor` are 0 and 1, one number f means the range 0 to f.
# RandomContrast(0.3) therefore only raises the contrast, by 1.0 to 1.3; its documentation says that
# one number gives 1 - f to 1 + f ("When represented as a single float, lower = upper").
# RandomErasing(1.0) and RandomPerspective(1.0) change half of the images, although "factor=1.0 means
# that it is always applied": a probability is sampled for each image, from 0 to 1. So does
# RandomInvert(1.0). The pairs (0.3, 0.3) and (1.0, 1.0) do what the numbers say.
#
# Seen (2026-11-28): contrast 1.000 to 1.300; with the pair 0.700 to 1.300. Changed: erasing 0.49,
# perspective 0.51, inversion 0.51; with pairs 1.00 each. Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.1 jax==0.10.2
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PYTHON'
import keras
import numpy as np

images = np.full((2000, 8, 8, 3), 100, np.float32)
images[:, ::2] = 140  # every image has the mean 120


def contrasts(factor):
    changed = np.asarray(keras.layers.RandomContrast(factor, seed=0)(images, training=True))
    return (changed[:, 0, 0, 0] - changed[:, 1, 0, 0]) / 40


def share(layer):
    changed = np.asarray(layer(images, training=True))
    return (changed != images).any(axis=(1, 2, 3)).mean()


one, pair = contrasts(0.3), contrasts((0.3, 0.3))
print(f"keras {keras.__version__}, contrast: 0.3 gives {one.min():.3f} to {one.max():.3f}, "
      f"(0.3, 0.3) gives {pair.min():.3f} to {pair.max():.3f}")
assert one.min() > 0.999 and one.max() > 1.29, "one number no longer raises the contrast only"
assert pair.min() < 0.71
for name in ("RandomErasing", "RandomPerspective", "RandomInvert"):
    layer = getattr(keras.layers, name)
    one, pair = share(layer(1.0, seed=0)), share(layer((1.0, 1.0), seed=0))
    print(f"{name}: 1.0 changes {one:.2f} of the images, (1.0, 1.0) {pair:.2f}")
    assert 0.4 < one < 0.6, f"{name}(1.0) no longer changes half of the images"
    assert pair > 0.95
PYTHON
