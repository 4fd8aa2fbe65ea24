"""Write checked pictures to TFRecord shards and describe them in the index."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import pandas as pd

from trackbed.dataset.schema import Entry, Picture
from trackbed.pipeline.index import INDEX_TABLE, SHARDS_TABLE
from trackbed.records import record_features, tfrecord
from trackbed.records.record_features import IMAGE, REJECTED_FILE

BUFFER_BYTES = 2**20  # of the shard that is written
PICTURE_COLUMNS = (
    *("encoding", "format", "height", "width"),
    *("sha256", "perceptual_hash", "pixel_hash", "thumbnail"),
    *("brightness", "contrast", "sharpness"),
)


def write(
    folder: Path, pictures: Iterable[tuple[Entry, Picture]], classes: list[str], shard_bytes: int
) -> pd.DataFrame:
    """Write shards of about `shard_bytes` and shards.csv; return the index of the records.

    The features are those of the RAILS schema (image_filename, image_raw, height, width, depth,
    label, class_name) with `group` and `encoding` beside them. The same pictures in the same
    order give the same bytes.
    """
    labels = {name: label for label, name in enumerate(classes)}
    rows: list[dict[str, Any]] = []
    with ShardWriter(folder, shard_bytes) as out:
        for record, (entry, picture) in enumerate(pictures):
            label = labels[entry.class_name]
            rows.append(
                {"record": record, "filename": entry.filename, "label": label}
                | {"class_name": entry.class_name, "part": entry.part, "group": entry.group}
                | out.add(_features(entry, picture, label))
                | {name: getattr(picture, name) for name in PICTURE_COLUMNS}
            )
    return INDEX_TABLE.rows(rows)


def rewrite_without(
    folder: Path, table: pd.DataFrame, left_out: Collection[int], shard_bytes: int
) -> pd.DataFrame:
    """Rewrite the shards of `write` without some records; return the index of the others.

    The result is the same as that of `write` for the others alone.
    """
    kept = table[~table["record"].isin(left_out)]
    temporary = folder / ".kept"
    temporary.mkdir()
    with ShardWriter(temporary, shard_bytes) as out:
        places = [out.copy(data) for data in _framed_records(folder, kept)]
    for name in table["shard"].unique():
        (folder / name).unlink()
    for path in temporary.iterdir():
        path.replace(folder / path.name)
    temporary.rmdir()
    within = kept["image_offset"] - kept["offset"]
    kept = kept.assign(record=range(len(kept)), **pd.DataFrame(places, index=kept.index))
    return kept.assign(image_offset=kept["offset"] + within).reset_index(drop=True)


def write_rejected_records(
    folder: Path, table: pd.DataFrame, records: Collection[int]
) -> pd.DataFrame:
    """Copy some records of `write` into a file beside the shards; return their index.

    The file is no shard: whatever reads all records skips it.
    """
    rows = table[table["record"].isin(records)]
    with (folder / REJECTED_FILE).open("wb") as file:
        for data in _framed_records(folder, rows):
            file.write(data)
    offset = rows["length"].cumsum() - rows["length"]
    within = rows["image_offset"] - rows["offset"]
    return rows.assign(shard=REJECTED_FILE, offset=offset, image_offset=offset + within)


def _framed_records(folder: Path, table: pd.DataFrame) -> Iterator[bytes]:
    """The bytes of the records of some rows, with their framing."""
    for name, rows in table.groupby("shard", sort=True):
        with (folder / name).open("rb") as file:
            for offset, length in zip(rows["offset"], rows["length"], strict=True):
                file.seek(offset)
                yield file.read(length)


def _features(entry: Entry, picture: Picture, label: int) -> tfrecord.Features:
    return record_features.of_row(vars(entry) | vars(picture) | {"label": label}, picture.data)


class ShardWriter:
    """Writes shards one after another, and shards.csv with their counts, lengths and digests."""

    def __init__(self, folder: Path, shard_bytes: int) -> None:
        self.folder, self.shard_bytes = folder, shard_bytes
        self._finished: list[dict[str, Any]] = []
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._finish()
        SHARDS_TABLE.write(self.folder, SHARDS_TABLE.rows(self._finished))

    def add(self, features: tfrecord.Features) -> dict[str, Any]:
        """Append a record; return the columns of the index that say where it and its image lie."""
        data, image_length = tfrecord.example(features), len(features[IMAGE])
        image = len(data) - tfrecord.bytes_after(features, IMAGE) - image_length
        header, footer = tfrecord.frame(data)
        place = self._append(header, data, footer)
        image_offset = place["offset"] + len(header) + image
        return place | {"image_offset": image_offset, "image_length": image_length}

    def copy(self, record: bytes) -> dict[str, Any]:
        """Append a record with its framing; return where it lies, as columns of the index."""
        return self._append(record)

    def _append(self, *parts: bytes) -> dict[str, Any]:
        if self._file is None or self._offset >= self.shard_bytes:
            self._finish()
            self._start()
        start = self._offset
        for part in parts:
            self._file.write(part)
            self._digest.update(part)
            self._offset += len(part)
        self._records += 1
        return {"shard": self._name, "offset": start, "length": self._offset - start}

    def _start(self) -> None:
        self._name = f"part-{len(self._finished):05d}.tfrecord"
        self._file = (self.folder / self._name).open("wb", BUFFER_BYTES)
        self._digest = hashlib.sha256()
        self._offset = self._records = 0

    def _finish(self) -> None:
        if self._file is None:
            return
        self._file.close()
        self._file = None
        self._finished.append(
            {
                "shard": self._name,
                "records": self._records,
                "bytes": self._offset,
                "sha256": self._digest.hexdigest(),
            }
        )
