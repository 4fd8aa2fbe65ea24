"""The whole pipeline, driven by the real dvc in a temporary repository."""

import csv
import io
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from dvc.repo import Repo
from PIL import Image
from PIL.Image import Resampling

from trackbed.evaluation import scores
from trackbed.pipeline import tables

# What each section of params.yaml feeds; the report shows them all.
READERS = {
    "data": {"build_tfrecord", "report"},
    "split": {"split", "report"},
    "embed": {"embed", "report"},
    "train": {"train", "report"},
    "export": {"export", "report"},
    "evaluate": {"evaluate", "report"},
    "report": {"report"},
    "runtime": set(),
    "gate": set(),
}

# The keys of section train that say what a frozen backbone makes of an image.
ALL = {"build_tfrecord", "split", "embed", "train", "export", "evaluate", "report"}
EXPORTED = {"boxes", "crop_margin", "group", "group_per_class", "max_aspect", "max_pixels"}
EXPORTED |= {"min_side", "white_level", "calibrated", "wanted_precision"}
BACKBONE = {"network", "weights", "scaling", "unfreeze", "head_epochs", "image_side", "augment"}


def lock(project):
    return yaml.safe_load((project.folder / "dvc.lock").read_text())["stages"]


def digest(project, stage, path):
    return next(out["md5"] for out in lock(project)[stage]["outs"] if out["path"] == path)


def changed_stages(project):
    """The stages whose own dependencies or parameters changed, as `dvc status` sees them."""
    with Repo(project.folder) as repo:
        changed = {
            address.rpartition(":")[2]
            for address, reasons in repo.status().items()
            if any("changed deps" in reason for reason in reasons if isinstance(reason, dict))
        }
    return changed - {"sample"}  # not upstream of this project's own pictures


def leaves(values):
    return [(section, key) for section, inner in values.items() for key in inner]


def another(value):
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case list():
            return [*value, "more"]
        case _:
            return f"{value}x"


def test_every_file_is_accounted_for(finished):
    counts = tables.metrics(finished.folder / "metrics/data.json", "")
    assert (
        counts.items()
        >= {
            **{"seen": 37, "accepted": 36, "rejected": 1, "ignored": 0, "classes": 3},
            **{"duplicates": 0, "in_two_classes": 0, "in_train_and_test": 0, "near_duplicates": 0},
        }.items()
    )
    rejects = pd.read_csv(finished.folder / "data/records/rejects.csv")
    assert rejects[["filename", "reason"]].values.tolist() == [["GRAS/009_9.jpg", "empty"]]


def test_no_group_stands_on_both_sides_of_a_split(finished):
    index = pd.read_csv(finished.folder / "data/records/index.csv")
    folds = pd.read_csv(finished.folder / "data/folds/folds.csv")
    together = index.assign(fold=folds["fold"])
    assert together.groupby(["class_name", "group"])["fold"].nunique().max() == 1
    assert set(together["fold"]) == {-1, 0, 1}


def test_every_score_of_a_run_is_defined_and_in_order(finished):
    values = tables.metrics(finished.folder / "metrics/evaluate.json", "")
    assert not [key for key in values if scores.find(key) is None]
    assert list(scores.ordered(values)) == list(values)
    page = (finished.folder / "plots/report.html").read_text()
    markdown = (finished.folder / "metrics/report.md").read_text()
    listed = [scores.find(key) for key in values if not scores.is_bound(key)]
    # scikit-learn's macro F1 is listed where a class has no test images, which is not so here.
    labels = [score.label for score in listed if score.label and "scikit" not in score.label]
    for text in (page, markdown):
        assert all(label in text for label in labels)


