"""How often the 95 % intervals hold the truth: test parts drawn from known populations.

python benchmarks/coverage.py --parts 1000

A population has classes, groups of a class (drives, tracks) and images of a group. A group's own
share of right answers is drawn from a beta distribution whose intra-group correlation is stated;
each of its images is right with that share, else taken for another class at random. Every test
part is judged by the product and, beside it, by other ways to make an interval.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "stages"))

from trackbed.evaluation import bootstrap, intervals

RESULTS = Path(__file__).parent / "COVERAGE.md"
WAYS = (
    "`trackbed`",
    "percentiles, g - 1 of g groups",
    "percentiles, g of g groups",
    "percentiles, single images",
)
SCORES = ("macro F1", "accuracy", "class F1")
SPREAD = 0.04  # accuracy of the best and the worst class, above and below the mean
HEAD = """# Coverage of the intervals in simulation

`python benchmarks/coverage.py` writes this file. For each population it samples {parts:,} test
parts. The tables show how many of 100 intervals contain the true score of the population (the
coverage, which should be 95), and in parentheses the mean width of the interval. This number of
test parts measures the coverage to about ± {error:.1f}. [docs/scores.md](../docs/scores.md)
describes the kinds of intervals. The correlation is that between two images of a group being
classified correctly (beta-binomial). The accuracies of the classes are spread evenly within
± {spread} of the mean.
"""


@dataclass(frozen=True)
class Population:
    """groups: of every class; images: of a group, or (fewest, most) drawn evenly."""

    title: str
    groups: tuple[int, ...]
    images: int | tuple[int, int]
    accuracy: float
    correlation: float
    share: float = 1.0  # of the test parts asked for: large ones take long

    @property
    def shares(self) -> np.ndarray:
        """Right answers of every class."""
        classes = len(self.groups)
        return np.clip(self.accuracy + np.linspace(-SPREAD, SPREAD, classes), 0, 0.995)

    @property
    def truth(self) -> dict[str, np.ndarray | float]:
        """The scores of infinitely many test parts."""
        weights = np.array(self.groups) / sum(self.groups)
        wrong = weights * (1 - self.shares)
        right = weights * self.shares
        calls = right + (wrong.sum() - wrong) / (len(weights) - 1)
        f1 = 2 * right / (weights + calls)
        return {"macro F1": f1.mean(), "accuracy": right.sum(), "class F1": f1}


POPULATIONS = (
    Population("5 classes, 500 single images", (100,) * 5, 1, 0.9, 0.0),
    Population("5 classes, 200 groups of 5", (40,) * 5, 5, 0.9, 0.3),
    Population("26 groups of 5, as the built-in sample", (6, 5, 5, 5, 5), 5, 0.94, 0.3),
    Population("26 groups of 5, nearly equal frames", (6, 5, 5, 5, 5), 5, 0.9, 0.6),
    Population("43 classes, 10 tracks of 30 each", (10,) * 43, 30, 0.95, 0.3, 0.2),
    Population(
        "43 classes, 3 to 30 tracks of 30",
        tuple(np.linspace(3, 30, 43, dtype=int)),
        30,
        0.95,
        0.3,
        0.1,
    ),
    Population("5 classes, 40 to 5 groups of 1 to 19", (40, 20, 10, 5, 5), (1, 19), 0.9, 0.3),
    Population("5 classes, 3 groups of 20 each", (3,) * 5, 20, 0.9, 0.3),
    Population("5 classes, 2 groups of 20 each", (2,) * 5, 20, 0.9, 0.3),
)


def main() -> None:
    """Measure all populations and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", type=int, default=1000, help="test parts of each population")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, default=RESULTS, help="Markdown file to write")
    options = parser.parse_args()
    error = 1.96 * (95 * 5 / options.parts) ** 0.5
    lines = [HEAD.format(parts=options.parts, error=error, spread=SPREAD)]
    with ProcessPoolExecutor(options.jobs) as pool:
        for population in POPULATIONS:
            lines += section(population, options.parts, pool)
            print("\n".join(lines[-len(WAYS) - 7 :]), flush=True)
            options.out.write_text("\n".join(lines), encoding="utf-8")


