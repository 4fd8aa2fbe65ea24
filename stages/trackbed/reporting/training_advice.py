"""Advice on a training that is too short or too small, from the numbers of a run."""

from collections.abc import Mapping
from typing import Any

from trackbed.curves.analysis import Analysis
from trackbed.curves.fit import Verdict
from trackbed.reporting import formatting
from trackbed.reporting.run import Run

# Conventions; all shares are 0 to 1.
FEW_STEPS = 500  # of the optimizer, for a network from scratch
FEW_PER_CLASS = 100  # training images, for a network from scratch
LOW_TRAINING = 0.9  # accuracy on the training images
OVERFIT = 0.05  # of the score between training and validation
MOST_COLUMNS = 3  # that are named
AVERAGE_WORSE = 0.02  # of the validation accuracy
WAITING = 0.2  # of the training time

Values = Mapping[str, Any]


def lagging_average(run: Run) -> str:
    """Advice where the raw weights validate better than their moving average, else ''.

    Both are of the last epoch. Their accuracies differ by more than AVERAGE_WORSE and by more
    than chance: 1.96 standard errors of the difference of two shares of the validation images.
    """
    last = run.training.summary.get("last_epoch") or {}
    averaged, raw = (last.get(name, {}).get("val_accuracy") for name in ("averaged", "raw"))
    images = validation_images(run)
    if averaged is None or raw is None or not images:
        return ""
    error = ((averaged * (1 - averaged) + raw * (1 - raw)) / images) ** 0.5
    if raw - averaged <= max(AVERAGE_WORSE, 1.96 * error):
        return ""
    return (
        "The model has the moving average of the weights, whose validation accuracy in the last "
        f"epoch is {formatting.share(averaged)}; that of the weights themselves is "
        f"{formatting.share(raw)}. The average lags behind: lower train.average (now "
        f"{_train(run).get('average', formatting.NOT_AVAILABLE)}; 0: no average), or raise "
        "train.epochs."
    )


def below_baseline(run: Run) -> str:
    """Why the model is not above its baseline and what to do, '' where it is."""
    scores = run.evaluation.scores
    if not scores.get("not_above_baseline"):
        return ""
    reasons = [*_too_little_training(run), *_too_few_images(run)] or _other_reasons(run)
    return f"Not shown to be better than a baseline. {' '.join(reasons)}"


def _too_little_training(run: Run) -> list[str]:
    """Few steps of the optimizer, for a network from scratch."""
    train, epochs = _train(run), int(run.training.summary.get("epochs") or 0)
    steps = epochs * -(-training_images(run) // int(train.get("batch") or 1))
    if _pretrained(run) or steps >= FEW_STEPS:
        return []
    longer = "epochs"
    if run.training.summary.get("stopped_early"):
        longer = "patience"
    return [
        f"The training had {formatting.plural(steps, 'step')} of the optimizer, a network from "
        f"scratch needs at least about {FEW_STEPS}: raise train.{longer} (now "
        f"{train.get(longer)}) or lower train.batch (now {train.get('batch')})."
    ]


def _too_few_images(run: Run) -> list[str]:
    """Few training images per class, for a network from scratch."""
    classes = int((run.data.counts["train"] > 0).sum())
    mean = training_images(run) / max(1, classes)
    if _pretrained(run) or mean >= FEW_PER_CLASS:
        return []
    return [
        f"It has {mean:,.0f} training images per class, and a network from scratch needs about "
        f"{FEW_PER_CLASS}: use a pretrained backbone (train.weights: imagenet, docs/frozen.md), or "
        "collect more images."
    ]


def _other_reasons(run: Run) -> list[str]:
    """A low accuracy on the training images, or a difference that the test part cannot show."""
    accuracy = _training_accuracy(run)
    if accuracy is not None and accuracy < LOW_TRAINING:
        return [
            f"The accuracy on the training images is {formatting.share(accuracy)}: the network "
            "under-fits. Raise train.epochs, try other values of train.learning_rate, or lower "
            "train.dropout and train.augment."
        ]
    if (run.evaluation.scores.get("above_baseline") or 0) > 0:
        return [
            "Its macro F1 is higher, but the test part is too small to show that: test on more "
            "images or groups, or cross-validate (trackbed sweep --folds all)."
        ]
    if _pretrained(run):
        return ["Unfreeze more of the backbone (train.unfreeze), or try another (train.network)."]
    return ["Try a pretrained backbone (train.weights: imagenet, docs/frozen.md)."]


def training_images(run: Run) -> int:
    """Images that the network was trained on."""
    return int(run.data.counts["train"].sum()) - validation_images(run)


def validation_images(run: Run) -> int:
    """Images of the validation fold."""
    table, fold = run.data.index, str(_train(run).get("fold", ""))
    return int(((table["part"] == "train") & (table["fold"].astype(str) == fold)).sum())


def _training_accuracy(run: Run) -> float | None:
    """Accuracy on the training images in the best epoch."""
    curve = run.training.curves["train/accuracy"]
    best = run.training.summary.get("best_epoch")
    return float(curve.loc[best]) if best in curve.index else None


def _pretrained(run: Run) -> bool:
    return _train(run).get("weights", "none") != "none"


def _train(run: Run) -> Values:
    return run.params.get("train", {})


def overfitting(analysis: Analysis | None, train: Values) -> str:
    """Advice for an over-fitting run whose training score is OVERFIT above validation, else ''."""
    fit = analysis.fit if analysis and Verdict.OVER_FITTING in analysis.verdicts else None
    if fit is None or fit.training_score is None or fit.validation_score is None:
        return ""
    if fit.training_score - fit.validation_score <= OVERFIT:
        return ""
    return (
        f"Training {fit.score} ends at {formatting.share(fit.training_score)}, validation at "
        f"{formatting.share(fit.validation_score)}: use more images, more of train.augment, or a "
        f"higher train.dropout (now {train.get('dropout', formatting.NOT_AVAILABLE)})."
    )


def unfinished(training: Values, analysis: Analysis | None) -> str:
    """Advice for a run that was not stopped early and still improves at its end, else ''."""
    epochs = training.get("epochs")
    if not epochs or training.get("stopped_early"):
        return ""
    found = analysis.findings if analysis else ()
    names = [one.column for one in found if one.verdict == Verdict.NOT_CONVERGED]
    if training.get("best_epoch") == epochs:
        why = f"The last epoch, {epochs}, is the best"
    elif names:
        why = (
            f"{formatting.listed(names, MOST_COLUMNS)} still improved at the end of {epochs} epochs"
        )
    else:
        return ""
    return f"{why}: train for more epochs (train.epochs)."


def waiting(share: float | None) -> str:
    """Advice where more than WAITING of the training time was spent waiting for images, else ''.

    No part of `advice`: the share is measured, and so differs from run to run.
    """
    if share is None or share <= WAITING:
        return ""
    spent = f"Training waited for images in {formatting.percent(share)} of its time"
    return f"{spent}: smaller source images or more processor cores make it faster."