def test_scores_agree_with_the_predictions(finished):
    from sklearn.metrics import accuracy_score, f1_score

    predictions = pd.read_csv(finished.folder / "data/evaluation/predictions.csv")
    scores = tables.metrics(finished.folder / "metrics/evaluate.json", "")
    answers = predictions["true"], predictions["predicted"]
    assert scores["accuracy"] == pytest.approx(accuracy_score(*answers))
    assert scores["macro_f1"] == pytest.approx(f1_score(*answers, average="macro"))
    assert scores["macro_f1_low"] <= scores["macro_f1"] <= scores["macro_f1_high"]
    assert scores["images"] == len(predictions)


def test_validation_predictions_lie_beside_the_model(finished):
    answers = pd.read_csv(finished.folder / "models/validation.csv")
    folds = pd.read_csv(finished.folder / "data/folds/folds.csv")
    assert answers["record"].tolist() == folds["record"][folds["fold"] == 0].tolist()
    expected = keras_probabilities(finished, answers["record"])
    np.testing.assert_allclose(answers.filter(regex="^p_"), expected, atol=1e-6)
    best = tables.metrics(finished.folder / "metrics/train/metrics.json", "")["best"]
    assert (answers["true"] == answers["predicted"]).mean() == pytest.approx(best["val_accuracy"])


def keras_probabilities(project, rows):
    """What the saved model makes of the source's pictures, decoded and stretched by Pillow."""
    import keras

    names = pd.read_csv(project.folder / "data/records/index.csv")["filename"][rows]
    model = keras.models.load_model(project.folder / "models/model.keras", safe_mode=True)
    pictures = []
    for name in names:
        with Image.open(project.folder / "data/raw" / name) as picture:
            pictures.append(picture.convert("RGB").resize((16, 16), Resampling.BILINEAR))
    return model.predict(np.stack(pictures).astype(np.float32), verbose=0)


def test_the_bins_of_confidence_hold_every_prediction(finished):
    predictions = pd.read_csv(finished.folder / "data/evaluation/predictions.csv")
    bins = pd.read_csv(finished.folder / "plots/reliability.csv")
    scores = tables.metrics(finished.folder / "metrics/evaluate.json", "")
    assert bins["images"].sum() == len(predictions)
    assert bins["right"].sum() == (predictions["true"] == predictions["predicted"]).sum()
    gap = predictions["confidence"].mean() - scores["accuracy"]
    assert scores["overconfidence"] == pytest.approx(gap, abs=1e-6)


def test_scores_include_baselines_and_temperature(finished):
    scores = tables.metrics(finished.folder / "metrics/evaluate.json", "")
    floor = max(scores["baseline_majority_macro_f1"], scores["baseline_logistic_macro_f1"])
    assert scores["above_baseline"] == pytest.approx(scores["macro_f1"] - floor)
    alarmed = "this model is NOT SHOWN to be better" in finished.output
    assert alarmed == bool(scores["not_above_baseline"]) == (scores["above_baseline_low"] <= 0)
    answers = pd.read_csv(finished.folder / "data/evaluation/predictions.csv")
    shares = answers.filter(regex="^p_").to_numpy() ** (1 / scores["temperature"])
    shares /= shares.sum(axis=1, keepdims=True)
    labels = [list(answers)[6:].index(f"p_{name}") for name in answers["true"]]
    own = shares[np.arange(len(answers)), labels]
    assert scores["calibrated_loss"] == pytest.approx(-np.log(own).mean(), abs=1e-5)
    whole = pd.read_csv(finished.folder / "plots/coverage.csv").iloc[0]
    assert (whole["coverage"], whole["accuracy"]) == pytest.approx(
        (1, scores["accuracy"]), abs=1e-4
    )


def test_slices_and_corrupted_images_are_scored(finished):
    scores = tables.metrics(finished.folder / "metrics/evaluate.json", "")
    spoiled = pd.read_csv(finished.folder / "plots/corruptions.csv", keep_default_na=False)
    assert spoiled["corruption"].tolist() == ["none"] + 5 * ["jpeg"]
    assert spoiled["grade"].tolist() == [0, 1, 2, 3, 4, 5]
    assert spoiled["accuracy"][0] == pytest.approx(scores["accuracy"], abs=1e-4)
    assert spoiled["accuracy"][1:].mean() == pytest.approx(scores["corrupted_accuracy"], abs=1e-4)
    sliced = pd.read_csv(finished.folder / "plots/slices.csv")
    for kind, images in sliced.groupby("kind")["images"].sum().items():
        assert kind == "group" or images == scores["images"]


