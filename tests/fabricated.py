"""A fabricated run: every file that the report reads, as small or as large as a test wants it."""

import contextlib
import io
import json
import runpy
from pathlib import Path

import numpy as np
import onnx_model
import pandas as pd
from PIL import Image, ImageDraw
from sklearn import metrics

from trackbed.dataset import recording
from trackbed.evaluation import (
    baselines,
    calibration,
    comparison,
    embedding_map,
    ranking,
    robustness,
    scores,
    selective_prediction,
    slices,
)
from trackbed.evaluation.metrics import BOUNDS, COUNTS, MEASURES, Answers
from trackbed.exporting import parity
from trackbed.inference.temperature import with_temperature
from trackbed.pipeline import index, measurements, tables
from trackbed.pipeline.outputs import write_csv, write_json
from trackbed.records import record_features
from trackbed.reporting import document
from trackbed.reporting.run import Options
from trackbed.reporting.run import read as read_run
from trackbed.reporting.training_log import CURVES

STAGE = Path(__file__).parents[1] / "stages" / "report.py"
ARGUMENTS = ("data", "models", "exported", "metrics", "plots")  # of the report stage
TRACK_BED = ["ASPHALT", "BALLAST", "ERROR", "GRAS", "STONE"]
SIGNS = [f"{number:02d} speed limit or other sign" for number in range(43)]
EVIL = ["<script>alert(1)</script>", "$x_1$ | `a`", "NA", "012", 'NO, "quoted"', "ü日本" * 40]
CORRUPTED = [("none", 0), *[(name, grade) for name in ("noise", "jpeg") for grade in range(1, 6)]]
GROUPS = {"groups_known": 1, "joined_groups": 0, "joined_images": 0, "largest_group": 4}
PARAMS = """\
data:
  source: data/sample
  classes: null
split:
  folds: 5
  test_share: 0.2
train:
  network: small_cnn
  learning_rate: 0.001
  augment:
    - {flip: horizontal}
report:
  title: Track bed under rails
  gallery: 24
"""


