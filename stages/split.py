"""Assign every record of the index to the test part or to a fold."""

from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import Field

from trackbed.dataset import groups, schema
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
    if p.validation_part == schema.TRAIN:
        records["part"] = records["part"].replace(schema.VALIDATION, schema.TRAIN)
    records, joins = joining.join_groups(records, *distances)
    large = groups.large_groups(records)
    found = [(index.JOINS_TABLE, joins), (index.LARGE_GROUPS_TABLE, large)]
    # Now, for whoever reads why the folds below cannot be made.
    _write_tables(data_path / index.GROUPS, found)
    table = folds.assigned(records, p.folds, p.test_share, p.seed)
    shares = folds.shares(records, table, p.test_share)
    counts = groups.counts(records, *distances) | folds.fold_sizes(shares)
    _write_tables(data_path / index.GROUPS, [*found, (index.SHARES_TABLE, shares)])
    _write_tables(data_path / index.FOLDS, [(index.FOLDS_TABLE, table)])
    tables.write_metrics(metrics_path / index.GROUPS_FILE, counts)
    print(_summary(table, counts), joining.summary(joins), sep="\n")
    for warning in (groups.large_group_warning(large), folds.share_warning(shares)):
        if warning:
            print(f"WARNING: {warning}")


def _write_tables(path: Path, found: list[tuple[tables.TableFile, pd.DataFrame]]) -> None:
    with replacing_folder(path) as folder:
        for file, table in found:
            file.write(folder, table)


def _summary(table: pd.DataFrame, counts: dict[str, Any]) -> str:
    parts = table["part"].value_counts()
    official = " (fold 0: the official validation part)" if counts["official_validation"] else ""
    sizes = f"{counts['smallest_fold']:,}"
    if counts["largest_fold"] > counts["smallest_fold"]:
        sizes += f" to {counts['largest_fold']:,}"
    return (
        f"{parts['train']:,} training images in {table['fold'].max() + 1} folds of "
        f"{sizes} images{official}, "
        f"{parts['test']:,} test images ({parts['test'] / len(table):.1%})"
    )


if __name__ == "__main__":
    run(main)