def section(population: Population, parts: int, pool: Executor) -> list[str]:
    """The table of a population in Markdown."""
    held, wide = defaultdict(list), defaultdict(list)
    parts = round(parts * population.share)
    for found in pool.map(partial(measured, population), range(parts), chunksize=10):
        for place, inside, width in found:
            held[place].extend(inside)
            wide[place].extend(width)
    about = f"Accuracy {population.accuracy}, correlation {population.correlation}"
    about += f"; {parts:,} test parts." if population.share < 1 else "."
    lines = [f"## {population.title}", "", about, "", "| interval | " + " | ".join(SCORES) + " |"]
    lines.append("|---" + "|--:" * len(SCORES) + "|")
    for way in WAYS:
        cells = [
            f"{100 * np.mean(held[way, score]):.1f} ({np.mean(wide[way, score]):.3f})"
            for score in SCORES
        ]
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def measured(population: Population, part: int) -> list[tuple[tuple[str, str], list, list]]:
    """Of each way and score: whether intervals of a test part hold the truth, and widths."""
    truth = population.truth
    sampled = test_part(population, np.random.default_rng([part, len(population.groups)]))
    return [
        (
            (way, score),
            np.ravel((low <= truth[score]) & (truth[score] <= high)).tolist(),
            np.ravel(high - low).tolist(),
        )
        for way, score, low, high in intervals_of(*sampled, len(population.groups), part)
    ]


def test_part(
    population: Population, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, predictions and groups of images."""
    classes, number = len(population.groups), sum(population.groups)
    label = np.repeat(np.arange(classes), population.groups)
    own, rho = population.shares[label], population.correlation
    if rho:
        own = random.beta(own * (1 - rho) / rho, (1 - own) * (1 - rho) / rho)
    least, most = np.broadcast_to(population.images, 2)
    group = np.repeat(np.arange(number), random.integers(least, most + 1, number))
    labels = label[group]
    other = (labels + random.integers(1, classes, len(labels))) % classes
    return labels, np.where(random.random(len(labels)) < own[group], labels, other), group


def intervals_of(
    labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray, classes: int, seed: int
) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """Way, score, low and high ends."""
    ours = intervals.intervals(labels, predicted, groups, classes, seed)
    for score, key in (("macro F1", "macro_f1"), ("accuracy", "accuracy")):
        yield WAYS[0], score, *map(np.float64, ours.overall[key])
    yield WAYS[0], "class F1", *ours.f1.T
    single = np.arange(len(labels))
    for way, units, fewer in zip(WAYS[1:], (groups, groups, single), (1, 0, 0), strict=True):
        sampled = percentile_draws(labels, predicted, units, classes, seed, fewer)
        for score, values in zip(
            SCORES, (sampled.macro_f1, sampled.accuracy, sampled.f1), strict=True
        ):
            yield way, score, *np.nanquantile(values, [0.025, 0.975], axis=0)


def percentile_draws(
    labels: np.ndarray,
    predicted: np.ndarray,
    units: np.ndarray,
    classes: int,
    seed: int,
    fewer: int,
) -> bootstrap.Counts:
    """Draws of all units, or of one fewer, of every class."""
    counted = bootstrap.counts(labels, predicted, units, classes)
    tables = np.hstack([counted.right, counted.support, counted.calls])
    strata = counted.support.argmax(axis=1)
    if fewer:
        sampled = bootstrap.resampled_sums(tables, strata, seed)
    else:
        random = np.random.default_rng(seed)
        sampled = np.zeros((bootstrap.RESAMPLES, tables.shape[1]))
        for stratum in np.unique(strata):
            different, times = np.unique(tables[strata == stratum], axis=0, return_counts=True)
            number = times.sum()
            sampled += random.multinomial(number, times / number, bootstrap.RESAMPLES) @ different
    return bootstrap.Counts(*np.split(sampled, 3, axis=1))


if __name__ == "__main__":
    main()
