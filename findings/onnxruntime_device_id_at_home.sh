#!/usr/bin/env bash
# onnxruntime 1.32.0 on Linux, from PyPI: the first InferenceSession of a user creates a device id and
# a database of events in ~/.cache/Microsoft/DeveloperTools/.onnxruntime. An inference library that
# reads one file is not expected to write to the home folder. ORT_DISABLE_TELEMETRY=1, set before the
# import, stops it. onnxruntime 1.22.1 writes nothing.
#
# Seen (2026-11-28): 1.22.1: nothing; 1.32.0: deviceid and onnxruntime.db; 1.32.0 with
# ORT_DISABLE_TELEMETRY=1: nothing. Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

session() { # session NAME [VARIABLE=VALUE...]: what a session leaves in an empty home folder
    local venv=$1
    shift
    rm -rf home && mkdir home
    env -u XDG_CACHE_HOME -u CI HOME="$folder/home" "$@" "$venv/bin/python" -B - 2> log <<'PYTHON'
import time

import onnxruntime
from onnx import TensorProto, helper

one = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
two = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "graph", [one], [two])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnxruntime.InferenceSession(model.SerializeToString())
time.sleep(2)
PYTHON
    find home -type f ! -name '*-wal' ! -name '*-shm' ! -name '*-journal' -printf '%f '
}

for version in 1.22.1 1.32.0; do
    python3 -m venv "$version"
    "$version/bin/pip" install --quiet "onnxruntime==$version" onnx==1.23.2
done
old=$(session 1.22.1)
new=$(session 1.32.0)
off=$(session 1.32.0 ORT_DISABLE_TELEMETRY=1)
printf '1.22.1: %s\n1.32.0: %s\n1.32.0 with ORT_DISABLE_TELEMETRY=1: %s\n' \
    "${old:-nothing}" "${new:-nothing}" "${off:-nothing}"
[ -z "$old" ]
[[ $new == *deviceid* && $new == *onnxruntime.db* ]]
[ -z "$off" ]
