import hashlib
import math
from pathlib import Path

import pytest

from trackbed.pipeline import measurements

SUMMARY = b'{"best_epoch": 2}'


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def finished(rows, summary=SUMMARY):
    for epoch, row in enumerate(rows, start=1):
        measurements.add_epoch(epoch, row)
    Path("metrics.json").write_bytes(summary)
    measurements.finish_training(Path("metrics.json"))


def test_seconds_are_those_of_the_stages_that_are_known():
    measurements.write_seconds("train", 43.456)
    measurements.write_seconds("report", 9)
    Path("logs/split.json").write_text("{broken")
    Path("logs/embed.json").write_text('{"seconds": "soon"}')
    stages = ("build_tfrecord", "split", "embed", "train")
    assert measurements.stage_seconds(stages) == {"train": 43.46}


def test_a_training_is_found_by_its_results():
    finished([{"seconds": 9.0}])
    finished([{"seconds": 2.5, "memory_mb": 300.0}, {"seconds": 1.25}], b"{}")
    table = measurements.training(b"{}")
    assert list(table.columns) == ["seconds", "memory_mb"]
    assert table["seconds"].to_dict() == {1: 2.5, 2: 1.25}
    assert math.isnan(table.loc[2, "memory_mb"])
    assert measurements.training_seconds(b"{}") == 3.8  # 3.75 in tenths
    assert measurements.training(SUMMARY)["seconds"].tolist() == [9.0]
    assert measurements.training(b"[]") is measurements.training_seconds(b"[]") is None


def test_epoch_1_begins_the_table_anew():
    measurements.add_epoch(1, {"seconds": 5.0})
    measurements.add_epoch(2, {"seconds": 5.0})
    finished([{"seconds": 1.0}])
    assert measurements.training(SUMMARY)["seconds"].to_dict() == {1: 1.0}


@pytest.mark.parametrize(
    "text", ["", "epoch,loss\n1,2\n", "epoch,seconds\n", "epoch,seconds\n1,x\n"]
)
def test_a_broken_table_counts_as_not_measured(text):
    place = Path("logs/train") / f"{hashlib.sha256(SUMMARY).hexdigest()[:16]}.csv"
    place.parent.mkdir(parents=True)
    place.write_text(text)
    assert measurements.training(SUMMARY) is measurements.training_seconds(SUMMARY) is None


def test_measurements_of_a_copy_are_taken_over(tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    copy.mkdir()
    monkeypatch.chdir(copy)
    finished([{"seconds": 3.0}])
    monkeypatch.chdir(tmp_path)
    measurements.collect_trainings(tmp_path / "elsewhere")
    measurements.collect_trainings(copy)
    assert measurements.training_seconds(SUMMARY) == 3.0


def test_what_cannot_be_written_ends_nothing():
    Path("logs").write_text("a file where a folder should be")
    measurements.write_seconds("train", 1.0)
    finished([{"seconds": 1.0}])
    assert measurements.training(SUMMARY) is None


def test_the_totals_weigh_epochs_by_their_training_time():
    # 100 images take 1 s of which 0.5 s are waiting, then 3 s of which 0.3 s: 0.8 s of 4 s.
    rates = {"images_per_second": 100.0, "waiting_share": 0.5, "memory_mb": 400.0}
    later = {"images_per_second": 100 / 3, "waiting_share": 0.1, "memory_mb": 300.0}
    finished([{"seconds": 1.5} | rates, {"seconds": 3.5} | later])
    totals = measurements.totals(measurements.training(SUMMARY))
    assert totals["seconds"] == 5.0
    assert totals["images_per_second"] == pytest.approx(200 / 3)
    assert totals["waiting_share"] == pytest.approx(0.2)
    assert totals["memory_mb"] == 400.0
