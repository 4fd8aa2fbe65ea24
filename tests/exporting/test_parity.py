import numpy as np
import pytest
from sklearn.metrics import f1_score

from trackbed.exporting import parity
from trackbed.exporting.parity import Limits, Reference

TRAINED = np.array([[0.9, 0.1], [0.3, 0.7], [0.55, 0.45], [0.2, 0.8]])
LABELS = np.array([0, 1, 0, 1])


def reference(**changes):
    usual = {"threshold": 0.6, "temperature": None}
    return Reference(TRAINED, LABELS, np.arange(4), **usual | changes)


def test_the_same_answers_have_no_difference():
    found = reference().parity(TRAINED.copy(), 10, 10)
    assert (found.images, found.equal, found.largest_difference, found.crossings) == (4, 1, 0, 0)
    assert (found.macro_f1_difference, found.relative_bytes) == (0, 1)
    assert not list(parity.misses(found, parity.FLOAT32))


def test_a_changed_answer_by_hand():
    changed = TRAINED.copy()
    changed[2] = [0.35, 0.65]  # another class, and sure enough not to be refused
    found = reference().parity(changed, 3, 12)
    assert found.equal == 0.75
    assert found.largest_difference == pytest.approx(0.2)
    assert (found.crossings, found.bytes, found.relative_bytes) == (0.25, 3, 0.25)
    expected = f1_score(LABELS, [0, 1, 1, 1], average="macro") - 1
    assert found.macro_f1_difference == pytest.approx(expected)
    assert found.macro_f1_difference_low <= expected <= found.macro_f1_difference_high


def test_classes_that_float32_cannot_tell_apart_are_the_same_answer():
    trained = np.array([[0.5 + 2e-6, 0.5 - 2e-6]])
    near = Reference(trained, LABELS[:1], np.arange(1), None, None)
    assert near.parity(trained[:, ::-1], 1, 1).equal == 1
    far = Reference(np.array([[0.5001, 0.4999]]), LABELS[:1], np.arange(1), None, None)
    assert far.parity(np.array([[0.4999, 0.5001]]), 1, 1).equal == 0


def test_the_threshold_is_for_calibrated_probabilities_where_these_are_reported():
    changed = TRAINED.copy()
    changed[2] = [0.59, 0.41]
    assert reference().parity(changed, 1, 1).crossings == 0
    # At temperature 0.5 they are squared: 0.599 and 0.674 on both sides of 0.65.
    assert reference(threshold=0.65, temperature=0.5).parity(changed, 1, 1).crossings == 0.25
    assert reference(threshold=None).parity(changed, 1, 1).crossings == 0


def test_each_limit_names_the_figure_and_what_it_should_be():
    changed = TRAINED.copy()
    changed[2] = [0.35, 0.65]
    found = reference().parity(changed, 6, 10)
    texts = list(parity.misses(found, Limits(0.99, 1e-5, -0.01, 0.02, 0.35)))
    assert texts == [
        "equal answers 0.75, at least 0.99 is required",
        "difference of macro F1 -0.2667, at least -0.01 is required",
        "largest difference of a probability 0.2, at most 1e-05 is allowed",
        "answers across the refusal threshold 0.25, at most 0.02 is allowed",
        "bytes, relative to ONNX 0.6, at most 0.35 is allowed",
    ]


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("onnx", parity.FLOAT32),
        ("openvino", parity.FLOAT32),
        ("saved_model", parity.FLOAT32),
        ("litert_float32", parity.FLOAT32),
        ("litert_float16", parity.FLOAT16),
        ("litert_int8", parity.INT8),
    ],
)
def test_limits_go_by_the_precision(name, limits):
    assert parity.limits(name) is limits


def test_no_probability_that_is_not_finite_passes():
    broken = TRAINED.copy()
    broken[0] = np.nan
    found = reference().parity(broken, 1, 1)
    assert any("largest difference" in text for text in parity.misses(found, parity.FLOAT32))
    assert any("largest difference" in text for text in parity.misses(found, parity.FLOAT16))
