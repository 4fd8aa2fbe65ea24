"""What `dvc exp show`, `dvc metrics diff` and `dvc plots` show of two runs."""

import json

import pytest
from project import copied

from trackbed.pipeline import tables

WIDTH = 100  # characters of a terminal
CURVES = "metrics/train/plots/metrics"


@pytest.fixture(scope="module")
def compared(finished, tmp_path_factory):
    """The finished project and an experiment `bold-rook` with other parameters and scores."""
    project = copied(finished, tmp_path_factory.mktemp("views") / "project")
    base = project.run("git", "rev-parse", "HEAD").strip()
    project.change(train={"learning_rate": 0.0003, "dropout": 0.5})
    for name, column, score in (("evaluate", "macro_f1", 0.25), ("train/metrics", "val_f1", 0.5)):
        path = project.folder / f"metrics/{name}.json"
        tables.write_metrics(path, tables.metrics(path, "") | {column: score}, [column])
    project.commit("experiment")
    project.run("git", "update-ref", f"refs/exps/{base[:2]}/{base[2:]}/bold-rook", "HEAD")
    project.run("git", "reset", "-q", "--hard", base)
    return project


def test_exp_show_fits_scores_and_parameters_into_100_characters(compared):
    lines = compared.run("dvc", "exp", "show", "--only-changed").splitlines()
    (header,) = [line[:WIDTH].split() for line in lines if "Experiment" in line]
    scores, parameters = ["val_f1", "macro_f1"], ["train.dropout", "train.learning_rate"]
    assert header[:6] == ["Experiment", "Created", *scores, *parameters]
    (row,) = [line[:WIDTH].split() for line in lines if "[bold-rook]" in line]
    assert row[-4:] == ["0.5", "0.25", "0.5", "0.0003"]


def test_metrics_diff_compares_the_two_macro_f1s(compared):
    change = json.loads(compared.run("dvc", "metrics", "diff", "HEAD", "bold-rook", "--json"))
    assert {path: list(scores) for path, scores in change.items()} == {
        "metrics/evaluate.json": ["macro_f1"],
        "metrics/train/metrics.json": ["val_f1"],
    }


def test_metrics_show_also_counts_the_pictures(compared):
    shown = json.loads(compared.run("dvc", "metrics", "show", "--json"))
    values = {path: list(one["data"]) for path, one in shown[""]["data"].items()}
    assert values == {
        "metrics/data.json": ["accepted", "rejected"],
        "metrics/evaluate.json": ["macro_f1"],
        "metrics/export.json": [],
        "metrics/split.json": [],
        "metrics/train/metrics.json": ["val_f1"],
    }


@pytest.fixture(scope="module")
def plots(compared):
    """The Vega-Lite charts of both runs, as DVC's page and editors get them, by their names."""
    found = json.loads(compared.run("dvc", "plots", "diff", "HEAD", "bold-rook", "--json"))
    assert "errors" not in found
    charts = {name: each[0] for name, each in found["data"].items() if each[0]["type"] == "vega"}
    assert all(chart["revisions"] == ["HEAD", "bold-rook"] for chart in charts.values())
    return {name: chart["content"] for name, chart in charts.items()}


def test_every_plot_has_a_title_and_no_open_anchor(plots):
    assert "<DVC_METRIC" not in json.dumps(plots)
    own = {name: chart["title"]["text"] for name, chart in plots.items() if CURVES not in name}
    assert {name: own[name] for name in ("loss", "accuracy", "macro_f1")} == {
        "loss": "Loss",
        "accuracy": "Accuracy",
        "macro_f1": "Macro F1",
    }
    assert not [name for name, title in own.items() if title == name]


@pytest.mark.parametrize("quantity", ["loss", "accuracy", "macro_f1"])
def test_training_and_validation_curves_are_one_plot(plots, quantity):
    rows = plots[quantity]["data"]["values"]
    curves = {(row["rev"], row["filename"]) for row in rows}
    files = [f"{part}/{quantity}.tsv" for part in ("train", "val")]
    assert curves == {(run, file) for run in ("HEAD", "bold-rook") for file in files}
    assert {row["step"] for row in rows} == {"1", "2"}


def test_the_confusion_matrix_has_true_classes_as_rows(plots, compared):
    chart = plots["plots/confusion_matrix.csv"]
    axes = {name: chart["spec"]["encoding"][name] for name in ("x", "y")}
    assert (axes["x"]["field"], axes["x"]["title"]) == ("predicted", "predicted class")
    assert (axes["y"]["field"], axes["y"]["title"]) == ("true", "true class")
    rows = [row for row in chart["data"]["values"] if row["rev"] == "HEAD"]
    answers = tables.PREDICTIONS_TABLE.read(compared.folder / "data/evaluation")
    counts = answers.groupby(["true", "predicted"]).size()
    found = {(row["true"], row["predicted"]): int(row["images"]) for row in rows}
    assert {pair: images for pair, images in found.items() if images} == counts.to_dict()
    assert [row["true"] for row in rows][:3] == ["BALLAST", "GRAS", "STONE"]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("plots/evaluation_summary.csv", {"class_name", "f1", "f1_low", "f1_high"}),
        (
            "plots/ranking.csv",
            {"class_name", "average_precision", "average_precision_low", "average_precision_high"},
        ),
        ("plots/slices.csv", {"kind", "slice", "accuracy", "accuracy_low", "accuracy_high"}),
        ("plots/reliability.csv", {"confidence", "accuracy", "images"}),
        ("plots/coverage.csv", {"coverage", "accuracy"}),
        ("plots/corruptions.csv", {"corruption", "grade", "accuracy"}),
        ("plots/class_balance.csv", {"train", "f1"}),
    ],
)
def test_plots_have_the_fields_that_they_draw(plots, name, fields):
    chart = plots[name]
    assert fields <= set(chart["data"]["values"][0])
    text = json.dumps({key: value for key, value in chart.items() if key != "data"})
    assert all(field in text for field in fields)
    for row in chart["data"]["values"]:
        for field in fields - {"class_name", "kind", "slice", "corruption"}:
            assert row[field] == "" or float(row[field]) >= 0
