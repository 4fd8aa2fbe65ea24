"""`trackbed suspects` in a project that the real dvc cross-validated with made-up models."""

import dataclasses
import hashlib
import html
import shutil

import browser
import fabricated
import pandas as pd
import pytest
import sweeping
from project import Project

from trackbed.experiments import training_runs
from trackbed.integrity import dvc_repo
from trackbed.pipeline.errors import UserError

# A model believes in every label but in one of ten, for which it takes the next class.
STAGE = """\
import csv, json, pathlib, yaml

p = yaml.load(open("params.yaml"), Loader=yaml.BaseLoader)["train"]
rows = list(csv.DictReader(open("data/records/index.csv", newline="")))
folds = list(csv.DictReader(open("data/folds/folds.csv", newline="")))
names = list(dict.fromkeys(row["class_name"] for row in rows))
models = pathlib.Path("models")
models.mkdir(exist_ok=True)
(models / "model.keras").write_text(p["fold"])
with (models / "validation.csv").open("w", newline="") as file:
    table = csv.writer(file)
    head = ["record", "filename", "group", "true", "predicted", "confidence"]
    table.writerow([*head, *(f"p_{name}" for name in names)])
    for row, place in zip(rows, folds):
        if place["fold"] != p["fold"]:
            continue
        record, label = int(row["record"]), int(row["label"])
        predicted = (label + (record % 10 == 3)) % len(names)
        sure = 0.9 - record / 10000 - int(p["seed"]) / 100
        rest = (1 - sure) / (len(names) - 1)
        shares = [sure if other == predicted else rest for other in range(len(names))]
        first = [row["record"], row["filename"], row["group"], row["class_name"]]
        table.writerow([*first, names[predicted], sure, *shares])
score = {"best": {"val_macro_f1": 0.9}}
pathlib.Path("metrics/train").mkdir(parents=True, exist_ok=True)
pathlib.Path("metrics/train/metrics.json").write_text(json.dumps(score))
"""
PIPELINE = """\
stages:
  data:
    cmd: "true"
    outs: [data/records, data/folds]
  train:
    cmd: python stages/train.py
    deps: [data/records, data/folds, stages/train.py]
    params: [train]
    outs: [models]
    metrics:
      - metrics/train/metrics.json: {cache: false}
"""
NAMES = ["BALLAST", "<script>alert(1)</script>", "NA"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Two folds: HEAD was validated on fold 0, an experiment on fold 1."""
    project = sweeping.create(tmp_path_factory.mktemp("suspects"))
    folder = project.folder
    fabricated.write_folds(
        folder / "data/folds", fabricated.write_records(folder / "data/records", NAMES, [12] * 3)
    )
    path = folder / "data/folds/folds.csv"
    folds = pd.read_csv(path, keep_default_na=False)
    folds["fold"] = folds["fold"].where(folds["fold"] < 0, folds["fold"] % 2)
    folds.to_csv(path, index=False)
    (folder / "stages/train.py").write_text(STAGE)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / ".gitignore").write_text("/data/\n/models\n/suspects/\n")
    project.run("dvc", "commit", "-q", "-f", "data")
    project.run("dvc", "repro", "-q", "train")
    project.commit("results")
    return project


@pytest.fixture(scope="module")
def finished(project):
    """The project when its second fold is there."""
    project.run("dvc", "exp", "run", "-q", "--temp", "-n", "second", "-S", "train.fold=1")
    return project


@pytest.fixture(scope="module")
def output(finished):
    done = sweeping.called(finished, "suspects", "--most", 12)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(project, *arguments):
    done = sweeping.called(project, "suspects", *arguments)
    assert done.returncode == 2
    return done.stderr


def copied(project, folder):
    shutil.copytree(project.folder, folder / "project", symlinks=True)
    return Project(folder / "project")


def test_missing_folds_are_listed_and_partial_accepts_them(project):
    """Comes first: `finished` adds the other fold."""
    message = refused(project)
    assert "HEAD: validated on fold 0, missing 1 of 2" in message
    assert "trackbed sweep --folds all" in message
    done = sweeping.called(project, "suspects", "--partial", "--out", "part")
    assert "of 2 folds only 0 were used for validation" in done.stdout
    assert set(pd.read_csv(project.folder / "part/suspects.csv")["fold"]) == {0}


def test_the_list_has_the_least_probable_labels(finished, output):
    table = pd.read_csv(finished.folder / "suspects/suspects.csv", keep_default_na=False)
    index = pd.read_csv(finished.folder / "data/records/index.csv", keep_default_na=False)
    training = index[(index["part"] == "train") & (index["record"] % 10 == 3)]
    # The later the record, the less sure its model: the higher the rest for the given label.
    assert table["record"].tolist() == training["record"].tolist()[:12]
    assert table["rank"].tolist() == list(range(1, 13))
    assert table["fold"].tolist() == (table["record"] % 5 % 2).tolist()
    rows = index.set_index("record").loc[table["record"]]
    assert table["filename"].tolist() == rows["filename"].tolist()
    assert table["group"].tolist() == rows["group"].tolist()
    assert table["given"].tolist() == rows["class_name"].tolist()
    assert table["suggested"].tolist() == [NAMES[(label + 1) % 3] for label in rows["label"]]
    assert table["self_confidence"].tolist() == pytest.approx(
        ((0.1 + table["record"] / 10000) / 2).tolist()
    )


def test_the_output_counts_images_and_models(output):
    assert "144 training images, each scored by a model that was not trained on it" in output
    assert "(2 folds, 2 runs)" in output
    assert "The 12 labels with the lowest probability. For 12 of them another class" in output
    assert "     5  BALLAST -> <script>alert(1)</script>" in output
    assert "Nothing was removed or changed." in output
    assert "suspects/suspects.html" in output


def test_the_page_has_pictures_and_filters_by_class(finished, output, page_at):
    page = (finished.folder / "suspects/suspects.html").read_text("utf-8")
    assert page.count("data:image/jpeg;base64,") == 12
    assert html.escape(NAMES[1]) in page
    assert NAMES[1] not in page
    script = """
    const form = document.querySelector("form.filters");
    form.elements.given.value = "BALLAST";
    form.dispatchEvent(new Event("change"));
    const cards = [...document.querySelectorAll("#gallery > li")];
    const shown = cards.filter((one) => one.checkVisibility());
    return [form.querySelector("[role=status]").textContent,
      shown.map((one) => one.dataset.suggested)];
    """
    opened = page_at(finished.folder / "suspects/suspects.html", 400)
    assert opened.result(script) == ["5 of 12 shown", [NAMES[1]] * 5]
    found = opened.result(browser.WIDTH)
    assert (found["wide"], opened.requests, opened.console) == ([], [], [])
    assert found["page"] <= found["inner"] == 400


def test_a_commit_without_a_training_is_refused(finished):
    assert "--most: must be at least 1, got 0" in refused(finished, "--most", "0")
    assert "No finished training is known" in refused(finished, "--rev", "HEAD~1")


def test_labels_changed_after_training_are_refused(finished, tmp_path):
    project = copied(finished, tmp_path)
    path = project.folder / "data/records/index.csv"
    text = path.read_text("utf-8").replace("BALLAST/0050.jpg,0,BALLAST", "BALLAST/0050.jpg,2,NA")
    path.unlink()  # may be a link into the cache
    path.write_text(text, "utf-8")
    message = refused(project)
    assert "predictions for other images or labels than the" in message
    assert "dvc checkout" in message


def test_trainings_on_other_data_are_left_out(finished, tmp_path):
    project = copied(finished, tmp_path)
    lock = project.folder / "dvc.lock"
    text = lock.read_text()
    md5 = text.split("path: data/records")[1].split("md5: ")[1].split(".dir")[0]
    lock.write_text(text.replace(md5, "0" * 32, 1))  # what the data stage made since
    assert "are of other records or folds than those of the workspace" in refused(project)


def test_a_model_without_predictions_is_an_error(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(copied(finished, tmp_path).folder)
    listing = b'[{"md5": "0", "relpath": "model.keras"}]'
    name = f"{hashlib.md5(listing).hexdigest()}.dir"
    with dvc_repo.repository() as repo:
        place = dvc_repo.object_path(repo, name)
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(listing)
        old = dataclasses.replace(training_runs.finished("HEAD")[0], models=name)
        with pytest.raises(
            UserError, match=r"second:models/.*: the model was trained by code that"
        ):
            training_runs.validation_predictions(repo, old)


def test_damaged_predictions_in_the_cache_are_an_error(finished, tmp_path):
    project = copied(finished, tmp_path)
    for path in (project.folder / ".dvc/cache/files/md5").glob("*/*"):
        if path.read_bytes().startswith(b"record,filename,group,true"):
            path.chmod(0o644)
            path.write_bytes(path.read_bytes().replace(b"0.", b"1.", 1))
    done = sweeping.called(project, "suspects")
    assert done.returncode == 4
    assert "not as DVC wrote it" in done.stderr


def test_predictions_missing_in_the_cache_are_an_error(finished, tmp_path):
    project = copied(finished, tmp_path)
    shutil.rmtree(project.folder / ".dvc/cache")
    message = refused(project)
    assert "HEAD:models/validation.csv: neither DVC's cache nor a remote gave it" in message
    assert "trackbed sweep --folds all --force" in message


def test_trainings_of_an_earlier_commit_count_too(finished, tmp_path):
    project = copied(finished, tmp_path)
    (project.folder / "README.md").write_text("x")
    project.commit()
    done = sweeping.called(project, "suspects")
    assert (done.returncode, done.stderr) == (0, "")
    assert "The trainings of HEAD lack folds. With the same code and data: those of" in done.stdout
    assert "144 training images, each scored by a model" in done.stdout
    assert "HEAD: validated on fold 0, missing 1 of 2" in refused(project, "--rev", "HEAD")
