"""The scores of the whole test part, each with its meaning."""

import re
from dataclasses import dataclass
from typing import Any

from trackbed.reporting import formatting, verdict
from trackbed.reporting.previous_runs import Previous

NOT_FINITE = "not a finite number"
UNCHANGED = 0.0005  # is told as +0.000, whatever its sign
# name: (label, meaning, why a value may be missing)
SCORES = {
    "macro_f1": ("Macro F1", "Mean of the class F1s; every class counts the same.", NOT_FINITE),
    "accuracy": ("Accuracy", "Share of test images that are classified right.", NOT_FINITE),
    "balanced_accuracy": (
        "Balanced accuracy",
        "Mean of the class recalls: accuracy if all classes were equally frequent.",
        NOT_FINITE,
    ),
    "macro_precision": (
        "Macro precision",
        "Mean over the classes: how often a named class is the true one.",
        NOT_FINITE,
    ),
    "macro_recall": (
        "Macro recall",
        "Mean over the classes: how many images of a class are found.",
        NOT_FINITE,
    ),
    "weighted_f1": (
        "Weighted F1",
        "Mean of the class F1s; frequent classes count more.",
        NOT_FINITE,
    ),
    "top_k": (
        "Top-{k} accuracy",
        "Share of images whose true class is among the {k} most probable.",
        NOT_FINITE,
    ),
    "loss": (
        "Cross-entropy",
        "Mean negative logarithm of the true class's probability (negative log-likelihood), in "
        "nats; lower is better.",
        NOT_FINITE,
    ),
    "calibration_error": (
        "Calibration error",
        "Mean distance of confidence and accuracy over 15 bins (ECE); lower is better, and few "
        "images make it larger.",
        NOT_FINITE,
    ),
    "brier": (
        "Brier score",
        "Mean squared distance of the probabilities from 1 for the true class and 0 for the "
        "others, 0 to 2; lower is better.",
        NOT_FINITE,
    ),
    "confidence_right": (
        "Confidence when right",
        "Mean probability of the predicted class over right predictions.",
        "no right predictions",
    ),
    "confidence_wrong": (
        "Confidence when wrong",
        "The same over wrong predictions.",
        "no mistakes",
    ),
    "confidence_gap": (
        "Confidence gap",
        "The difference of the two; large is good: doubt marks mistakes.",
        "needs both right and wrong predictions",
    ),
    "baseline_majority_macro_f1": (
        "Macro F1, most frequent class",
        "Of always naming the class that is most frequent in training.",
        NOT_FINITE,
    ),
    "baseline_logistic_macro_f1": (
        "Macro F1, logistic regression",
        "Of a logistic regression on mean and spread of the colours and on gradients.",
        NOT_FINITE,
    ),
    "above_baseline": (
        "Macro F1 above the better one",
        "The model less the better of these two; it has learned from the pictures only where the "
        "interval is above 0.",
        NOT_FINITE,
    ),
    "refusal_precision": (
        "Precision of the sure",
        "Share of right answers at or above the confidence threshold that the validation fold "
        "gave for evaluate.wanted_precision.",
        "no confidence reaches it on the validation fold, or no test image is as sure",
    ),
    "refusal_coverage": (
        "Coverage",
        "Share of test images that are at least as sure; the others would be refused.",
        "no confidence reaches evaluate.wanted_precision on the validation fold",
    ),
    "embed_equal": (
        "Equal with quick embeddings",
        "Share of test images that the embeddings trained on, by embed.engine and "
        "embed.precision, give the same class as the exact ones scored here.",
        NOT_FINITE,
    ),
    "embed_macro_f1_difference": (
        "Macro F1, quick less exact",
        "What scoring those embeddings would change; no more than chance if the interval holds 0.",
        NOT_FINITE,
    ),
}


@dataclass(frozen=True)
class Score:
    """A row of the table of scores as text; '' where there is no interval, reason or change."""

    label: str
    value: str
    interval: str
    meaning: str
    reason: str  # why there is no value
    change: str  # against the last committed run


def rows(scores: dict[str, Any], previous: Previous | None = None) -> list[Score]:
    """The known scores in a fixed order; a missing value is 'n/a' with the reason.

    The top-k accuracy is either `top_3`, or `top_k` with its k in `top_k_k`.
    """
    for name in list(scores):
        if found := re.fullmatch(r"top_(\d+)", name):
            scores = scores | {"top_k": scores[name], "top_k_k": int(found[1])}
    k = scores.get("top_k_k") or "k"
    return [_row(scores, name, k, previous) for name in SCORES if name in scores]


def _row(scores: dict[str, Any], name: str, k: Any, previous: Previous | None) -> Score:
    label, meaning, reason = SCORES[name]
    value = formatting.share(scores[name])
    if value != formatting.NOT_AVAILABLE:
        reason = ""
    elif not scores.get("images"):
        reason = "no test images"
    between = verdict.interval(scores, name)
    change = previous.difference(scores, _key(name, k)) if previous else None
    told = "" if change is None else formatting.signed(change if abs(change) >= UNCHANGED else 0)
    return Score(label.format(k=k), value, between, meaning.format(k=k), reason, told)


def _key(name: str, k: Any) -> str:
    """The name under which evaluate.json has the score."""
    return f"top_{k}" if name == "top_k" else name
