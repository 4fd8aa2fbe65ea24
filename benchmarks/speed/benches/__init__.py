"""The benches, by the name that `--only` takes; a module holds one or several."""

from speed.bench import Bench
from speed.benches import (
    bootstrap,
    build,
    forward,
    growth,
    heads,
    predicting,
    rails,
    reading,
    training,
)


def named(sizes: list[int]) -> dict[str, Bench]:
    """All benches; the growth benches measure at these numbers of images."""
    return {
        "build": build.BENCH,
        "reading": reading.BENCH,
        **training.BENCHES,
        **growth.benches(sizes),
        "forward": forward.BENCH,
        "rails": rails.BENCH,
        "sweep": rails.SWEEP,
        "heads": heads.BENCH,
        **bootstrap.BENCHES,
        **predicting.BENCHES,
    }
