"""How many runs of a sweep take place at the same time."""

import runpy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trackbed.dataset import pool
from trackbed.experiments import overrides
from trackbed.networks import embeddings
from trackbed.pipeline import params

EMBED_SCRIPT = Path("stages/embed.py")
# Sections whose stages come before train.
EARLIER = {"data", "split", "embed"}
MOST_AT_ONCE = 4  # each needs a copy of the data where the disk has no other way


def suitable_jobs(keys: Iterable[str], sections: dict[str, Any]) -> int:
    """How many runs to start at the same time.

    One per core, at most MOST_AT_ONCE, where only the head of a frozen backbone is trained, which
    takes one core and little memory. Else 1: the training of a network uses all cores, and memory
    and GPU are made for one.

    keys: what the runs set; sections: of params.yaml, see params.sections.
    """
    if not EMBED_SCRIPT.is_file():
        return 1
    script = runpy.run_path(str(EMBED_SCRIPT))
    plain = {overrides.plain_key(key) for key in keys}
    backbone_keys = {f"train.{name}" for name in script["BackboneParams"].model_fields}
    if plain & backbone_keys or {key.partition(".")[0] for key in plain} & EARLIER:
        return 1
    backbone = params.checked("train", script["BackboneParams"], sections["train"])
    views = params.checked("embed", script["EmbedParams"], sections["embed"]).views
    frozen = not embeddings.reason_not_frozen(backbone, views)
    return min(pool.cores(), MOST_AT_ONCE) if frozen else 1
