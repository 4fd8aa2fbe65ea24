"""Check every picture of the source folder and store it in TFRecord shards with an index."""

from contextlib import closing
from pathlib import Path

from pydantic import Field

from trackbed.dataset import check, duplicates, findings, groups, pool, recording, sources
from trackbed.dataset.part_name import PartName
from trackbed.pictures.rejections import Boxes, Limits
from trackbed.pipeline import index, params, tables
from trackbed.pipeline.outputs import replacing_folder
from trackbed.pipeline.params import Maybe
from trackbed.pipeline.runner import run

MEBIBYTE = 2**20


class DataParams(params.Section):
    """Section `data` of params.yaml."""

    source: str = Field(min_length=1)  # a folder
    parts: Maybe[dict[str, PartName]] = None  # what folders are, by name or path
    classes: Maybe[list[str]]
    group: Maybe[str]  # regular expression, or folder
    group_per_class: bool
    crop_margin: float = Field(ge=0)  # share of the box's side
    boxes: Boxes = "check"  # that count in a picture of another size
    max_rejects: float = Field(ge=0, le=1)  # share of the files
    max_pixels: int = Field(ge=1)  # width x height
    min_side: int = Field(ge=1)  # pixels
    max_aspect: float = Field(ge=1)  # longer side / shorter side
    white_level: Maybe[int] = Field(None, ge=1, le=65535)  # of 16-bit files that name none
    shard_size: float = Field(gt=0)  # MiB
    on_conflict: duplicates.OnConflict  # for the same picture in two classes, or in two parts


class RuntimeParams(params.Section):
    """Section `runtime` of params.yaml: what changes speed alone, so that DVC need not know."""

    workers: int = Field(ge=0)  # processes; 0 for one per core


def main(data_path: Path, metrics_path: Path) -> None:
    """Write the shards, index.csv, rejects.csv, findings.csv and the counts."""
    records_path = data_path / index.RECORDS
    p, runtime = params.load("data", DataParams), params.load("runtime", RuntimeParams)
    workers = runtime.workers or pool.cores()
    check.prepare(Path(p.source), workers)
    grouping = groups.Grouping(p.group, p.group_per_class)
    listing = sources.scan(Path(p.source), p.classes, grouping, p.parts)
    print(*listing.notes, sep="\n", end="\n" if listing.notes else "")
    limits = Limits(p.max_pixels, p.min_side, p.max_aspect, p.white_level, p.boxes)
    checked = check.SourceCheck(listing, limits, p.crop_margin, workers)
    with replacing_folder(records_path) as folder, closing(checked.accepted()) as pictures:
        shard_bytes = int(p.shard_size * MEBIBYTE)
        table = recording.write(folder, pictures, listing.classes, shard_bytes)
        complete, duplicate_counts = table, duplicates.counts(table)
        conflicts = duplicates.conflicts_to_reject(table, p.on_conflict)
        if len(conflicts):
            checked.reject(table, conflicts)
            examples = duplicates.example_records(conflicts)
            rejected = recording.write_rejected_records(folder, table, examples)
            index.REJECTED_TABLE.write(folder, rejected)
            table = recording.rewrite_without(folder, table, set(conflicts["record"]), shard_bytes)
        index.INDEX_TABLE.write(folder, table)
        index.REJECTS_TABLE.write(folder, checked.rejects())
        # Also where a failure of this stage leaves it.
        index.REJECTS_TABLE.write(check.CACHE, checked.rejects())
        checked.refuse_too_many_rejects(p.max_rejects, f"{check.CACHE}/{index.REJECTS_TABLE.name}")
        found = findings.findings(table, checked.noted())
        index.FINDINGS_TABLE.write(folder, found)
    # Also of pictures that were rejected for their conflicts.
    everything = findings.findings(complete, checked.noted()) if len(conflicts) else found
    counted = findings.kind_counts(everything)
    counts = checked.counts() | duplicate_counts | counted | findings.spread(table)
    tables.write_metrics(metrics_path / index.COUNTS_FILE, counts, index.COUNTS_COLUMNS)
    print(checked.summary())
    for sentence in findings.set_sentences(found):
        print(sentence)
    if unusual := findings.summary(counted):
        print(f"Looked unusual, listed in {records_path / index.FINDINGS_TABLE.name}: {unusual}")


if __name__ == "__main__":
    run(main)
