"""Run the contestants of a bench in turns: A, B, C, A, B, C, ..."""

import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speed.bench import Bench, Contestant, Rounds, Values
from speed.processes import Failed, measured


@dataclass(frozen=True)
class Outcome:
    """What a bench came to."""

    bench: Bench
    laid_out: Values  # what `prepare` returned
    rounds: Rounds
    failures: dict[str, str]  # reason by contestant


def played(bench: Bench, rounds: int, images: int, photographs: Path | None) -> Outcome:
    """Prepare once, then `rounds` rounds; who fails is left out of the rounds that follow."""
    outcome = Outcome(bench, {}, {name: [] for name in bench.contestants}, {})
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        shared = Path(folder, "shared")
        shared.mkdir()
        task = {"images": images, "shared": shared, "photographs": photographs}
        try:
            if bench.prepare:
                outcome.laid_out.update(_run(bench.prepare, task))
        except Failed as failure:
            outcome.failures.update(dict.fromkeys(bench.contestants, f"preparation: {failure}"))
        for number, name in itertools.product(range(1, rounds + 1), bench.contestants):
            if name not in outcome.failures:
                result = _turn(outcome, name, task)
                print(f"{bench.title}, round {number}, {name}: {result}", flush=True)
    return outcome


def _turn(outcome: Outcome, name: str, task: dict[str, Any]) -> str:
    """One run of a contestant, added to the outcome; its result as text."""
    try:
        values = _run(outcome.bench.contestants[name], task)
    except Failed as failure:
        outcome.failures[name] = str(failure)
        return f"failed: {failure}"
    outcome.rounds[name].append(values)
    return ", ".join(f"{column} {value:,.4g}" for column, value in values.items())


def _run(contestant: Contestant, task: dict[str, Any]) -> Values:
    """Raises Failed, without the name of a temporary folder, if there is no result."""
    root = task["shared"].parent
    with tempfile.TemporaryDirectory(dir=root) as work:
        try:
            return measured(contestant, task | {"work": work})
        except Failed as failure:
            raise Failed(str(failure).replace(f"{root}/", "")) from None
