"""Read and write the `.keras` file of a network on a frozen backbone, without Keras.

The file is a zip archive: config.json with the layers, and model.weights.h5 with a group per layer,
whose attribute `name` is that of the layer. Only the head is understood: dropout and dense layers
behind the layer `embedding`.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from trackbed.networks.embeddings import EMBEDDING
from trackbed.pipeline.outputs import EARLIEST_DATE, replacing

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
Dense = tuple[np.ndarray, np.ndarray, str]
"""Kernel (inputs, outputs), bias (outputs,) and activation ('relu' or 'softmax') of a layer."""


class Archive:
    """The entries of a `.keras` file by name, and what they say of the head.

    Raises ValueError where the network has another head.
    """

    def __init__(self, entries: Mapping[str, bytes]) -> None:
        self.entries = dict(entries)
        self.config = json.loads(self.entries[CONFIG])
        self.layers = _behind_embedding(self.config["config"])

    @property
    def name(self) -> str:
        """The name of the network."""
        return self.config["config"]["name"]

    @property
    def dense(self) -> list[str]:
        """The names of the dense layers of the head."""
        return [one["config"]["name"] for one in self.layers if one["class_name"] == "Dense"]

    def parameters(self) -> int:
        """Number of weights of the whole network, as Keras counts them."""
        counts: list[int] = []
        with self._weights() as file:
            file.visititems(lambda _, found: counts.append(getattr(found, "size", 0)))
        return sum(counts)

    def head(self) -> list[Dense]:
        """The dense layers of the head, in their order."""
        with self._weights() as file:
            groups = _groups(file)
            return [
                (groups[name]["0"][()], groups[name]["1"][()], self._activation(name))
                for name in self.dense
            ]

    def with_head(self, weights: Sequence[np.ndarray], dropout: float) -> dict[str, bytes]:
        """The entries of this network with other weights of its head and another dropout rate.

        weights: kernel and bias of every dense layer, in their order.
        """
        content = io.BytesIO(self.entries[WEIGHTS])
        with h5py.File(content, "r+") as file:
            groups = _groups(file)
            places = [groups[name][number] for name in self.dense for number in ("0", "1")]
            for place, values in zip(places, weights, strict=True):
                place[...] = values
        for layer in self.layers:
            if layer["class_name"] == "Dropout":
                layer["config"]["rate"] = dropout
        return self.entries | {CONFIG: _text(self.config), WEIGHTS: content.getvalue()}

    def backbone_digest(self) -> str:
        """SHA-256 of all layers in front of the head: their settings and their weights."""
        head = {one["config"]["name"] for one in self.layers}
        layers = self.config["config"]["layers"]
        found = hashlib.sha256(_text([one for one in layers if one["config"]["name"] not in head]))
        with self._weights() as file:
            left_out = tuple(f"{_groups(file)[name].name}/" for name in self.dense)
            for place, values in sorted(_arrays(file).items()):
                if not place.startswith(left_out):
                    found.update(f"{place} {values.shape} {values.dtype}".encode())
                    found.update(values[()].tobytes())
        return found.hexdigest()

    def _weights(self) -> h5py.File:
        return h5py.File(io.BytesIO(self.entries[WEIGHTS]), "r")

    def _activation(self, name: str) -> str:
        return next(one for one in self.layers if one["config"]["name"] == name)["config"][
            "activation"
        ]


def read(path: Path) -> Archive:
    """The network of a file that `checkpoint.save` wrote. Raises ValueError, see Archive."""
    return Archive(entries(path))


def head_layers(path: Path) -> list[Dense]:
    """The dense layers of the head of a saved network. Raises ValueError, see Archive."""
    return read(path).head()


def entries(path: Path) -> dict[str, bytes]:
    """The entries of a `.keras` file, so that equal networks have equal ones.

    Keras writes the date and memory addresses (`shared_object_id`) into a file; the date is left
    out and addresses become numbers in their order of appearance.
    """
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    if METADATA in found:
        metadata = json.loads(found[METADATA])
        metadata.pop("date_saved", None)
        found[METADATA] = _text(metadata)
    if CONFIG in found:
        found[CONFIG] = _text(_numbered(json.loads(found[CONFIG]), {}))
    return found


def write(path: Path, content: Mapping[str, bytes]) -> None:
    """Write entries as a `.keras` file; equal entries give equal files, without zip times."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(content):
            archive.writestr(zipfile.ZipInfo(name, EARLIEST_DATE), content[name])


def _behind_embedding(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The layers of a chain from `embedding` to the output. Raises ValueError for other layers."""
    followers = {}
    for layer in config["layers"]:
        for source in _sources(layer["inbound_nodes"]):
            followers.setdefault(source, []).append(layer)
    found: list[dict[str, Any]] = []
    name = EMBEDDING
    while next_layers := followers.get(name):
        (layer,) = next_layers if len(next_layers) == 1 else (None,)
        if layer is None or not _is_understood(layer):
            raise ValueError(f"the head is no chain of dropout and dense layers at {name}")
        found.append(layer)
        name = layer["config"]["name"]
    if not found:
        raise ValueError(f"no layers behind a layer called {EMBEDDING}")
    return found


def _is_understood(layer: Mapping[str, Any]) -> bool:
    if layer["class_name"] == "Dense":
        return layer["config"]["use_bias"] and layer["config"]["activation"] in ("relu", "softmax")
    return layer["class_name"] == "Dropout"


def _sources(value: Any) -> list[str]:
    """Names of the layers whose outputs appear in the description of a call."""
    if isinstance(value, list):
        return [name for inner in value for name in _sources(inner)]
    if not isinstance(value, dict):
        return []
    if value.get("class_name") == "__keras_tensor__":
        return [value["config"]["keras_history"][0]]
    return [name for inner in value.values() for name in _sources(inner)]


def _arrays(file: h5py.File) -> dict[str, h5py.Dataset]:
    """All arrays of a file by their place in it."""
    found: list[h5py.Dataset] = []
    file.visititems(lambda _, one: found.append(one) if isinstance(one, h5py.Dataset) else None)
    return {one.name: one for one in found}


def _groups(file: h5py.File) -> dict[str, h5py.Group]:
    """The variables of the outermost layers by the name of their layer."""
    found = [group["vars"] for group in file["layers"].values() if "vars" in group]
    return {group.attrs["name"]: group for group in found}


def _text(value: Any) -> bytes:
    return json.dumps(value).encode()


def _numbered(value: Any, numbers: dict[int, int]) -> Any:
    """The same configuration with object ids replaced by their order of appearance."""
    if isinstance(value, list):
        return [_numbered(inner, numbers) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        key: numbers.setdefault(inner, len(numbers))
        if key == "shared_object_id"
        else _numbered(inner, numbers)
        for key, inner in value.items()
    }
