#!/usr/bin/env bash
# cleanlab 2.9.0: find_label_issues spares one image of every class, whatever
# min_examples_per_class says. Its documentation: "Minimum number of examples per class to avoid
# flagging as label issues", default 1. With 0 the answer is the same, for two reasons:
# compute_confident_joint counts at least one right label for every class, and find_label_issues
# copies a class's mask only if it has more than one image. So in a class whose labels are all
# wrong, none of one and two of three are listed, though the probabilities are as clear as can be.
# filter_by="low_self_confidence" lists them all.
#
# Seen (2026-11-28): default and min_examples_per_class=0: 0 of 1, 1 of 2, 2 of 3;
# low_self_confidence: 1 of 1, 2 of 2, 3 of 3. Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet cleanlab==2.9.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from cleanlab.filter import find_label_issues

for wrong in (1, 2, 3):
    # 40 images of two classes, all right, and a third class of images that are of the first.
    given = np.array([0, 1] * 20 + [2] * wrong)
    true = np.where(given == 2, 0, given)
    probabilities = np.full((len(given), 3), 0.01)
    probabilities[np.arange(len(given)), true] = 0.98
    listed = {
        text: int(find_label_issues(given, probabilities, n_jobs=1, **options)[-wrong:].sum())
        for text, options in {
            "default": {},
            "min_examples_per_class=0": {"min_examples_per_class": 0},
            "low_self_confidence": {"filter_by": "low_self_confidence"},
        }.items()
    }
    print(f"{wrong} wrong labels are the whole class; listed: {listed}")
    assert listed["default"] == listed["min_examples_per_class=0"] == wrong - 1
    assert listed["low_self_confidence"] == wrong
PYTHON
