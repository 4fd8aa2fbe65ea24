"""`trackbed drift`: whether new pictures still look like those that the model was scored on."""

import argparse
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from trackbed.pipeline import operating_system
from trackbed.pipeline.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from trackbed.drift.delivery import Delivery
    from trackbed.drift.picture_groups import GroupRule
    from trackbed.inference.exported_model import ExportedModel

HELP = "test whether new pictures still look like the held-out ones; list which to label first"
DESCRIPTION = """\
Compare the pictures of FOLDER with those that the model was not trained on, the test part and the
validation fold: pictures of the same answer (by a classifier on embeddings), the probabilities, and
light, colour and sharpness (here with the training pictures, too). Chance is found by exchanging
whole groups, so name the groups of the new pictures: by data.group of the training data, the column
group of a manifest.csv in FOLDER, or --group. The shares of the classes are estimated, too. See
docs/drift.md.

exit code: 0 no drift found, 1 drift, 2 cannot decide, because there are too few groups or something
is missing, 4 the model or a table is damaged. Needs the records, the folds and the exported model,
and no TensorFlow."""
DATA, MODELS = Path("data"), Path("models")
OUTPUTS = ("html", "json", "rejects", "output")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="of new pictures, with or without labels")
    add("--model", type=Path, default=Path("exported"), metavar="FOLDER", help="default: exported")
    add(
        "--group",
        metavar="REGEX",
        help="for the file name, its first (...) is the group; folder: the folder of the picture; "
        "none: pictures are independent; default: data.group of the training data",
    )
    add("--alpha", type=float, default=0.05, metavar="P", help="false alarms; default: 0.05")
    add("--seed", type=int, default=0, metavar="N", help="of the random exchanges; default: 0")
    add(
        "--html",
        type=Path,
        default=Path("plots/drift.html"),
        metavar="FILE",
        help="the page with the most different pictures; default: plots/drift.html",
    )
    add("--pictures", type=int, default=48, metavar="N", help="on the page; default: 48")
    add("--json", type=Path, metavar="FILE", help="also write the result there")
    add("--rejects", type=Path, metavar="FILE", help="list rejected pictures there, as CSV")
    add(
        "--label-first",
        type=int,
        metavar="N",
        help="also write a manifest of the N pictures to label first",
    )
    add(
        "--output",
        type=Path,
        metavar="FILE",
        help="of --label-first; default: label_first.csv in FOLDER; it must lie above the pictures",
    )
    add("--force", action="store_true", help="replace the manifest if it exists")
    add("--threads", type=int, default=0, metavar="N", help="default: one per core")


def run(arguments: argparse.Namespace) -> int:
    """Print the result and write the files; the exit code. Raises UserError."""
    _check(arguments)
    from trackbed.dataset import pool
    from trackbed.drift import delivery, drift_result, observations, picture_groups
    from trackbed.inference.exported_model import ExportedModel
    from trackbed.pages import drift_page
    from trackbed.pipeline import index
    from trackbed.pipeline.outputs import write_json

    threads = arguments.threads or pool.cores()
    model = ExportedModel.load(arguments.model, threads)
    rows, trained = observations.rows_of_index(DATA, MODELS, arguments.seed)
    records_path = DATA / index.RECORDS
    index.refuse_other_classes(index.read(records_path), model.classes, arguments.model)
    _refuse_other_training(model)
    rule = picture_groups.rule(arguments.group, model.description)
    new = delivery.read(arguments.folder, model, rule, threads, arguments.group is not None)
    result = drift_result.compared(
        observations.of_records(model, records_path, rows),
        rows["label"].to_numpy(),
        new.observations,
        observations.training_pictures(records_path, trained, model.side),
        model.classes,
        arguments.alpha,
        arguments.seed,
    )
    in_records, trained_on = _known(new)
    known = int(in_records.sum()), trained_on
    print(drift_page.text(result, new, *known))
    drift_page.write(arguments.html, result, new, model, known, arguments.pictures)
    print(f"\npage: {arguments.html}")
    if arguments.json:
        write_json(arguments.json, drift_page.values(result, new, known[0]))
        print(f"written: {arguments.json}")
    if arguments.rejects:
        _write_rejects(arguments.rejects, new)
    if arguments.label_first:
        _write_manifest(arguments, model, new, rule, in_records)
    return drift_result.EXIT_CODES[result.verdict]


