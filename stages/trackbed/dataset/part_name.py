"""The names of parts in params.yaml."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from trackbed.dataset.schema import part_of


def _usual_part(value: Any) -> Any:
    part, alone = part_of(value) if isinstance(value, str) else ("", False)
    return part if alone else value


PartName = Annotated[Literal["train", "validation", "test", "ignore"], BeforeValidator(_usual_part)]
"""A value of data.parts; usual names such as `val` become that of the part."""
