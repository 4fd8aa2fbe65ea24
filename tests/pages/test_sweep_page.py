"""The page of a sweep on made-up runs."""

import dataclasses
import json
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from trackbed.experiments import param_values
from trackbed.pages import sweep_figures, sweep_page


def made(grid, folds=3):
    """A sweep of the settings in `grid` (rows of values by key), and its curves."""
    draw, rows, curves = np.random.default_rng(0), [], {}
    for number, setting in enumerate(grid):
        for fold in range(folds):
            score = 0.7 + 0.01 * number + draw.normal(0, 0.02)
            name = f"run-{number}-{fold}"
            scores = {"val_macro_f1": score, "val_accuracy": score, "val_loss": 1 - score}
            scores |= {"seconds": 65.0, "test_macro_f1": 0.5, "test_accuracy": 0.5}
            rows.append({"name": name, "commit": "c", "fold": fold, "seed": 0} | setting | scores)
            line = pd.Series([0.1, 0.2 + fold / 10], index=[1, 2])
            curves[name] = dict.fromkeys(sweep_page.QUANTITIES, line)
    keys = list(grid[0])
    return sweep_page.Sweep("study", "f" * 40, pd.DataFrame(rows), keys), curves


def page(tmp_path, sweep, curves):
    sweep_page.write(tmp_path, sweep, curves)
    return (tmp_path / "index.html").read_text()


def svgs(text):
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]


