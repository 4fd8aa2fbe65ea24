#!/usr/bin/env bash
# tensorflow 2.21.0 on x86: a convolution of a batch without images has the wrong shape. With oneDNN's kernels,
# the default, its last dimension is the number of channels of the input, not of the filters; shape inference
# says the filters', and TensorFlow's own kernel gives them. Who divides a batch into parts meets it when
# a part is empty: the batch normalisation that follows raises an error about its scale.
#
# Seen (2026-11-28): shape (0, 8, 8, 3) with oneDNN, (0, 8, 8, 16) without it, for a 3 x 3 convolution with 16
# filters. Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0
cat > "$folder/shape.py" <<'PYTHON'
import tensorflow as tf

filters = tf.ones((3, 3, 3, 16))
print(tuple(tf.nn.conv2d(tf.zeros((0, 8, 8, 3)), filters, 1, "SAME").shape))
PYTHON
export TF_CPP_MIN_LOG_LEVEL=3
with=$(TF_ENABLE_ONEDNN_OPTS=1 "$folder/venv/bin/python" "$folder/shape.py" 2> "$folder/log")
without=$(TF_ENABLE_ONEDNN_OPTS=0 "$folder/venv/bin/python" "$folder/shape.py" 2> "$folder/log")
echo "oneDNN: $with; TensorFlow's own kernel: $without"
[ "$with" = "(0, 8, 8, 3)" ] && [ "$without" = "(0, 8, 8, 16)" ]
