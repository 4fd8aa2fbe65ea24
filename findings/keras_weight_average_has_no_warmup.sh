#!/usr/bin/env bash
# Keras 3.15.1: an optimizer with use_ema=True starts its moving average of the weights at the
# weights after the first step and uses the full ema_momentum from the second step on. There is no
# correction for few steps: not the bias correction of Adam, and not the rising momentum
# min(m, (1 + t) / (10 + t)) of tf.train.ExponentialMovingAverage(num_updates=t).
# SwapEMAWeights then validates and keeps weights that are close to those of the first step:
# with momentum 0.99 and 20 steps the average has gone a fifth of the way that the weight went.
#
# Seen (2026-11-27): step 20, weight 0.878, average 0.194; with rising momentum 0.845.
# Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.1 jax==0.10.2
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PYTHON'
import keras

STEPS, MOMENTUM = 20, 0.99
weight = keras.Variable([0.0])
optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=MOMENTUM)
optimizer.build([weight])
values = []
for _ in range(STEPS):
    optimizer.apply([weight - 1.0], [weight])  # towards 1
    values.append(float(weight[0]))
# At the end of training Keras copies the averages into the model.
optimizer.finalize_variable_values([weight])
average = float(weight[0])

constant = rising = values[0]
for step, value in enumerate(values[1:], 1):
    constant = MOMENTUM * constant + (1 - MOMENTUM) * value
    momentum = min(MOMENTUM, (1 + step) / (10 + step))
    rising = momentum * rising + (1 - momentum) * value
print(f"keras {keras.__version__}, step {STEPS}: weight {values[-1]:.3f}, average {average:.3f}; "
      f"with rising momentum {rising:.3f}")
assert abs(average - constant) < 1e-5, "the average is no longer that of a constant momentum"
assert average < 0.25 < values[-1]
PYTHON