GRID = [
    {"train.dropout": dropout, "train.batch": batch}
    for dropout in ("0.2", "0.5")
    for batch in ("16", "32")
]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A sweep of four settings with one failed run, and its page."""
    sweep, curves = made(GRID)
    finished = sweep.runs[sweep.runs["name"] != "run-3-2"]
    failed = [("run-3-2", "train: <boom>", "run.log")]
    sweep = sweep_page.Sweep("study", "f" * 40, finished, sweep.keys, failed)
    return sweep, page(tmp_path_factory.mktemp("study"), sweep, curves)


def test_every_parameter_has_its_boxes_and_curves(study):
    labels = [svg.get("aria-label") for svg in svgs(study[1])]
    assert len(labels) == 3 + 2 * 6
    for key in ("train.dropout", "train.batch"):
        for score in ("Macro F1", "Accuracy", "Loss"):
            assert any(f"{score} of validation by {key}; means" in label for label in labels)
    assert study[1].count("<tr>") == 1 + 4 + 2 * 3


def test_lowest_and_highest_run_stand_beside_the_mean(study):
    sweep, text = study
    for key, rows in sweep.runs.groupby(["train.dropout", "train.batch"]):
        if len(rows) < 3:
            continue  # the setting with a failed run
        for end in (rows["val_macro_f1"].min(), rows["val_macro_f1"].max()):
            assert f'<td class="n">{end:.3f}</td>' in text, key
            assert f"{end:.4f}" in sweep_page.text(sweep)


def test_a_failed_fold_leaves_the_setting_without_a_rank(study):
    text = study[1]
    assert text.count("incomplete") == 1
    assert "train: &lt;boom&gt;" in text
    assert "incomplete" in text.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[-1]


def test_every_run_is_a_point_of_its_box():
    sweep, _ = made(GRID)
    svg = ElementTree.fromstring(sweep_figures.boxes(sweep.runs, "train.batch", "val_loss"))
    points = [use for use in svg.iter("use") if "fill: var(--ink)" in use.get("style", "")]
    assert len(points) == 12


def test_many_numbers_are_points_over_an_axis():
    sweep, curves = made([{"train.learning_rate": f"{10**-n:.12g}"} for n in range(1, 11)])
    svg = ElementTree.fromstring(sweep_figures.boxes(sweep.runs, "train.learning_rate", "val_loss"))
    texts = {"".join(text.itertext()).strip() for text in svg.iter("text")}
    assert {"0.0001", "1e-06"} & texts
    # A curve per value would be a tangle.
    assert len(sweep_page._of_parameter(sweep, curves, "train.learning_rate")) == 3


def test_values_are_literal_and_the_page_reproducible(tmp_path):
    evil = ["<script>alert(1)</script>", "$x_1$", "ü日本" * 40]
    grid = [{"train.weights": value} for value in evil]
    text = page(tmp_path / "one", *made(grid))
    assert "<script>" not in text
    assert "$x_1$" in text
    assert page(tmp_path / "two", *made(grid)) == text


def test_one_run_alone_makes_a_page(tmp_path):
    sweep, curves = made([{}], folds=1)
    text = page(tmp_path, sweep, curves)
    assert "Best by validation macro F1: params.yaml, 0.7" in text
    assert "on one fold" in text
    assert len(svgs(text)) == 3
    assert (tmp_path / "best.json").read_text().count("null") == 2  # no interval


def altered(sweep, **columns):
    return dataclasses.replace(sweep, runs=sweep.runs.assign(**columns))


def test_undefined_scores_come_last_and_are_counted(tmp_path):
    sweep, curves = made(GRID)
    scores = sweep.runs["val_macro_f1"].mask(sweep.runs["train.batch"] == "16")
    sweep = altered(sweep, val_macro_f1=scores, val_loss=np.nan, test_macro_f1=np.nan)
    text = page(tmp_path, sweep, curves)
    assert text.count("incomplete") == 2
    assert sweep.table["train.batch"].tolist() == ["32", "32", "16", "16"]
    assert sweep_page.verdict(sweep).endswith(
        "2 settings without a rank: a run failed, or its score is undefined."
    )
    labels = [svg.get("aria-label") for svg in svgs(text)]
    assert not any(label.startswith("Loss of validation by") for label in labels)


def test_without_any_score_nothing_is_called_best(tmp_path):
    sweep, curves = made(GRID)
    sweep = altered(sweep, val_macro_f1=np.nan)
    assert "No setting has a rank" in page(tmp_path, sweep, curves)
    best = json.loads((tmp_path / "best.json").read_text())
    assert best["best_params_"] is best["experiment"] is None


def test_equal_scores_are_placed_by_their_loss(tmp_path):
    sweep, curves = made([{"train.dropout": value} for value in ("0.1", "0.2", "0.3")])
    losses = sweep.runs["train.dropout"].map({"0.1": 0.5, "0.2": 0.3, "0.3": 0.4})
    sweep = altered(sweep, val_macro_f1=0.5, val_loss=losses)
    page(tmp_path, sweep, curves)
    best = json.loads((tmp_path / "best.json").read_text())
    assert best["best_params_"] == {"train.dropout": 0.2}
    table = pd.read_csv(tmp_path / "cv_results.csv")
    assert table["param_train.dropout"].iloc[best["best_index_"]] == 0.2
    assert table["rank_test_score"].tolist() == [1, 1, 1]  # as GridSearchCV
    assert "train.dropout=0.3 with 0.500, placed second by its loss" in sweep_page.verdict(sweep)
    assert "with 0.500, no better or worse" in sweep_page.verdict(altered(sweep, val_loss=0.5))


def test_settings_on_other_folds_are_not_paired():
    sweep, _ = made([{"split.seed": "0"}, {"split.seed": "1"}])
    assert "the two have other folds (split.seed), so they cannot" in sweep_page.verdict(sweep)


def test_lists_are_lists_in_the_best_setting():
    value = param_values.short_text([{"name": "zoom", "factor": ["-0.1", "1e-05"]}, ""])
    best = sweep_page.best(made([{"train.augment": value}])[0])
    wanted = [{"name": "zoom", "factor": [-0.1, 1e-05]}, None]
    assert best["best_params_"] == {"train.augment": wanted}


def test_the_terminal_lists_the_first_of_very_many_settings():
    sweep, _ = made([{"train.units": str(number)} for number in range(1000)], folds=1)
    lines = sweep_page.text(sweep).splitlines()
    assert len(lines) < 60
    assert "and 950 more, in table.csv" in lines
