"""The names of parts in params.yaml."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, WithJsonSchema

from trackbed.dataset.schema import part_of


def _usual_part(value: Any) -> Any:
    part, alone = part_of(value) if isinstance(value, str) else ("", False)
    return part if alone else value


_Part = Literal["train", "validation", "test", "ignore"]
# An editor suggests the parts, and accepts the usual names.
_SCHEMA = {"anyOf": [{"enum": list(get_args(_Part))}, {"type": "string"}]}
PartName = Annotated[_Part, BeforeValidator(_usual_part), WithJsonSchema(_SCHEMA)]
"""A value of data.parts; usual names such as `val` become that of the part."""
