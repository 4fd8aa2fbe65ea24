"""Assign every record of the index to the test part or to a fold."""

from pathlib import Path

from pydantic import Field

from trackbed import index, params
from trackbed.ingest import partition
from trackbed.outputs import replacing_folder
from trackbed.stage import run


class SplitParams(params.Section):
    """Section `split` of params.yaml."""

    folds: int = Field(ge=2)  # the validation share is 1 / folds
    test_share: float = Field(gt=0, lt=1)  # share of images; unused with an official test part
    seed: int = Field(ge=0, lt=2**31)


def main(records_path: Path, folds_path: Path) -> None:
    """Write folds.csv: part and fold of every record."""
    p = params.load("split", SplitParams)
    table = partition.partition(index.read(records_path), p.folds, p.test_share, p.seed)
    with replacing_folder(folds_path) as folder:
        index.write_folds(folder, table)
    parts = table["part"].value_counts()
    share = parts["test"] / len(table)
    print(
        f"{parts['train']} training images in {p.folds} folds, "
        f"{parts['test']} test images ({share:.1%})"
    )


if __name__ == "__main__":
    run(main)
