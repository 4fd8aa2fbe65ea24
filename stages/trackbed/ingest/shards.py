"""TFRecord shards: written one after the other, with count, length and digest of each."""

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed import inputs
from trackbed.outputs import write_csv
from trackbed.problems import Problem

SHARDS_FILE = "shards.csv"
# Framing of a TFRecord: length (8 bytes) and its CRC (4) before the data, CRC (4) after it;
# https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
HEADER_BYTES = 12
FOOTER_BYTES = 4


class Shards:
    """Writes one shard after the other and keeps count, length and digest of each."""

    def __init__(self, folder: Path, shard_bytes: int) -> None:
        self.folder, self.shard_bytes = folder, shard_bytes
        self.finished: list[dict[str, Any]] = []
        self.writer: Any = None

    def __enter__(self) -> "Shards":
        return self

    def __exit__(self, *_: object) -> None:
        self._finish()
        write_csv(self.folder / SHARDS_FILE, pd.DataFrame(self.finished))

    def add(self, serialized: bytes, image: bytes) -> dict[str, Any]:
        """Append a record; where it and its image lie, as columns of the index."""
        if self.writer is None or self.offset >= self.shard_bytes:
            self._finish()
            self._start()
        key = serialized.index(b"image_raw")
        place = {
            "shard": self.name,
            "offset": self.offset,
            "length": HEADER_BYTES + len(serialized) + FOOTER_BYTES,
            "image_offset": self.offset + HEADER_BYTES + serialized.index(image, key),
            "image_length": len(image),
        }
        self.writer.write(serialized)
        self.offset += place["length"]
        self.records += 1
        return place

    def _start(self) -> None:
        import tensorflow as tf

        self.name = f"part-{len(self.finished):05d}.tfrecord"
        self.offset = self.records = 0
        self.writer = tf.io.TFRecordWriter(str(self.folder / self.name))

    def _finish(self) -> None:
        if self.writer is None:
            return
        self.writer.close()
        self.writer = None
        digest = _digest(self.folder / self.name)
        self.finished.append(
            {"shard": self.name, "records": self.records, "bytes": self.offset, "sha256": digest}
        )


def read(folder: Path) -> pd.DataFrame:
    """The shards of a folder in their order: columns shard, records, bytes, sha256."""
    return inputs.table(folder / SHARDS_FILE, "Run `dvc repro build_tfrecord`.")


def check(folder: Path) -> None:
    """Refuse shards that are not as they were written.

    A shard cut at the border of two records reads as a shorter one without any error.
    Raises Problem with the name of the shard.
    """
    for shard in read(folder).itertuples():
        path = folder / shard.shard
        length = path.stat().st_size if path.is_file() else "no such file, 0"
        if length != shard.bytes or _digest(path) != shard.sha256:
            raise Problem(
                f"{path}: damaged; {length} bytes, expected {shard.bytes} with SHA-256 "
                f"{shard.sha256[:12]}…. Remove {folder} and run `dvc repro build_tfrecord`."
            )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
