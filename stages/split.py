"""Assign every record of the index to the test part or to a fold."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from trackbed.dataset import folds, groups
from trackbed.pipeline import index, params, tables
from trackbed.pipeline.outputs import replacing_folder
from trackbed.pipeline.params import Maybe
from trackbed.pipeline.runner import run


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
    """Write folds.csv, part, fold and group of every record, and how the groups came about."""
    p = params.load("split", SplitParams)
    distances = p.join_distance, p.consecutive_distance
    records = index.read(data_path / index.RECORDS)
    if p.validation_part == index.TRAIN:
        records["part"] = records["part"].replace(index.VALIDATION, index.TRAIN)
    records = groups.join_groups(records, *distances)
    table = folds.assigned(records, p.folds, p.test_share, p.seed)
    counts = groups.counts(records, *distances)
    with replacing_folder(data_path / index.FOLDS) as folder:
        index.FOLDS_TABLE.write(folder, table)
    tables.write_metrics(metrics_path / index.GROUPS_FILE, counts)
    parts = table["part"].value_counts()
    share = parts["test"] / len(table)
    print(
        f"{parts['train']} training images in {p.folds} folds"
        f"{' (fold 0: the official validation part)' if counts['official_validation'] else ''}, "
        f"{parts['test']} test images ({share:.1%}); {counts['joined_images']} images were joined "
        f"into {counts['joined_groups']} groups because some of them look alike"
    )


if __name__ == "__main__":
    run(main)
