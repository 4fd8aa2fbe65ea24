"""Sections of params.yaml that no stage reads."""

from pydantic import Field

from trackbed import params


class GateParams(params.Section):
    """Section `gate`: what `trackbed gate` lets pass."""

    macro_f1_floor: float = Field(ge=0, le=1)
    allowed_drop: float = Field(ge=0, le=1)
