"""A model card that fills itself from the run.

The headings are those of Mitchell et al. 2019 (Model Cards for Model Reporting, arXiv 1810.03993).
"""

from typing import Any

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
        f"It takes colour pictures{shape}, pixels 0 to 255, and gives one probability per class.",
        "Code, parameters and data: those of the commit whose dvc.lock lists this model.",
    ]


def _use(evaluation: Evaluation) -> list[str]:
    names = [f"“{formatting.name(name, 40)}”" for name in evaluation.classes.index]
    listed = ", ".join(names[:NAMES])
    rest = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return [
        f"To sort pictures like those it was trained on into {len(names)} classes: {listed}{rest}.",
        "Not for pictures of anything else: it names one of these classes whatever it is shown, "
        "and has no answer for “none of them”.",
    ]


def _factors(data: Dataset, params: dict[str, Any]) -> list[str]:
    said = "Scores are given per class; camera, place, weather and light are not recorded."
    unknown = verdict.leak_warning(data)
    return [said, *verdict.group_sentences(data, params), *([unknown] if unknown else [])]


def _metrics() -> list[str]:
    return [
        "Macro F1 first: the mean of the class F1s, so that every class counts the same. "
        "Intervals are of 95 % and come from a bootstrap that draws whole groups."
    ]


def _evaluation_data(evaluation: Evaluation, data: Dataset) -> list[str]:
    support = evaluation.classes["support"]
    return [
        f"{formatting.plural(support.sum(), 'test image')}, {formatting.count(support.min())} to "
        f"{formatting.count(support.max())} per class. "
        "Where the pipeline drew them, no group of theirs is trained on."
    ]


def _training_data(data: Dataset, params: dict[str, Any]) -> list[str]:
    train = data.counts["train"]
    source = formatting.name(str(params.get("data", {}).get("source", "unknown")))
    return [
        f"{formatting.plural(train.sum(), 'image')} from {source}, {formatting.count(train.min())} "
        f"to {formatting.count(train.max())} per class, the validation fold included; "
        f"{formatting.plural(data.files.get('rejected') or 0, 'file')} rejected."
    ]


def _analyses(evaluation: Evaluation) -> list[str]:
    scores = evaluation.scores
    parts = []
    for label, name in (("Macro F1", "macro_f1"), ("accuracy", "accuracy")):
        between = formatting.interval(scores, name)
        between = f" (95 % interval {between})" if between else ""
        parts.append(f"{label} {formatting.share(scores.get(name))}{between}")
    return [f"{', '.join(parts)}. Per class: in the table above."]


def _ethics() -> list[str]:
    return [
        "Nothing in the data says whether pictures show people or places that need protection; "
        "who uses other data than they were collected for must settle that first."
    ]


def _caveats(evaluation: Evaluation) -> list[str]:
    said = [
        "The scores hold for pictures like those of the test part; another camera, place or season "
        "needs a test of its own."
    ]
    recall = evaluation.classes["recall"].dropna()
    if len(recall):
        said.append(
            f"The least found class is “{formatting.name(recall.idxmin(), 40)}”: "
            f"{formatting.percent(recall.min())} of its images are recognised."
        )
    over = evaluation.scores.get("overconfidence")
    if over is not None:
        word = "above" if over > 0 else "below"
        said.append(
            f"The mean confidence is {formatting.percent(abs(over))} {word} the accuracy: take "
            "probabilities for an order, not for odds, unless the reliability diagram allows more."
        )
    return said
