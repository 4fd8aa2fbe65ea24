"""The scores of metrics/evaluate.json: each is defined here, once.

The file, the report's page and its Markdown read SCORES and keep its order. A new score that is a
formula of `Answers` needs an entry and nothing else. Entries without a formula have their values
from `EvaluationResult.scores`, where one computation gives several.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trackbed.evaluation import calibration, metrics
from trackbed.evaluation.metrics import Answers

BOUNDS = ("low", "high")  # suffixes of the ends of a score's 95 % interval
NOT_FINITE = "not a finite number"
HIGHER, LOWER, NEITHER = "higher", "lower", ""  # which value is better
# Smallest and largest possible value.
SHARE, DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)
POSITIVE, ANY = (0.0, float("inf")), (float("-inf"), float("inf"))


@dataclass(frozen=True)
class Score:
    """key: in evaluate.json; '{k}' in key, label and meaning is the k of the top-k accuracy.
    label: the row in the report's table of scores, or '' where the report has the value elsewhere.
    better: HIGHER, LOWER or NEITHER. missing: why there may be no value. limits: the smallest and
    the largest possible value.
    """

    key: str
    label: str
    meaning: str
    formula: Callable[[Answers], float] | None = None
    better: str = HIGHER
    missing: str = NOT_FINITE
    limits: tuple[float, float] = SHARE


SCORES = (
    Score(
        "macro_f1",
        "Macro F1",
        "Mean of the class F1s; every class with test images counts the same.",
        lambda answers: answers.average("macro avg", "f1"),
    ),
    Score(
        "accuracy",
        "Accuracy",
        "Share of test images that are classified right.",
        lambda answers: float(np.mean(answers.probabilities.argmax(axis=1) == answers.labels)),
    ),
    Score(
        "balanced_accuracy",
        "Balanced accuracy",
        "Mean of the class recalls: accuracy if all classes were equally frequent.",
        lambda answers: answers.average("macro avg", "recall"),
    ),
    Score(
        "macro_precision",
        "Macro precision",
        "Mean over the classes: how often a named class is the true one.",
        lambda answers: answers.average("macro avg", "precision"),
    ),
    Score(
        "macro_recall",
        "Macro recall",
        "Mean over the classes: how many images of a class are found.",
        lambda answers: answers.average("macro avg", "recall"),
    ),
    Score(
        "weighted_f1",
        "Weighted F1",
        "Mean of the class F1s; frequent classes count more.",
        lambda answers: answers.average("weighted avg", "f1"),
    ),
    Score(
        "top_{k}",
        "Top-{k} accuracy",
        "Share of images whose true class is among the {k} most probable.",
        lambda answers: metrics.top_k(answers.probabilities, answers.labels, answers.k),
    ),
    Score(
        "loss",
        "Cross-entropy",
        "Mean negative log-likelihood of the true class, in nats; lower is better.",
        lambda answers: metrics.loss(answers.probabilities, answers.labels),
        better=LOWER,
        limits=POSITIVE,
    ),
    Score(
        "confidence_right",
        "Confidence when right",
        "Mean probability of the predicted class over right predictions.",
        lambda answers: answers.confidence(right=True),
        better=NEITHER,
        missing="no right predictions",
    ),
    Score(
        "confidence_wrong",
        "Confidence when wrong",
        "The same over wrong predictions.",
        lambda answers: answers.confidence(right=False),
        better=LOWER,
        missing="no mistakes",
    ),
    Score(
        "confidence_gap",
        "Confidence gap",
        "The difference of the two; large is good: doubt marks mistakes.",
        lambda answers: answers.confidence(right=True) - answers.confidence(right=False),
        missing="needs both right and wrong predictions",
        limits=DIFFERENCE,
    ),
    Score(
        "calibration_error",
        "Calibration error",
        "Mean distance of confidence and accuracy over 15 bins (ECE); lower is better, and few "
        "images make it larger.",
        lambda answers: calibration.expected_error(answers.probabilities, answers.labels),
        better=LOWER,
    ),
    Score(
        "brier",
        "Brier score",
        "Mean squared distance of the probabilities from 1 for the true class and 0 for the "
        "others, 0 to 2; lower is better.",
        lambda answers: calibration.brier(answers.probabilities, answers.labels),
        better=LOWER,
        limits=(0.0, 2.0),
    ),
    Score(
        "overconfidence",
        "",
        "Mean confidence less accuracy; above 0 the probabilities are too high.",
        lambda answers: metrics.overconfidence(answers.probabilities, answers.labels),
        better=NEITHER,
        limits=DIFFERENCE,
    ),
    Score(
        "images",
        "",
        "Number of test images.",
        lambda answers: len(answers.labels),
        better=NEITHER,
        limits=POSITIVE,
    ),
    Score(
        "classes_without_images",
        "",
        "Number of classes without test images; macro scores leave them out.",
        lambda answers: answers.probabilities.shape[1] - len(np.unique(answers.labels)),
        better=NEITHER,
        limits=POSITIVE,
    ),
    Score(
        "macro_f1_scikit_learn",
        "Macro F1 by scikit-learn",
        "f1_score(true, predicted, average='macro'): a class without test images counts as 0 if "
        "it is predicted.",
        lambda answers: metrics.scikit_learn_macro_f1(
            answers.labels, answers.probabilities.argmax(axis=1)
        ),
    ),
    Score(
        "test_part",
        "",
        "Fingerprint of the test part; only runs with the same one are compared.",
        better=NEITHER,
        limits=ANY,
    ),
    Score(
        "embed_equal",
        "Equal with quick embeddings",
        "Share of test images that the embeddings trained on, by embed.engine and "
        "embed.precision, give the same class as the exact ones scored here.",
    ),
    Score(
        "embed_macro_f1_difference",
        "Macro F1, quick less exact",
        "What scoring those embeddings would change; no more than chance if the interval holds 0.",
        better=NEITHER,
        limits=DIFFERENCE,
    ),
    Score(
        "refusal_threshold",
        "",
        "Confidence that gives evaluate.wanted_precision on the validation fold.",
        better=NEITHER,
        missing="no confidence reaches evaluate.wanted_precision on the validation fold",
    ),
    Score(
        "refusal_precision",
        "Precision of the sure",
        "Share of right answers at or above the confidence threshold that the validation fold "
        "gave for evaluate.wanted_precision.",
        missing="no confidence reaches it on the validation fold, or no test image is as sure",
    ),
    Score(
        "refusal_coverage",
        "Coverage",
        "Share of test images that are at least as sure; the others would be refused.",
        missing="no confidence reaches evaluate.wanted_precision on the validation fold",
    ),
    Score(
        "baseline_majority_macro_f1",
        "Macro F1, most frequent class",
        "Of always naming the class that is most frequent in training.",
    ),
    Score(
        "baseline_logistic_macro_f1",
        "Macro F1, logistic regression",
        "Of a logistic regression on mean and spread of the colours and on gradients.",
    ),
    Score(
        "above_baseline",
        "Macro F1 above the better one",
        "The model less the better of these two; no more than chance if the interval holds 0.",
        limits=DIFFERENCE,
    ),
    Score(
        "not_above_baseline",
        "",
        "1 where the interval of above_baseline is not above 0, else 0.",
        better=LOWER,
    ),
    Score(
        "temperature",
        "",
        "Temperature with the lowest loss on the validation fold.",
        better=NEITHER,
        limits=POSITIVE,
    ),
    Score(
        "calibrated_calibration_error",
        "",
        "Calibration error of the probabilities with the temperature.",
        lambda answers: calibration.expected_error(answers.calibrated, answers.labels),
        better=LOWER,
    ),
    Score(
        "calibrated_brier",
        "",
        "Brier score of the probabilities with the temperature.",
        lambda answers: calibration.brier(answers.calibrated, answers.labels),
        better=LOWER,
        limits=(0.0, 2.0),
    ),
    Score(
        "calibrated_loss",
        "",
        "Cross-entropy of the probabilities with the temperature, in nats.",
        lambda answers: metrics.loss(answers.calibrated, answers.labels),
        better=LOWER,
        limits=POSITIVE,
    ),
    Score(
        "corrupted_accuracy",
        "",
        "Mean accuracy over all corruptions of evaluate.corruptions and their five grades.",
    ),
)
BY_KEY = {score.key: score for score in SCORES}


def computed(answers: Answers) -> dict[str, float]:
    """The values of all scores that have a formula, by key."""
    return {
        score.key.format(k=answers.k): score.formula(answers) for score in SCORES if score.formula
    }


def find(key: str) -> Score | None:
    """The definition of a key of evaluate.json, or of an end of its interval; None if unknown.

    'macro_f1' and 'macro_f1_low' give the same one; that of 'top_3' has 3 for the k in its texts.
    """
    score = BY_KEY.get(_template(key))
    if score is None or "{k}" not in score.key:
        return score
    (k,) = re.findall(r"\d+", key)
    return replace(score, label=score.label.format(k=k), meaning=score.meaning.format(k=k))


def limits(name: str) -> tuple[float, float]:
    """Smallest and largest possible value of a key of evaluate.json, 'val_loss', 'seconds', ...

    Minus infinity to infinity for what is not known.
    """
    key = re.sub(r"^(best\.|val_|test_)+", "", name)
    score = find(key)
    if score:
        return score.limits
    return POSITIVE if any(word in key for word in ("loss", "seconds", "epoch")) else ANY


def ordered(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values in the order of SCORES, the ends of an interval after their score.

    Raises KeyError for a key without a definition, which no report would show.
    """
    places = {key: place for place, key in enumerate(BY_KEY)}
    return dict(sorted(values.items(), key=lambda item: places[_template(item[0])]))


def is_bound(key: str) -> bool:
    """Whether a key of evaluate.json is an end of an interval."""
    return key.endswith(tuple(f"_{end}" for end in BOUNDS))


def _template(key: str) -> str:
    """'top_{k}' for 'top_3', 'macro_f1' for 'macro_f1_low', else the key."""
    name = re.sub(rf"_({'|'.join(BOUNDS)})$", "", key)
    return re.sub(r"^top_\d+$", "top_{k}", name)
