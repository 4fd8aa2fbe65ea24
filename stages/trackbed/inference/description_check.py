"""What the description of an exported model must hold: checked before anything relies on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any


def _is_number(value: Any, least: float, most: float = math.inf) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and least <= value <= most


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and _is_number(value, least)


def _is_classes(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)


def _is_files(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(about, dict) and isinstance(about.get("sha256"), str) for about in value.values()
    )


def _is_head(value: Any) -> bool:
    known = ("relu", "linear", "softmax")
    return value is None or (isinstance(value, list) and all(one in known for one in value))


Check = Callable[[Any], bool]
KEYS: dict[str, tuple[Check, str]] = {
    "network": (lambda v: isinstance(v, str), "text"),
    "classes": (_is_classes, "a list of names"),
    "image_side": (lambda v: _is_whole(v, 1), "a whole number from 1"),
    "temperature": (lambda v: _is_number(v, 1e-6), "a number above 0"),
    "calibrated": (lambda v: isinstance(v, bool), "true or false"),
    "refusal_threshold": (lambda v: v is None or _is_number(v, 0, 1), "null, or 0 to 1"),
    "head": (_is_head, "null, or a list of relu, linear and softmax"),
    "backbone": (lambda v: v is None or isinstance(v, str), "null, or text"),
    "model": (lambda v: isinstance(v, str), "text"),
    "pictures": (lambda v: isinstance(v, dict), "an object"),
    "files": (_is_files, "an object with the SHA-256 of files"),
}
PICTURE_KEYS: dict[str, tuple[Check, str]] = {
    "max_pixels": (lambda v: _is_whole(v, 1), "a whole number from 1"),
    "min_side": (lambda v: _is_whole(v, 1), "a whole number from 1"),
    "max_aspect": (lambda v: _is_number(v, 1), "a number from 1"),
    "crop_margin": (lambda v: _is_number(v, 0), "a number from 0"),
    "boxes": (lambda v: v in ("check", "stretch", "ignore"), "check, stretch or ignore"),
    "white_level": (lambda v: v is None or _is_whole(v, 1), "null, or a whole number from 1"),
}


def fault(description: Mapping[str, Any]) -> str | None:
    """What is wrong with the content of model.json, or None."""
    return _fault(description, KEYS, "") or _fault(
        description["pictures"], PICTURE_KEYS, "pictures."
    )


def _fault(values: Mapping[str, Any], keys: Mapping[str, tuple[Check, str]], where: str) -> Any:
    for key, (is_valid, expected) in keys.items():
        if key not in values:
            return f"the key {where}{key} is missing"
        if not is_valid(values[key]):
            return f"{where}{key} must be {expected}, not {values[key]!r:.60}"
    return None
