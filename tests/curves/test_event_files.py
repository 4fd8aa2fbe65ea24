"""Scalars of TensorBoard: event files that TensorFlow 2.21 wrote, and exported tables."""

import base64

import numpy as np
import pytest

from trackbed.curves import log_readers
from trackbed.pipeline.errors import UserError

# By tf.compat.v1.summary.FileWriter, as PyTorch's SummaryWriter does: steps 0 to 2 of Loss/train
# 1 / (step + 1), Loss/val 1.1 / (step + 1) and Accuracy/val 0.5 + step / 10.
PLAIN = (
    "PgAAAAAAAADZ0kDnCQAAgDmNwtpBGg1icmFpbi5FdmVudDoyUiQKInRlbnNvcmZsb3cuY29yZS51dGlsLmV2ZW50"
    "c193cml0ZXLu9MuFHgAAAAAAAADZ3BIyCeFaqTmNwtpBKhMKEQoKTG9zcy90cmFpbhUAAIA/EPKfvRwAAAAAAAAA"
    "yMGVHQk8W6k5jcLaQSoRCg8KCExvc3MvdmFsFc3MjD88L3onIAAAAAAAAAAp7alQCWNbqTmNwtpBKhUKEwoMQWNj"
    "dXJhY3kvdmFsFQAAAD9sA3a6IAAAAAAAAAAp7alQCZlbqTmNwtpBEAEqEwoRCgpMb3NzL3RyYWluFQAAAD+k5svn"
    "HgAAAAAAAADZ3BIyCcRbqTmNwtpBEAEqEQoPCghMb3NzL3ZhbBXNzAw/qQFtqSIAAAAAAAAAeBE9/QnoW6k5jcLa"
    "QRABKhUKEwoMQWNjdXJhY3kvdmFsFZqZGT8axQlgIAAAAAAAAAAp7alQCQ5cqTmNwtpBEAIqEwoRCgpMb3NzL3Ry"
    "YWluFauqqj7Bc+t/HgAAAAAAAADZ3BIyCTRcqTmNwtpBEAIqEQoPCghMb3NzL3ZhbBW8u7s+boqkNSIAAAAAAAAA"
    "eBE9/QlhXKk5jcLaQRACKhUKEwoMQWNjdXJhY3kvdmFsFTMzMz+e4zON"
)
# By tf.summary.write, as Keras' callback does: steps 0 to 2 of epoch_loss 1 / (step + 1) and of
# epoch_learning_rate 0.01, a text and a tensor of several numbers.
TENSORS = (
    "PgAAAAAAAADZ0kDnCQAAgDmNwtpBGg1icmFpbi5FdmVudDoyUiQKInRlbnNvcmZsb3cuY29yZS51dGlsLmV2ZW50"
    "c193cml0ZXLu9MuFMgAAAAAAAAAkGVbsCV69ojmNwtpBKicKJQoKZXBvY2hfbG9zc0IKCAESACIEAACAP0oLCgkK"
    "B3NjYWxhcnOuAQ8rOwAAAAAAAAAaI6xcCbTKojmNwtpBKjAKLgoTZXBvY2hfbGVhcm5pbmdfcmF0ZUIKCAESACIE"
    "CtcjPEoLCgkKB3NjYWxhcnMpPUoCNAAAAAAAAABeMxdcCWzPojmNwtpBEAEqJwolCgplcG9jaF9sb3NzQgoIARIA"
    "IgQAAAA/SgsKCQoHc2NhbGFycw+U3JI9AAAAAAAAAGBJ8ewJD9OiOY3C2kEQASowCi4KE2Vwb2NoX2xlYXJuaW5n"
    "X3JhdGVCCggBEgAiBArXIzxKCwoJCgdzY2FsYXJzpCfo9TQAAAAAAAAAXjMXXAmm1qI5jcLaQRACKicKJQoKZXBv"
    "Y2hfbG9zc0IKCAESACIEq6qqPkoLCgkKB3NjYWxhcnPmM3WNPQAAAAAAAABgSfHsCcLZojmNwtpBEAIqMAouChNl"
    "cG9jaF9sZWFybmluZ19yYXRlQgoIARIAIgQK1yM8SgsKCQoHc2NhbGFycxL7+BUdAAAAAAAAAGAv3yMJZ/GmOY3C"
    "2kEqEgoQCgVrZXJhc0IHCAcSAEIBeJMSDTgsAAAAAAAAAPSuzEUJ9P6mOY3C2kEqIQofCgFoQhoIARIIEgIIARIC"
    "CAMiDAAAgD8AAABAAACAPzUK7JI="
)
NAME = "events.out.tfevents.1795831014.host"


