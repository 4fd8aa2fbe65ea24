"""`trackbed leak`: list what training, validation and test images share."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HELP = "list what training, validation and test images share"
DESCRIPTION = """\
Count images that training, validation and test parts share, with examples: shared groups, identical
pixels, and near duplicates (perceptual hashes that differ in few bits, confirmed by comparing
pixels). A near duplicate may be chance, such as two dark signs; a shared group or identical pixels
are a leak.

With --experiment the recipe of params.yaml is trained twice per seed on the same images: with
random folds, and with grouped folds as the split stage makes them. Both models are evaluated on the
test part, whose groups neither was trained on. The random split's validation score minus its test
score is what a leak would add to the score.

exit code: 0 no leak, 1 a shared group or identical pixels, 2 unknown, because of an error."""
LEAKS = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument(
        "--distance",
        type=int,
        default=4,
        metavar="BITS",
        help="bits of 64 in which near duplicates may differ; default: 4",
    )
    parser.add_argument(
        "--experiment", action="store_true", help="train on a random and on the grouped split"
    )
    parser.add_argument(
        "--seeds", default="0", metavar="0,1,...", help="seeds of the experiment; default: 0"
    )
    for name in ("records", "folds"):
        parser.add_argument(
            f"--{name}-path", type=Path, default=Path("data", name), help=argparse.SUPPRESS
        )


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; the exit code. Raises UserError."""
    from trackbed.dataset import similarity
    from trackbed.experiments import leakage
    from trackbed.pipeline import index, params
    from trackbed.pipeline.errors import UserError
    from trackbed.training.train_params import TrainParams

    if not 0 <= arguments.distance < similarity.BITS:
        raise UserError(
            f"--distance: must be 0 to {similarity.BITS - 1}, got {arguments.distance}."
        )
    seeds = _seeds(arguments.seeds)
    fold = params.load("train", TrainParams).fold
    table = index.assigned(arguments.records_path, arguments.folds_path)
    leaks = leakage.leaks(table, fold, arguments.distance)
    print(text(leaks))
    split = params.sections().get("split", {})
    in_order = split.get("consecutive_distance", "") not in params.NULLS
    if not (in_order or leakage.groups_known(table)):
        print(
            "\nThe images have no groups, so the leak risk is unknown. See data.group and "
            "split.consecutive_distance in params.yaml."
        )
    if arguments.experiment:
        _experiment(table, seeds)
    found = any(leak.images for leak in leaks if leak.kind != leakage.NEAR)
    return LEAKS if found else 0


def text(leaks: Sequence[Any]) -> str:
    """The leaks as text: one line each, followed by its examples."""
    lines = []
    for leak in leaks:
        share = f" ({leak.images / leak.of:.1%})" if leak.of else ""
        lines.append(
            f"{leak.kind + ',':<17} {leak.training} and {leak.evaluated}: "
            f"{leak.images:,} of {leak.of:,} {leak.evaluated} images{share}"
        )
        lines += [f"    {evaluated}  like  {training}" for evaluated, training in leak.examples]
    return "\n".join(lines)


def _experiment(table: Any, seeds: list[int]) -> None:
    import pandas as pd

    from trackbed.experiments import leakage
    from trackbed.pipeline import params

    print("\nsplit    seed  validation            test, other groups    validation less test")
    print("               accuracy  macro F1    accuracy  macro F1    macro F1", flush=True)
    rows = []
    for one in leakage.compare_splits(Path(), table, params.sections(), seeds):
        values = [one.validation[name] for name in leakage.SCORES]
        values += [one.test[name] for name in leakage.SCORES]
        rows.append([one.split, *values])
        print(_line(one.split, f"{one.seed}", values), flush=True)
    if len(seeds) > 1:
        for split, part in pd.DataFrame(rows).groupby(0, sort=False):
            print(_line(split, "mean", part.iloc[:, 1:].mean().tolist()))


def _line(split: str, seed: str, values: Sequence[float]) -> str:
    first, second, third, fourth = (f"{value:.3f}" for value in values)
    gap = f"{values[1] - values[3]:+.3f}"
    return f"{split:<8} {seed:>4}  {first:>8}  {second:>8}    {third:>8}  {fourth:>8}    {gap:>8}"


def _seeds(text: str) -> list[int]:
    from trackbed.pipeline.errors import UserError

    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise UserError(f"--seeds {text}: must be numbers such as 0,1,2.") from None
