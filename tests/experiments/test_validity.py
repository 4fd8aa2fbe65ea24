"""Checks before a sweep; those of settings are in test_sweep and test_docs too."""

import pytest
import sweeping
from project import ROOT

from trackbed.experiments import validity
from trackbed.pipeline import params
from trackbed.pipeline.errors import UserError


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return sweeping.create(tmp_path_factory.mktemp("validity"))


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("stages/new.py", "x", "would miss what is not tracked by git: stages/new.py"),
        ("recipes/mine.yaml", "x", "not tracked by git: recipes/mine.yaml"),
        ("data/extra.dvc", "x", "not tracked by git: data/extra.dvc"),
        ("stages/train.py", "x", "what is different from HEAD: stages/train.py"),
        ("params.yaml", "train: {}", "params.yaml: differs from HEAD (an interrupted"),
        ("data/sample/A/1.png", "x", "(`dvc add data/sample`)"),
    ],
)
def test_a_source_that_runs_would_miss_is_refused(project, monkeypatch, path, text, message):
    monkeypatch.chdir(project.folder)
    file = project.folder / path
    before = file.read_text() if file.exists() else None
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        file.write_text(text)
        with pytest.raises(UserError) as error:
            validity.check_workspace("data/sample")
    finally:
        file.unlink() if before is None else file.write_text(before)
    assert message in str(error.value)


def test_parameters_that_are_only_written_otherwise_are_allowed(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    path = project.folder / "params.yaml"
    before = path.read_bytes()
    changed = before.replace(b"dropout: 0.0", b"dropout: 0").replace(b"\n", b"\r\n")
    assert changed.count(b"dropout: 0\r\n") == 1
    try:
        path.write_bytes(b"# a remark\r\n" + changed)
        validity.check_workspace("data/sample")
    finally:
        path.write_bytes(before)


def test_other_untracked_files_are_allowed(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    for name in ("notes.txt", "tests/test_x.py", "metrics/new.yaml"):
        (project.folder / name).parent.mkdir(exist_ok=True)
        (project.folder / name).write_text("x")
    try:
        validity.check_workspace("data/sample")
    finally:
        project.run("git", "clean", "-fdq")


@pytest.mark.parametrize("source", ["../pictures", "data/../../pictures", "~/pictures"])
def test_a_source_that_copies_would_not_find_is_refused(project, monkeypatch, source):
    monkeypatch.chdir(project.folder)
    with pytest.raises(UserError, match=rf"where {source} leads elsewhere. Write /.*/pictures"):
        validity.check_source(source)


@pytest.mark.parametrize("source", ["data/raw", "/somewhere/pictures", "data/../other", "~x"])
def test_a_source_inside_or_with_its_whole_path_is_found(project, monkeypatch, source):
    monkeypatch.chdir(project.folder)
    validity.check_source(source)


def test_a_fold_has_to_be_one_of_the_split():
    validity.check_fold(4, {"folds": "5"})
    with pytest.raises(UserError, match=r"train\.fold: must be below split\.folds \(5\), got 5"):
        validity.check_fold(5, {"folds": "5"})


@pytest.mark.parametrize("split", [{}, {"folds": "many"}, {"folds": "-1"}])
def test_the_number_of_folds_is_a_whole_number(split):
    with pytest.raises(UserError, match=r"split\.folds: must be a whole number"):
        validity.fold_count({"split": split})


def test_each_setting_is_checked_with_its_own_split():
    sections = {"split": {"folds": "2"}, "train": {}}
    with pytest.raises(UserError, match=r"train\.fold: unknown key"):
        validity.check_settings([{"train.fold": "3"}], sections)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"evaluate.corruptions": "noise"}, "evaluate.corruptions: must be a list, got noise"),
        ({"evaluate.corruptions": "[noise,fog]"}, "evaluate.corruptions.1: must be one of"),
        ({"export.formats": "[tflite]"}, "export.formats.0: must be one of 'onnx',"),
        ({"data.max_rejects": "2"}, "data.max_rejects: must be at most 1, got 2"),
        ({"split.folds": "1"}, "split.folds: must be at least 2, got 1"),
        ({"split.folds": "3", "train.fold": "4"}, "must be below split.folds (3), got 4"),
        ({"embed.views": "-1"}, "embed.views: must be at least 0"),
        ({"report.gallery": "many"}, "report.gallery: must be a whole number, got many"),
        ({"runtime.workers": "-1"}, "runtime.workers: must be at least 0"),
        ({"gate.allowed_drop": "2"}, "gate.allowed_drop: must be at most 1"),
        ({"train.augment": "[{name: flap}]"}, "'name' must be one of"),
        ({"train.augment.0.name": "flap"}, "'name' must be one of"),
        ({"+train.drop": "1"}, "train: unknown key 'drop'"),
        ({"+evaluate.drop": "1"}, "evaluate: unknown key 'drop'"),
        ({"~train.dropout": "null"}, "train: key 'dropout' is missing"),
        ({"train": "1"}, "-S train: must be a section of keys, got 1"),
        ({"dropout": "1"}, "unknown section 'dropout'. Did you mean 'train.dropout'?"),
        ({"train/dropout": "1"}, "unknown section 'train/dropout'"),
    ],
)
def test_values_that_a_stage_would_refuse_are_refused_first(monkeypatch, setting, message):
    monkeypatch.chdir(ROOT)
    with pytest.raises(UserError) as error:
        validity.check_settings([setting], params.sections())
    assert message in str(error.value)


def test_every_section_of_the_parameters_is_checked(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = {section: validity.section_model(section) for section in params.sections()}
    assert [section for section, model in found.items() if model is None] == []


@pytest.mark.parametrize(
    "setting",
    [
        {"export.formats": "[litert_int8,openvino]"},
        {"export.formats": "[onnx]"},
        {"evaluate.corruptions": "[noise,blur]"},
        {"train.augment": "[{name:flip,mode:horizontal}]"},
        {"train": "{batch:8,dropout:0.1}"},
        {"train.seed": "${train.fold}"},
        {"++train.dropout": "1e-1"},
        {"data.classes": "null"},
        {"split.consecutive_distance": "4"},
        {"report.title": "'1.10, a=b'"},
    ],
)
def test_values_that_every_stage_takes_pass(monkeypatch, setting):
    monkeypatch.chdir(ROOT)
    validity.check_settings([setting], params.sections())
