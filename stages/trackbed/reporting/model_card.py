"""A model card that fills itself from the run.

The headings are those of Mitchell et al. 2019 (Model Cards for Model Reporting, arXiv 1810.03993).
"""

from typing import Any

import pandas as pd

from trackbed.reporting import formatting, verdict
from trackbed.reporting.dataset_summary import Dataset
from trackbed.reporting.evaluation_tables import Evaluation
from trackbed.reporting.run import Run

NAMES = 12  # classes that are listed


def model_card(run: Run) -> list[tuple[str, list[str]]]:
    """Headings with their sentences, as plain text."""
    evaluation, data, params = run.evaluation, run.data, run.params
    return [
        ("Model details", _details(run.training.summary, params)),
        ("Intended use", _use(evaluation)),
        ("Factors", _factors(data, params)),
        ("Metrics", _metrics()),
        ("Evaluation data", _evaluation_data(evaluation, data)),
        ("Training data", _training_data(data, params)),
        ("Quantitative analyses", _analyses(evaluation)),
        ("Ethical considerations", _ethics()),
        ("Caveats and recommendations", _caveats(evaluation)),
    ]


def _details(training: dict[str, Any], params: dict[str, Any]) -> list[str]:
    train = params.get("train", {})
    size = training.get("parameters")
    weights = train.get("weights", "none")
    start = "" if weights == "none" else f", starting from the weights {formatting.name(weights)}"
    side = train.get("image_side")
    shape = f" of {side} by {side} pixels" if side else ""
    return [
        f"An image classifier, {formatting.name(str(training.get('network', 'a Keras model')))}"
        + (f" with {formatting.plural(size, 'parameter')}" if size else "")
        + f"{start}; trained for {formatting.plural(training.get('epochs') or 0, 'epoch')}, of "
        f"which the weights of epoch {formatting.count(training.get('best_epoch'))} are kept.",
        f"Input: colour images{shape}, pixels 0 to 255. Output: one probability per class.",
        "Code, parameters and data: those of the commit whose dvc.lock lists this model.",
    ]


def _use(evaluation: Evaluation) -> list[str]:
    names = [formatting.quoted(name, 40) for name in evaluation.classes.index]
    listed = formatting.listed(names, NAMES)
    return [
        f"To classify images like those it was trained on into {len(names)} classes: {listed}.",
        "Not for images of anything else: it predicts one of these classes for every image and "
        "has no class “none of them”.",
    ]


def _factors(data: Dataset, params: dict[str, Any]) -> list[str]:
    text = "Scores are per class; camera, place, weather and light are not recorded."
    warning = verdict.group_warning(data)
    return [text, *verdict.group_sentences(data, params), *([warning] if warning else [])]


def _metrics() -> list[str]:
    return [
        "The main metric is macro F1, the mean of the class F1s, so that every class counts the "
        "same. The 95 % intervals come from a bootstrap over groups."
    ]


def _evaluation_data(evaluation: Evaluation, data: Dataset) -> list[str]:
    support = evaluation.classes["support"]
    return [
        f"{formatting.plural(support.sum(), 'test image')}, {_between(support)} per class. "
        "If the pipeline chose them, none of their groups is in the training part."
    ]


def _training_data(data: Dataset, params: dict[str, Any]) -> list[str]:
    train = data.counts["train"]
    source = formatting.name(str(params.get("data", {}).get("source", "unknown")))
    return [
        f"{formatting.plural(train.sum(), 'image')} from {source}, {_between(train)} per class, "
        f"the validation fold included; "
        f"{formatting.plural(data.files.get('rejected') or 0, 'file')} rejected."
    ]


def _between(images: pd.Series) -> str:
    least, most = formatting.count(images.min()), formatting.count(images.max())
    return least if least == most else f"{least} to {most}"


def _analyses(evaluation: Evaluation) -> list[str]:
    scores = evaluation.scores
    parts = []
    for label, name in (("Macro F1", "macro_f1"), ("accuracy", "accuracy")):
        between = formatting.interval(scores, name)
        between = f" (95 % interval {between})" if between else ""
        parts.append(f"{label} {formatting.share(scores.get(name))}{between}")
    return [f"{', '.join(parts)}. Scores per class are in the table above."]


def _ethics() -> list[str]:
    return [
        "The data do not record whether images show people or places that need protection. Check "
        "this before you use data for another purpose than they were collected for."
    ]


def _caveats(evaluation: Evaluation) -> list[str]:
    sentences = [
        "The scores apply to images like those of the test part; another camera, place or season "
        "needs its own test."
    ]
    recall = evaluation.classes["recall"].dropna()
    if len(recall) and recall.min() == 1:
        sentences.append("No test image is missed, which does not show how many others would be.")
    elif len(recall):
        sentences.append(
            f"The class with the lowest recall is {formatting.quoted(recall.idxmin(), 40)}: "
            f"{formatting.percent(recall.min())} of its images are recognised."
        )
    over = evaluation.scores.get("overconfidence")
    if over is not None and abs(over) >= 0.0005:
        side = "above" if over > 0 else "below"
        sentences.append(
            f"The mean confidence is {formatting.percent(abs(over))} {side} the accuracy: use "
            "probabilities only as a ranking unless the reliability diagram shows good calibration."
        )
    return sentences
