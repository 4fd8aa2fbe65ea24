"""Tensors of the Open Inference Protocol, version 2, in JSON or with the binary extension.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_binary_data.html
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from trackbed.serving import refusals
from trackbed.serving.refusals import Refused

UINT8, FP32, BYTES = "UINT8", "FP32", "BYTES"
LENGTH = struct.Struct("<I")  # before every element of a BYTES tensor
# More JSON takes long to read, in which nothing else happens; binary tensors have no such limit.
MOST_JSON = 2**23  # bytes
MOST_DIGITS = 18  # of a number in a header; int() refuses more than 4,300
LARGEST_SIDE = 2**63 - 1  # of a shape, which is int64 in the protocol


@dataclass(frozen=True)
class Output:
    """What a client wants of one output.

    binary: behind the JSON. best: the most probable classes as text, this many, in place of
    numbers; 0: none.
    """

    name: str
    binary: bool
    best: int = 0


@dataclass(frozen=True)
class Inference:
    """A request: images or encoded pictures in, and the outputs that are wanted.

    images: uint8, shape (images, side, side, 3); None where `pictures` are bytes of files.
    """

    id: str | None
    images: np.ndarray | None
    pictures: list[bytes]
    outputs: list[Output]


def invalid(message: str) -> NoReturn:
    """Raise Refused (400) for a request that does not follow the protocol."""
    raise Refused(400, refusals.INVALID_TENSOR, message)


def read(
    body: bytes, header_length: str | None, name: str, side: int, offered: Sequence[str]
) -> Inference:
    """A request of `infer`.

    header_length: Inference-Header-Content-Length, None without. name, side: of the input.
    offered: the names of the outputs. Raises Refused.
    """
    header, binary = _parts(body, header_length)
    request = _json_object(header)
    inputs = request.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        invalid(f"`inputs` must be a list with one tensor, {name!r}.")
    tensor = inputs[0]
    if tensor.get("name") != name:
        invalid(f"The model has no input {_short(tensor.get('name'))}; its input is {name!r}.")
    images, pictures = _input(tensor, binary, side)
    default = _parameters(request).get("binary_data_output", False) is True
    identity = request.get("id")
    if identity is not None and not _is_text(identity):
        invalid("`id` must be a string of Unicode characters.")
    return Inference(identity, images, pictures, _outputs(request, offered, default))


def _parts(body: bytes, header_length: str | None) -> tuple[memoryview, memoryview]:
    """The JSON of a request and what follows it."""
    view = memoryview(body)
    length = len(body)
    if header_length is not None:
        if not header_length.isascii() or not header_length.isdigit():
            invalid("Inference-Header-Content-Length is not a number.")
        if len(header_length) > MOST_DIGITS:
            invalid(f"Inference-Header-Content-Length has more than {MOST_DIGITS} digits.")
        length = int(header_length)
        if length > len(body):
            invalid(
                f"Inference-Header-Content-Length is {length:,}, the body has {len(body):,} bytes."
            )
    if length > MOST_JSON:
        raise Refused(
            413,
            refusals.TOO_LARGE,
            f"{length:,} bytes of JSON, at most {MOST_JSON:,} are allowed. Send a binary tensor.",
            limit=MOST_JSON,
        )
    return view[:length], view[length:]


def _json_object(data: memoryview) -> dict[str, Any]:
    try:
        found = json.loads(bytes(data), parse_constant=_refuse_constant)
    except RecursionError:
        invalid("The JSON is nested too deeply.")
    except ValueError as error:  # also UnicodeDecodeError
        invalid(f"The body is not JSON ({error}).")
    if not isinstance(found, dict):
        invalid("The JSON must be an object.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _parameters(owner: dict[str, Any]) -> dict[str, Any]:
    parameters = owner.get("parameters", {})
    if not isinstance(parameters, dict):
        invalid("`parameters` must be an object.")
    return parameters


def _input(
    tensor: dict[str, Any], binary: memoryview, side: int
) -> tuple[np.ndarray | None, list[bytes]]:
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not all(
        type(n) is int and 0 <= n <= LARGEST_SIDE for n in shape
    ):
        invalid("`shape` must be a list of whole numbers of 64 bits.")
    kind = tensor.get("datatype")
    if kind not in (UINT8, BYTES):
        invalid(
            f"`datatype` must be {UINT8} (pixels) or {BYTES} (encoded pictures). "
            f"Received {_short(kind)}."
        )
    expected = [shape[0] if shape else 0, side, side, 3] if kind == UINT8 else shape[:1]
    if shape != expected or not shape or shape[0] < 1:
        wanted = f"[images, {side}, {side}, 3]" if kind == UINT8 else "[pictures]"
        invalid(f"`shape` must be {wanted} with at least one. Received {shape[:8]}.")
    length = _parameters(tensor).get("binary_data_size")
    if length is None:
        if len(binary):
            invalid(f"{len(binary):,} bytes follow the JSON that belong to no tensor.")
        data = tensor.get("data")
        return (_pixels(data, shape), []) if kind == UINT8 else (None, _pictures(data, shape[0]))
    if "data" in tensor:
        invalid("A tensor has either `data` or `binary_data_size`.")
    if type(length) is not int or length != len(binary):
        invalid(f"`binary_data_size` is {_short(length)}, {len(binary):,} bytes follow the JSON.")
    if kind == BYTES:
        return None, elements(binary, shape[0])
    if length != math.prod(shape):
        invalid(f"{length:,} bytes for a tensor of shape {shape}, which has {math.prod(shape):,}.")
    return np.frombuffer(binary, np.uint8).reshape(shape), []


def _pixels(data: Any, shape: list[int]) -> np.ndarray:
    """The whole numbers 0 to 255 of nested or flat lists."""
    if not isinstance(data, list):
        invalid("The tensor has no `data`.")
    try:
        values = np.asarray(data)
    except (ValueError, OverflowError):
        invalid("`data` must be a list of numbers, flat or of the tensor's shape.")
    if values.dtype.kind not in "iu":
        invalid(f"`data` must be whole numbers 0 to 255 ({UINT8}).")
    if values.size != math.prod(shape) or values.shape not in (tuple(shape), (values.size,)):
        invalid(f"`data` has shape {list(values.shape)[:8]}, `shape` is {shape}.")
    if values.min() < 0 or values.max() > 255:
        invalid(f"`data` must be 0 to 255 ({UINT8}).")
    return values.astype(np.uint8).reshape(shape)


def _pictures(data: Any, count: int) -> list[bytes]:
    """The bytes of files, which stand in JSON as base64 (RFC 4648)."""
    if not isinstance(data, list) or len(data) != count:
        invalid(f"`data` must be a list of {count:,} pictures.")
    try:
        return [base64.b64decode(text, validate=True) for text in data]
    except (binascii.Error, TypeError, ValueError):
        invalid(f"In JSON, every element of a {BYTES} tensor is the base64 of a picture's bytes.")


def elements(binary: memoryview, count: int) -> list[bytes]:
    """The elements of a binary BYTES tensor: each its length (uint32, little-endian) and bytes."""
    found: list[bytes] = []
    position = 0
    while position + LENGTH.size <= len(binary) and len(found) < count:
        (length,) = LENGTH.unpack_from(binary, position)
        position += LENGTH.size
        found.append(bytes(binary[position : position + length]))
        position += length
    if len(found) != count or position != len(binary):
        invalid(f"The binary data are no {BYTES} tensor of {count:,} elements.")
    return found


def _outputs(request: dict[str, Any], offered: Sequence[str], binary: bool) -> list[Output]:
    wanted = request.get("outputs")
    if wanted is None or wanted == []:
        return [Output(name, binary) for name in offered]
    if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
        invalid("`outputs` must be a list of objects.")
    if len(wanted) > len(offered):
        invalid("An output is wanted twice.")
    found = []
    for one in wanted:
        if one.get("name") not in offered:
            invalid(f"No output {_short(one.get('name'))}; there are {', '.join(offered)}.")
        parameters = _parameters(one)
        best = parameters.get("classification", 0)
        if type(best) is not int or best < 0 or (best and one["name"] != "probabilities"):
            invalid("`classification` is a number of classes, for `probabilities` alone.")
        found.append(Output(one["name"], parameters.get("binary_data", binary) is True, best))
    return found


def _is_text(value: Any) -> bool:
    """Whether it is a string that UTF-8 can write, thus without lone surrogates."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def _short(value: Any) -> str:
    """A value of a client in a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
