"""Assign every record of the index to the test part or to a fold."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from trackbed.dataset import groups
from trackbed.pipeline import index, params, tables
from trackbed.pipeline.outputs import replacing_folder
from trackbed.pipeline.params import Maybe
from trackbed.pipeline.runner import run
from trackbed.splitting import folds, joining


class SplitParams(params.Section):
    """Section `split` of params.yaml."""

    # An official validation part becomes fold 0, or joins the training images.
    validation_part: Literal["fold", "train"] = "fold"

    folds: int = Field(ge=2)  # the validation share is 1 / folds
    test_share: float = Field(gt=0, lt=1)  # share of images; unused with an official test part
    seed: int = Field(ge=0, lt=2**31)
    join_distance: Maybe[int] = Field(ge=0, le=16)  # bits of 64, of near-duplicates
    consecutive_distance: Maybe[int] = Field(ge=0, le=32)  # of neighbours in name order


def main(data_path: Path, metrics_path: Path) -> None:
    """Write folds.csv, what was joined, large groups, shares of classes, and counts of these."""
    p = params.load("split", SplitParams)
    distances = p.join_distance, p.consecutive_distance
    records = index.read(data_path / index.RECORDS)
    if p.validation_part == index.TRAIN:
        records["part"] = records["part"].replace(index.VALIDATION, index.TRAIN)
    records, joins = joining.join_groups(records, *distances)
    table = folds.assigned(records, p.folds, p.test_share, p.seed)
    shares = folds.shares(records, table, p.test_share)
    counts = groups.counts(records, *distances) | folds.fold_sizes(shares)
    large = groups.large_groups(records)
    with replacing_folder(data_path / index.GROUPS) as folder:
        index.JOINS_TABLE.write(folder, joins)
        index.LARGE_GROUPS_TABLE.write(folder, large)
        index.SHARES_TABLE.write(folder, shares)
    with replacing_folder(data_path / index.FOLDS) as folder:
        index.FOLDS_TABLE.write(folder, table)
    tables.write_metrics(metrics_path / index.GROUPS_FILE, counts)
    parts = table["part"].value_counts()
    share = parts["test"] / len(table)
    print(
        f"{parts['train']:,} training images in {p.folds} folds of {counts['smallest_fold']:,} to "
        f"{counts['largest_fold']:,} images"
        f"{' (fold 0: the official validation part)' if counts['official_validation'] else ''}, "
        f"{parts['test']:,} test images ({share:.1%})"
    )
    print(joining.summary(joins))
    for warning in (groups.large_group_warning(large), folds.share_warning(shares)):
        if warning:
            print(f"WARNING: {warning}")


if __name__ == "__main__":
    run(main)