def test_the_report_is_there(finished):
    page = (finished.folder / "plots/report.html").read_text()
    assert "BALLAST" in page
    context = (finished.folder / "plots/report_context.js").read_text()
    assert "train" in context.partition("Time per stage")[2].partition("</table>")[0]
    assert (finished.folder / "plots/figures/confusion.svg").stat().st_size > 1000
    assert "macro F1" in (finished.folder / "metrics/report.md").read_text()


def test_repro_ends_with_verdict_next_step_and_report(finished):
    _, _, after = finished.output.partition("python stages/report.py")
    score, step, page = after.splitlines()[1:4]
    assert score.startswith("The macro F1 is ")
    assert step.startswith("next: ")
    assert page.startswith("report: /")
    assert page.endswith("/finished/plots/report.html")


def test_a_second_repro_has_nothing_to_do(finished):
    assert "Data and pipelines are up to date." in finished.run("dvc", "repro")
    assert finished.run("git", "status", "--porcelain") == ""


def test_large_outputs_are_in_dvc_and_small_text_is_in_git(finished):
    tracked = finished.run("git", "ls-files").splitlines()
    for path in ("dvc.lock", "metrics/evaluate.json", "metrics/report.md"):
        assert path in tracked
    assert not [path for path in tracked if path.startswith(("models/", "data/records/"))]


def test_every_parameter_makes_the_stages_react_that_read_it(finished):
    path = finished.folder / "params.yaml"
    text = path.read_text()
    try:
        for section, key in leaves(yaml.safe_load(text)):
            values = yaml.safe_load(text)
            values[section][key] = another(values[section][key])
            path.write_text(yaml.safe_dump(values))
            if key == "source":  # there the folder itself is the dependency
                shutil.copytree(finished.folder / "data/raw", finished.folder / "data/rawx")
            expected = READERS[section] | ({"embed"} if key in BACKBONE else set())
            expected |= {"export"} if key in EXPORTED else set()
            assert changed_stages(finished) == expected, f"{section}.{key}"
    finally:
        path.write_text(text)
        shutil.rmtree(finished.folder / "data/rawx", ignore_errors=True)


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("pipeline/runner.py", ALL),
        ("records/reader.py", ALL - {"split"}),
        ("dataset/images.py", {"build_tfrecord", "split"}),
        ("splitting/folds.py", {"split"}),
        ("networks/registry.py", {"embed", "train", "export"}),
        ("embedding/engines.py", {"embed"}),
        ("training/loop.py", {"train", "export"}),
        ("evaluation/baselines.py", {"export", "evaluate", "report"}),
        ("inference/temperature.py", {"export", "evaluate", "report"}),
        ("exporting/onnx_export.py", {"embed", "export"}),
        ("exporting/format_check.py", {"export"}),
        ("curves/fit.py", {"report"}),
        ("integrity/git.py", {"export", "evaluate", "report"}),
        ("experiments/sweeper.py", {"report"}),
        ("reporting/document.py", {"report"}),
        ("reporting/templates/report.html.j2", {"report"}),
        ("pages/sweep_page.py", set()),
        ("commands/sweep.py", set()),
    ],
)
def test_an_edited_file_reruns_exactly_what_tracks_its_folder(finished, file, stages):
    path = finished.folder / "stages/trackbed" / file
    text = path.read_text()
    try:
        path.write_text(text + "\n")
        assert changed_stages(finished) == stages
    finally:
        path.write_text(text)