def run(
    folder,
    names=TRACK_BED,
    right=0.9,
    per_class=40,
    empty=(),
    epochs=27,
    suffix=".jpg",
    varied=False,
):
    """Write a run into `folder` and return the arguments of the report stage.

    Of every class there are about `per_class` test images and four times as many for training;
    a share `right` of the test images is classified right. Classes in `empty` have no test image.
    """
    draw = np.random.default_rng(7)
    test = draw.integers(per_class // 2, 2 * per_class, len(names))
    test[[names.index(name) for name in empty]] = 0
    table = write_records(folder / "data/records", names, test, suffix, varied)
    write_folds(folder / "data/folds", table)
    write_json(folder / "metrics/split.json", GROUPS | {"groups": table["group"].nunique()})
    write_training(folder / "metrics/train", epochs)
    labels = table["label"][table["part"] == "test"].to_numpy()
    probabilities = answers(draw, labels, len(names), right)
    write_evaluation(folder, table[table["part"] == "test"], names, labels, probabilities)
    picture(0).save(folder / "plots/seen.jpg")
    onnx_model.write(folder / "exported", names)
    (folder / "models").mkdir()
    (folder / "models/model.keras").write_bytes(b"a model")
    (folder / "params.yaml").write_text(PARAMS)
    return [folder / argument for argument in ARGUMENTS]


def write_records(folder, names, test, suffix=".jpg", varied=False):
    """One picture per class, of each encoding in turn, which all records of the class share.

    varied: each test image has a picture of its own.
    """
    folder.mkdir(parents=True)
    rows = []
    with recording.ShardWriter(folder, 2**40) as shards:
        for label, name in enumerate(names):
            encoding = ("jpeg", "png", "raw")[label % 3]
            data = encoded(picture(label), encoding)
            for number in range(5 * test[label] if test[label] else 30):
                part = "test" if number < test[label] else "train"
                row = {"filename": f"{name}/{number:04d}{suffix}", "label": label}
                row |= {"class_name": name, "part": part, "group": f"{name}/{number // 4}"}
                row |= {"height": 48, "width": 64, "encoding": encoding}
                if varied and part == "test":
                    data = encoded(varied_picture(label, number), encoding)
                rows.append(row | shards.add(record_features.of_row(row, data)))
    table = pd.DataFrame(rows).assign(record=range(len(rows)))
    table = table.assign(format="JPEG", sha256="0" * 64, perceptual_hash="0" * 16)
    table["pixel_hash"], table["thumbnail"] = "0" * 32, "A" * 192
    table["brightness"], table["contrast"], table["sharpness"] = 128.0, 40.0, 500.0
    index.INDEX_TABLE.write(folder, table)
    rejects = pd.DataFrame(
        [(f"STONE/cut_{n}.jpg", "truncated", "") for n in range(23)]
        + [("GRAS/<img src=x onerror=alert(2)>.jpg", "not a picture", "")],
        columns=list(index.REJECTS_TABLE.columns),
    )
    index.REJECTS_TABLE.write(folder, rejects)
    index.FINDINGS_TABLE.write(folder, findings_table(table))
    seen = len(table) + len(rejects) + 3
    counts = {"seen": seen, "accepted": len(table), "rejected": len(rejects), "ignored": 3}
    write_json(folder.parents[1] / "metrics/data.json", counts)
    return table


def findings_table(table):
    """Nine near-duplicates in two classes, and one black picture."""
    first, last = table.iloc[0], table.iloc[-9:]
    near = last[["record", "filename", "class_name", "part"]].assign(
        **{"finding": index.NEAR_CONTRADICTION, "detail": "2 of 64 bits differ"},
        **{"other": first.filename, "other_record": first.record},
    )
    black = {"finding": index.BLACK, "detail": "dark", "other": "", "other_record": -1}
    return pd.concat([near, near.head(1).assign(**black)])


def write_folds(folder, table):
    fold = np.where(table["part"] == "test", -1, table["record"] % 5)
    index.FOLDS_TABLE.write(
        folder, table[["record", "filename", "part", "group"]].assign(fold=fold)
    )


def write_training(folder, epochs=27):
    """Curves of the usual shape, in the files that DVCLive writes."""
    epoch = np.arange(1, epochs + 1)
    fall = np.exp(-epoch / 6)
    table = {"loss": (1.6 * fall + 0.05, 1.5 * fall + 0.16 + 0.004 * epoch)}
    table["accuracy"] = (1 - 0.7 * fall, 0.95 - 0.6 * fall)
    table["macro_f1"] = (1 - 0.8 * fall, 0.94 - 0.7 * fall)
    values = {f"train/{name}": pair[0] for name, pair in table.items()}
    values |= {f"val/{name}": pair[1] for name, pair in table.items()}
    values["learning_rate"] = 1e-3 * 0.9**epoch
    for name in CURVES:
        path = folder / "plots" / "metrics" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        curve = pd.DataFrame({"step": epoch, path.stem: values[name]})
        curve.to_csv(path, sep="\t", index=False)
    best = int(np.argmin(values["val/loss"]))
    summary = {"best_epoch": best + 1, "epochs": epochs, "stopped_early": True}
    summary["monitor"] = "val_loss"
    summary["best"] = {f"val_{name}": values[f"val/{name}"][best] for name in table}
    summary |= {"parameters": 123456, "network": "small_cnn"}
    write_json(folder / "metrics.json", summary)


def write_measurements(folder, epochs=27):
    """Clock and machine, as the train stage leaves them in a workspace."""
    row = {"seconds": 4.2, "images_per_second": 512.5, "waiting_share": 0.25, "memory_mb": 900.0}
    with contextlib.chdir(folder):
        for epoch in range(1, epochs + 1):
            measurements.add_epoch(epoch, row)
        measurements.finish_training(Path("metrics/train/metrics.json"))
        measurements.write_seconds("train", 200.0)


def context(folder):
    """What the script file beside the page holds: the page's digest, and parts by name."""
    text = (folder / "plots/report_context.js").read_text()
    return json.loads(text.removeprefix("window.reportContext = ").removesuffix(";\n"))


def answers(draw, labels, classes, right):
    """Probabilities of a classifier that takes a class now and then for its neighbour."""
    predicted = np.where(draw.random(len(labels)) < right, labels, (labels + 1) % classes)
    logits = draw.normal(0, 1, (len(labels), classes))
    logits[np.arange(len(labels)), predicted] += draw.uniform(3.5, 8, len(labels))
    shares = np.exp(logits)
    return shares / shares.sum(axis=1, keepdims=True)


def write_evaluation(folder, table, names, labels, probabilities):
    """Predictions, scores, per-class table and confusion matrix, by scikit-learn."""
    chosen = probabilities.argmax(axis=1)
    columns = {"predicted": [names[label] for label in chosen], "confidence": probabilities.max(1)}
    predicted = table[["record", "filename", "group", "class_name"]].rename(
        columns={"class_name": "true"}
    )
    columns |= {f"p_{name}": probabilities[:, label] for label, name in enumerate(names)}
    tables.PREDICTIONS_TABLE.write(folder / "data/evaluation", predicted.assign(**columns))
    positions = np.random.default_rng(0).random((len(table), 2))
    placed = table[["record"]].assign(x=positions[:, 0], y=positions[:, 1])
    embedding_map.MAP_TABLE.write(folder / "data/evaluation", placed)
    matrix = metrics.confusion_matrix(labels, chosen, labels=range(len(names)))
    write_csv(folder / "plots/confusion_matrix.csv", confusion_table(matrix, names))
    summary = summary_table(matrix, names)
    write_csv(folder / "plots/evaluation_summary.csv", summary)
    groups = table["group"].to_numpy()
    ranked = ranking.table(probabilities, labels, groups, names)
    ranking.RANKING_TABLE.write(folder / "plots", ranked)
    f1, accuracy = summary["f1"].iloc[-2], float(np.mean(chosen == labels))
    sure, right = probabilities.max(axis=1), chosen == labels
    calibrated = with_temperature(probabilities, 1.3)
    values = scores.computed(Answers(probabilities, calibrated, labels, min(3, len(names))))
    values |= {"macro_f1": f1, "temperature": 1.3}
    values |= {"macro_f1_low": f1 - 0.02, "macro_f1_high": min(1, f1 + 0.02)}
    values |= {"accuracy_low": accuracy - 0.02, "accuracy_high": min(1, accuracy + 0.02)}
    values["test_part"] = comparison.fingerprint(table, names)
    values |= selective_prediction.measured(0.9, sure, labels, chosen, groups, 0)
    floor = {"majority": np.zeros_like(labels), "logistic": (labels + labels % 2) % len(names)}
    values |= baselines.baseline_gain(labels, chosen, floor, groups, len(names), 0)
    tables.write_metrics(folder / "metrics/evaluate.json", scores.ordered(values), ["macro_f1"])
    answers = parity.Reference(probabilities, labels, groups, 0.9, None)
    formats = {"onnx": answers.parity(probabilities, 1_234_567, 1_234_567).values()}
    tables.write_metrics(folder / "metrics/export.json", formats)
    write_csv(folder / "plots/coverage.csv", selective_prediction.coverage(sure, right), "%.4f")
    bins = [calibration.reliability(shares, labels) for shares in (probabilities, calibrated)]
    write_csv(folder / "plots/reliability.csv", calibration.beside(*bins), "%.4f")
    sliced = slices.slices(table, labels, chosen, names, seed=0)
    write_csv(folder / "plots/slices.csv", sliced, "%.4f")
    grades = [(name, grade, f1 / (1 + grade), accuracy / (1 + grade)) for name, grade in CORRUPTED]
    corrupted = pd.DataFrame(grades, columns=list(robustness.COLUMNS))
    write_csv(folder / "plots/corruptions.csv", corrupted, "%.4f")


def confusion_table(matrix, names):
    """The diagonal, then all other cells that are not 0."""
    cells = [(true, predicted) for true, _ in enumerate(names) for predicted, _ in enumerate(names)]
    cells.sort(key=lambda cell: cell[0] != cell[1])
    rows = [(names[true], names[guess], matrix[true, guess]) for true, guess in cells]
    return pd.DataFrame(
        [row for row in rows if row[0] == row[1] or row[2]], columns=["true", "predicted", "images"]
    )


def summary_table(matrix, names):
    """The table as the evaluation defines it: undefined cells are empty."""
    true, total = np.diag(matrix).astype(float), matrix.sum()
    support, calls = matrix.sum(axis=1), matrix.sum(axis=0)
    missed, alarms = support - true, calls - true
    rest = total - true - missed - alarms
    with np.errstate(invalid="ignore", divide="ignore"):
        values = [true / calls, true / support, rest / (rest + alarms)]
        values += [np.where(support > 0, 2 * true / (support + calls), np.nan)]
        values += [(true + rest) / total, alarms / (rest + alarms), missed / support]
    table = pd.DataFrame(dict(zip(MEASURES, values, strict=True)), index=names)
    present = table[support > 0]
    weighted = present.mul(support[support > 0], axis=0).sum() / total
    averages = pd.DataFrame([present.mean(), weighted], index=["macro avg", "weighted avg"])
    numbers = pd.DataFrame(
        dict(zip(COUNTS, (support, true, alarms, missed, rest), strict=True)), index=names
    )
    averages = averages.assign(support=total)
    whole = pd.concat([table.join(numbers), averages])
    low, high = whole["f1"] - 0.03, (whole["f1"] + 0.03).clip(upper=1)
    whole = whole.assign(f1_low=low, f1_high=high)[[*MEASURES, *BOUNDS, *COUNTS]]
    return whole.astype(dict.fromkeys(COUNTS, "Int64")).rename_axis("class_name").reset_index()


def picture(label):
    """A picture of 64 x 48 pixels that differs from class to class."""
    colour = tuple(60 + (label * step) % 160 for step in (37, 71, 113))
    image = Image.new("RGB", (64, 48), colour)
    brush = ImageDraw.Draw(image)
    for x in range(-48, 64, 6 + label % 7):
        brush.line((x, 48, x + 20 + label, 0), fill=(230, 230, 220), width=1 + label % 3)
    return image


def varied_picture(label, number):
    """The picture of a class under patches of light of its own."""
    draw = np.random.default_rng([label, number])
    light = Image.fromarray(draw.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    return Image.blend(picture(label), light.resize((64, 48), Image.Resampling.BICUBIC), 0.4)


def encoded(image, encoding):
    """As `image_raw` of a record."""
    if encoding == "raw":
        return image.tobytes()
    stored = io.BytesIO()
    image.save(stored, encoding.upper())
    return stored.getvalue()


def read(folder, gallery=24):
    """The run in `folder` as the report reads it."""
    options = Options("Track bed under rails", gallery)
    with contextlib.chdir(folder):
        return read_run(*[folder / argument for argument in ARGUMENTS], options)


def section(run, anchor):
    """A section of the page, as HTML."""
    found = next(one for one in document.SECTIONS if one.anchor == anchor)
    return str(document.section_html(found, run, {"figures": {}} | found.content(run)))


def report(folder, **options):
    """Run the stage on a fabricated run; the page and the Markdown."""
    paths = run(folder, **options)
    return report_again(folder, paths)


def report_again(folder, paths):
    main = runpy.run_path(str(STAGE))["main"]
    with contextlib.chdir(folder):
        main(*[path.relative_to(folder) for path in paths])
    return (folder / "plots/report.html").read_text(), (folder / "metrics/report.md").read_text()
