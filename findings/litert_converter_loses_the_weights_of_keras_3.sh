#!/usr/bin/env bash
# tensorflow 2.21.0 with keras 3.15.1: TFLiteConverter.from_concrete_functions([f], model), the call
# of TensorFlow's documentation, with a Keras model as the `trackable_obj`, ends without an error
# and gives a file without the weights: variables that nothing fills. ai-edge-litert 2.3.0 loads it
# and answers NaN. Without the second argument (which warns that this is deprecated), or with a
# tf.Module that holds the function and the variables, the file is right.
#
# Seen (2026-11-28): 151,000 parameters; model: 6 kB, NaN; nothing: 604 kB, Module: 605 kB, both
# within 1e-6 of Keras. Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0 keras==3.15.1 ai-edge-litert==2.3.0
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - 2> "$folder/log" <<'PYTHON'
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import layers

keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((32, 32, 3)),
    layers.Rescaling(1 / 255),
    layers.Conv2D(64, 3),
    layers.Conv2D(256, 3, activation="relu"),
    layers.GlobalAveragePooling2D(),
    layers.Dense(4, activation="softmax"),
])
images = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype("float32")
expected = model.predict(images, verbose=0)

module = tf.Module()
module.variables_of_model = [variable.value for variable in model.variables]
module.answer = tf.function(
    lambda images: model(images),
    input_signature=[tf.TensorSpec((1, 32, 32, 3), tf.float32, name="images")],
)
function = module.answer.get_concrete_function()
for name, tracked in (("model", [model]), ("nothing", []), ("Module", [module])):
    content = tf.lite.TFLiteConverter.from_concrete_functions([function], *tracked).convert()
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images)
    interpreter.invoke()
    answer = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    difference = np.abs(answer - expected).max()
    print(f"{name}: {len(content):,} bytes, difference {difference:.1e}")
    if name == "model":
        assert np.isnan(answer).all() and len(content) < 10_000
    else:
        assert difference < 1e-6 and len(content) > 4 * model.count_params()
PYTHON