@pytest.mark.slow
def test_training_again_gives_the_same_model_and_predictions(finished):
    outputs = [("train", "models"), ("evaluate", "data/evaluation")]
    before = [digest(finished, *output) for output in outputs]
    finished.run("dvc", "repro", "-f", "-s", "train", "evaluate")
    assert [digest(finished, *output) for output in outputs] == before
    finished.run("git", "checkout", "-q", ".")


@pytest.mark.slow
def test_an_experiment_shows_its_parameters_and_scores(finished):
    finished.run(
        "dvc", "exp", "run", "-n", "slow", "-S", "train.learning_rate=1e-05", "-S", "train.epochs=1"
    )
    table = csv.DictReader(io.StringIO(finished.run("dvc", "exp", "show", "--csv")))
    rows = {row["Experiment"]: row for row in table}
    assert float(rows["slow"]["train.learning_rate"]) == 1e-5
    assert 0 <= float(rows["slow"]["macro_f1"]) <= 1
    assert "train.learning_rate" in finished.run("dvc", "params", "diff")
    assert "macro_f1" in finished.run("dvc", "metrics", "diff", "--all")
    page = finished.run("dvc", "plots", "diff", "HEAD", "slow", "-o", "shown")
    assert "index.html" in page
    finished.run("git", "checkout", "-q", ".")
    finished.run("dvc", "checkout", "-q", "--force")
    shutil.rmtree(finished.folder / "shown")


@pytest.mark.slow
def test_a_queued_grid_runs_and_leaves_the_workspace_alone(finished):
    finished.run("dvc", "exp", "run", "--queue", "-S", "evaluate.top_k=1,3")
    finished.run("dvc", "exp", "run", "--run-all")
    table = csv.DictReader(io.StringIO(finished.run("dvc", "exp", "show", "--csv")))
    revisions = {row["evaluate.top_k"]: row["rev"] for row in table if row["Experiment"]}

    def written(top_k):
        file = f"{revisions[top_k]}:metrics/evaluate.json"
        return tables.parsed_metrics(finished.run("git", "show", file).encode())

    assert written("1")["top_1"] == written("1")["accuracy"]
    assert written("3")["top_3"] == 1  # of three classes
    assert finished.run("git", "status", "--porcelain") == ""


def test_another_fold_trains_again_and_splits_never(finished):
    finished.change(train={"fold": 1})
    plan = finished.run("dvc", "repro", "--dry")
    assert "Running stage 'train'" in plan
    assert "Running stage 'split'" not in plan
    finished.run("git", "checkout", "-q", ".")


def test_a_clone_pulls_everything_and_has_nothing_to_do(finished, tmp_path):
    finished.run("dvc", "remote", "add", "-f", "-d", "store", tmp_path / "store")
    finished.commit("a remote")
    finished.run("dvc", "push", "-q")
    finished.run("git", "clone", "-q", finished.folder, tmp_path / "clone")
    clone = type(finished)(tmp_path / "clone")
    clone.run("dvc", "pull", "-q")
    assert "Data and pipelines are up to date." in clone.run("dvc", "repro")


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("data", "source", "data/nowhere", "data/nowhere"),
        ("data", "group", "^(x", "data.group"),
        ("split", "folds", 30, "fewer groups than folds"),
        ("train", "fold", 7, "train.fold: must be below split.folds (2), got 7"),
        ("train", "learning_rate", -1, "train.learning_rate: must be above 0, got -1."),
        ("train", "network", "vgg", "must be one of small_cnn, scenes"),
        ("evaluate", "corruptions", ["nois"], "evaluate.corruptions.0: must be one of 'noise', 'b"),
        ("evaluate", "tops", 1, "unknown key 'tops'. Did you mean 'top_k'?"),
    ],
)
def test_a_wrong_parameter_gets_one_clear_line(finished, section, key, value, message):
    try:
        finished.change(**{section: {key: value}})
        output = finished.run("dvc", "repro", succeeds=False)
        assert message in output
        assert "Traceback" not in output
    finally:
        finished.run("git", "checkout", "-q", ".")
        finished.run("dvc", "checkout", "-q", "--force")
