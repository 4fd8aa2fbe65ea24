import subprocess
import sys

import pytest

from trackbed.pipeline.errors import UserError
from trackbed.training import epoch_log


def test_a_repository_without_a_commit_is_told_in_words(tmp_path, monkeypatch):
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


def test_the_log_tells_what_share_of_the_time_no_batch_was_there(finished):
    import json

    shares = (finished.folder / "metrics/train/plots/metrics/waiting_share.tsv").read_text()
    assert all(0 <= float(value) < 1 for value in shares.split()[3::2])
    summary = json.loads((finished.folder / "metrics/train/metrics.json").read_text())
    assert 0 <= summary["waiting_share"] < 1


def test_the_log_tells_what_every_epoch_took_of_the_machine(finished):
    folder = finished.folder / "metrics/train/plots/metrics"
    shares = (folder / "cpu_share.tsv").read_text().split()[3::2]
    memory = (folder / "memory_mb.tsv").read_text().split()[3::2]
    assert len(shares) == len(memory) == 2
    assert all(0 < float(share) <= 1 for share in shares)
    assert all(float(value) > 200 for value in memory)  # TensorFlow alone takes more


def test_a_line_per_epoch_tells_the_time_left_and_marks_the_best(capsys, monkeypatch):
    clock = iter([0.0, 30.0, 30.0, 70.0, 70.0, 100.0])
    monkeypatch.setattr(epoch_log.time, "perf_counter", lambda: next(clock))
    with epoch_log.Progress(3, "val_loss") as progress:
        progress.set_params({"steps": 1})
        for epoch, loss in enumerate([0.5, 0.7, 0.4]):
            progress.on_epoch_begin(epoch)
            progress.on_epoch_end(
                epoch, {"loss": 1, "val_loss": loss, "val_accuracy": 0.5, "val_macro_f1": 0.5}
            )
    lines = capsys.readouterr().out.splitlines()
    ends = [line.partition("macro F1 0.5000  ")[2] for line in lines]
    assert ends == ["30.0 s, 0:01:00 left *", "40.0 s, 0:00:35 left", "30.0 s *"]