def _check(arguments: argparse.Namespace) -> None:
    """Raise UserError for arguments that cannot be, before anything slow."""
    from trackbed.pipeline.outputs import refuse_places

    if not 0 < arguments.alpha < 1:
        raise UserError(f"--alpha: must be above 0 and below 1, got {arguments.alpha:g}.")
    for name, least in (("threads", 0), ("pictures", 0), ("seed", 0), ("label_first", 1)):
        value = getattr(arguments, name)
        if value is not None and value < least:
            option = name.replace("_", "-")
            raise UserError(f"--{option}: must be {least} or more, got {value}.")
    if arguments.output and arguments.label_first is None:
        raise UserError("--output: names the manifest of --label-first N, which is missing.")
    if arguments.label_first is not None:
        path = _manifest_path(arguments)
        if path.exists() and not arguments.force:
            raise UserError(f"{path}: exists. --force replaces it, --output names another file.")
    places = {f"--{name}": getattr(arguments, name) for name in OUTPUTS}
    refuse_places(places, outside=arguments.model)


def _refuse_other_training(model: "ExportedModel") -> None:
    """Raise UserError where the model is not the one whose folds are here, if that can be seen."""
    path = MODELS / "model.keras"
    if not path.is_file():
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.description["model"]:
        raise UserError(
            f"{model.folder}: another model than {path}, so the held-out pictures are not known. "
            "Run `dvc repro export`, or run this in the project of that model."
        )


def _manifest_path(arguments: argparse.Namespace) -> Path:
    # Not manifest.csv: the next call would take its rows for all pictures of the folder.
    return arguments.output or arguments.folder / "label_first.csv"


def _known(new: "Delivery") -> "tuple[pd.Series, int]":
    """Which new pictures are in the records, bool, and how many the model was trained on."""
    import pandas as pd

    from trackbed.pipeline import index, tables

    table = index.assigned(DATA / index.RECORDS, DATA / index.FOLDS)
    validation = tables.VALIDATION_TABLE.read(MODELS)["record"]
    trained = table[(table["part"] == "train") & ~table["record"].isin(validation)]
    digests = pd.Series(new.digests)
    return digests.isin(set(table["sha256"])), int(digests.isin(set(trained["sha256"])).sum())


def _write_rejects(path: Path, new: "Delivery") -> None:
    from trackbed.inference.answer_files import RejectTable, opened

    with opened(path) as file:
        table = RejectTable(file)
        table.write_header()
        for one in new.rejected:
            table.write(one)
    print(f"written: {path}")


def _write_manifest(
    arguments: argparse.Namespace,
    model: "ExportedModel",
    new: "Delivery",
    rule: "GroupRule",
    in_records: "pd.Series",
) -> None:
    """Write the pictures to label first. Those in the records have a label already."""
    import numpy as np

    from trackbed.drift import label_order
    from trackbed.inference import novelty
    from trackbed.pipeline.outputs import replacing

    path, seen = _manifest_path(arguments), new.observations
    places = np.flatnonzero(~in_records.to_numpy())
    if not len(places):
        print(f"{path} is not written: all pictures are in the records, so they have labels.")
        return
    reference = novelty.read(model)
    novel = None if reference is None else reference.novelty(seen.embeddings)
    chosen = label_order.to_label(seen, model.classes, places, novel, arguments.label_first)
    # Without --group the pipeline finds them by data.group, beside which it refuses a column.
    grouped = new.has_manifest_groups or (arguments.group is not None and rule.pattern is not None)
    text = label_order.manifest(
        chosen,
        new.inputs,
        _names_below(new, path.parent),
        seen.groups if grouped else None,
        path,
    )
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    print(
        f"written: {path} ({len(chosen):,} pictures to label first). Fill in labels; `trackbed add "
        f"{path}` then copies these pictures into the source."
    )
    if reference is None:
        print("Ranked by uncertainty alone: the model has no reference. Run `dvc repro export`.")


def _names_below(new: "Delivery", folder: Path) -> list[str]:
    """The names of the new pictures relative to a folder, with forward slashes."""
    prefix = operating_system.relative_path(Path(new.folder), folder)
    return [Path(prefix, name).as_posix() for name in new.observations.names]