def written(folder, data):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_bytes(data)
    return folder


def test_scalars_of_pytorch(tmp_path):
    history = log_readers.read(written(tmp_path / "run", base64.b64decode(PLAIN)))
    table = history.table
    assert table["Loss/train"].to_numpy() == pytest.approx([1, 1 / 2, 1 / 3])
    assert table["Loss/val"].to_numpy() == pytest.approx([1.1, 1.1 / 2, 1.1 / 3])
    assert table["Accuracy/val"].to_numpy() == pytest.approx([0.5, 0.6, 0.7])
    assert log_readers.read(tmp_path / "run" / NAME).table.equals(table)


def test_keras_writes_a_folder_for_each_part(tmp_path):
    for part in ("train", "validation"):
        written(tmp_path / "run" / part, base64.b64decode(TENSORS))
    history = log_readers.read(tmp_path)
    (train,), (val,) = (history.of("loss", part) for part in ("train", "validation"))
    assert (train.name, val.name) == ("train/epoch_loss", "validation/epoch_loss")
    assert history.table[val.name].to_numpy() == pytest.approx([1, 1 / 2, 1 / 3])
    (rate, _) = history.of("rate")
    assert history.table[rate.name].to_numpy() == pytest.approx([0.01] * 3)


def test_several_runs_below_a_folder(tmp_path):
    for run in ("a", "b"):
        written(tmp_path / run, base64.b64decode(PLAIN))
    assert [run.facts["run"] for run in log_readers.runs(tmp_path)] == ["a", "b"]


def test_a_file_under_way_and_a_damaged_one(tmp_path):
    data = base64.b64decode(PLAIN)
    history = log_readers.read(written(tmp_path / "cut", data[:-5]))
    assert np.isnan(history.table["Accuracy/val"].iloc[-1])
    assert any("ends within a record" in note for note in history.notes)
    damaged = bytearray(data)
    damaged[100] ^= 1
    with pytest.raises(UserError, match="damaged at byte"):
        log_readers.read(written(tmp_path / "bad", damaged))


def test_exported_tables_are_named_by_their_files(tmp_path):
    rows = "Wall time,Step,Value\n" + "".join(
        f"{1.7e9 + 9 * n},{n},{2 / (n + 1)}\n" for n in range(3)
    )
    for part in ("train", "validation"):
        (tmp_path / f"run-{part}-tag-epoch_loss.csv").write_text(rows)
    history = log_readers.read(tmp_path)
    assert len(history.of("loss", "train")) == len(history.of("loss", "validation")) == 1
    assert history.seconds.tolist()[1:] == [9, 9]


@pytest.mark.slow
def test_files_of_tensorflow_read_as_it_reads_them(tmp_path):
    import tensorflow as tf

    values = np.random.default_rng(0).normal(size=20).astype(np.float32)
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        for step, value in enumerate(values):
            tf.summary.write("val_loss", tf.constant(value), step=step)
    (path,) = tmp_path.iterdir()
    events = [
        tf.compat.v1.Event.FromString(raw.numpy()) for raw in tf.data.TFRecordDataset(str(path))
    ]
    expected = [float(tf.make_ndarray(v.tensor)) for event in events for v in event.summary.value]
    assert log_readers.read(tmp_path).table["val_loss"].tolist() == expected
