"""The features of a record that the build writes."""

from collections.abc import Mapping
from typing import Any

from trackbed.records import tfrecord

IMAGE = "image_raw"
# Beside the shards: records of pictures that were rejected after they had been written.
REJECTED_FILE = "rejected.records"
ENCODINGS = ("jpeg", "png", "raw")
# Columns of the index that stand in the record, too, and what they are called there.
FEATURES = {
    "filename": "image_filename",
    "height": "height",
    "width": "width",
    "label": "label",
    "class_name": "class_name",
    "group": "group",
    "encoding": "encoding",
}


def of_row(values: Mapping[str, Any], data: bytes) -> tfrecord.Features:
    """The features of a record: those of FEATURES by the names of the index, and its image."""
    return {name: values[column] for column, name in FEATURES.items()} | {IMAGE: data, "depth": 3}
