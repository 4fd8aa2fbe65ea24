import json
import subprocess
import sys
from pathlib import Path

import pytest

from trackbed.pipeline import measurements, tables
from trackbed.pipeline.errors import UserError
from trackbed.training import epoch_log
from trackbed.training.early_stopping import Outcome


def test_a_repository_without_a_commit_is_a_user_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], check=True)
    with pytest.raises(UserError, match="commit once"):
        epoch_log.started(tmp_path / "log")


def test_the_log_touches_neither_dvc_yaml_nor_git(finished):
    # Written by the train stage; Live() on its own terms would have rewritten dvc.yaml.
    assert finished.run("git", "diff", "--stat", "HEAD", "--", "dvc.yaml") == ""
    steps = (finished.folder / "metrics/train/plots/metrics/val/loss.tsv").read_text().split()
    assert steps[0::2] == ["step", "1", "2"]


def test_the_log_holds_nothing_of_clock_or_machine(finished):
    folder = finished.folder / "metrics/train"
    curves = {path.stem for path in folder.rglob("*.tsv")}
    assert curves == {"loss", "accuracy", "macro_f1", "learning_rate"}
    assert list(tables.metrics(folder / "metrics.json", "")) == [
        *("val_f1", "best_epoch", "epochs", "stopped_early", "monitor", "best"),
        *("last_epoch", "parameters", "network"),
    ]


def test_the_summary_has_the_scores_of_the_best_epoch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with epoch_log.started(Path("log")) as live:
        log = epoch_log.EpochLog(live, images=10)
        for epoch, (loss, f1) in enumerate([(0.8, 0.5), (0.3, 0.9), (0.4, 0.7)]):
            scores = {"loss": loss, "accuracy": f1 - 0.1, "macro_f1": f1}
            log.on_epoch_begin(epoch)
            both = scores | {f"val_{name}": value for name, value in scores.items()}
            log.on_epoch_end(epoch, both | {"learning_rate": 0.1})
            so_far = json.loads(Path("log/metrics.json").read_text())
            assert so_far == {"val_f1": f1, "details": [{"epochs": epoch + 1}]}
    outcome = Outcome(best_epoch=2, epochs=3, stopped_early=True)
    path = Path("log/metrics.json")
    log.write_summary(path, outcome, "val_loss", network="small_cnn", parameters=9)
    assert set(json.loads(path.read_text())) == {"val_f1", "details"}
    summary = tables.metrics(path, "")
    assert summary["val_f1"] == 0.9
    assert summary["best"] == {"val_loss": 0.3, "val_accuracy": 0.8, "val_macro_f1": 0.9}
    assert (summary["best_epoch"], summary["epochs"], summary["parameters"]) == (2, 3, 9)


def test_every_epoch_is_measured(finished, monkeypatch):
    monkeypatch.chdir(finished.folder)
    table = measurements.training(Path("metrics/train/metrics.json").read_bytes())
    assert table.index.tolist() == [1, 2]
    assert table["seconds"].between(0, 600).all()
    assert table["images_per_second"].gt(0).all()
    assert table["waiting_share"].between(0, 1, inclusive="left").all()
    assert table["cpu_share"].between(0, 1, inclusive="right").all()
    assert table["memory_mb"].gt(200).all()  # TensorFlow alone takes more


def test_a_line_per_epoch_has_a_star_and_then_the_time_left(capsys, monkeypatch):
    clock = iter([0.0, 30.0, 30.0, 70.0, 70.0, 100.0])
    monkeypatch.setattr(epoch_log.time, "perf_counter", lambda: next(clock))
    with epoch_log.Progress(3, "val_loss", steps=1) as progress:
        for epoch, loss in enumerate([0.5, 0.7, 0.4]):
            progress.on_epoch_begin(epoch)
            progress.on_epoch_end(
                epoch, {"loss": 1, "val_loss": loss, "val_accuracy": 0.5, "val_macro_f1": 0.5}
            )
    lines = capsys.readouterr().out.splitlines()
    ends = [line.partition("macro F1 0.5000  ")[2] for line in lines]
    assert ends == ["30.0 s *", "40.0 s, 0:00:40 left", "30.0 s *"]
