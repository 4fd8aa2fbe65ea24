"""The files of an exported model, and model.json, which describes them; without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trackbed.exporting.onnx_graph import OPSET
from trackbed.inference import exported_model
from trackbed.inference.head import Head
from trackbed.inference.head import arrays as head_arrays
from trackbed.pipeline.outputs import replacing, write_arrays, write_json
from trackbed.records.embedding_store import digest

# How a picture of any size becomes the input; inference does it by the code of the build.
RESIZE = {
    "rule": "stretch",
    "shrinking": "bilinear with antialiasing, as Pillow's Resampling.BILINEAR",
    "enlarging": "bilinear, as OpenCV's INTER_LINEAR",
    "jpeg": "decoded at 1/2, 1/4 or 1/8 where that is no smaller than the input",
}


@dataclass(frozen=True)
class Facts:
    """What model.json says of a network."""

    name: str
    classes: list[str]
    side: int  # of the images, in pixels
    head: Head | None  # None where it has other layers than dropout and dense ones
    backbone: str | None  # SHA-256 of the weights, see networks.embeddings; None without one

    def keys(self) -> dict[str, Any]:
        """The keys of model.json."""
        head = self.head
        return {
            "format": exported_model.FORMAT,
            "network": self.name,
            "classes": self.classes,
            "image_side": self.side,
            "opset": OPSET,
            "input": {
                "name": exported_model.IMAGES,
                "dtype": "uint8",
                "shape": ["batch", self.side, self.side, 3],
                "channels": "RGB",
                "range": [0, 255],
            },
            "resize": RESIZE,
            "head": None if head is None else [layer.activation for layer in head.layers],
            "backbone": self.backbone,
        }


def write_model(folder: Path, content: bytes, head: Head | None) -> None:
    """Write model.onnx and, where there is a head, head.npz."""
    with replacing(folder / exported_model.MODEL_FILE) as temporary:
        temporary.write_bytes(content)
    if head is not None:
        write_arrays(folder / exported_model.HEAD_FILE, head_arrays(head))


def write_description(folder: Path, facts: Facts, **values: Any) -> None:
    """Write model.json, with size and digest of every file of the folder.

    values: further keys, such as temperature and refusal_threshold.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): _file(path) for path in paths}
    write_json(folder / exported_model.DESCRIPTION_FILE, facts.keys() | values | {"files": files})


def _file(path: Path) -> dict[str, Any]:
    return {"sha256": digest(path), "bytes": path.stat().st_size}
