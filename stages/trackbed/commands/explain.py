"""`trackbed explain`: show the places of pictures that speak for their classes."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trackbed.pipeline.errors import BadData, UserError

if TYPE_CHECKING:
    import pandas as pd

    from trackbed.explanation.explained import Explained, Explainer
    from trackbed.inference.exported_model import ExportedModel
    from trackbed.pages.explanations_page import Explanations

HELP = "show where the model looks, for its mistakes or for any pictures"
DESCRIPTION = """\
Write a page of pictures with the places that speak for their classes: Grad-CAM on the log-odds of
a class, from the exported model.

Without a PATH it explains the test part of this project: the surest mistakes by the predicted
and by the true class, and right answers of every class for contrast. With PATHs it explains those
pictures by the predicted class, and by that of --class.

TensorFlow and models/model.keras are needed only for a network without a global average pooling,
such as scenes_underfit. See docs/explain.md.

exit code: 0 the page is written, 3 there is no picture, or all are rejected, 2 wrong arguments or
no model, 4 the model is damaged."""
DATA, MODELS = Path("data"), Path("models")
MAP_NAME = re.compile(r"\d{4,}_.*_.*\.png")  # of a file of --png, see explanations_page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="pictures, folders, patterns, manifests or TFRecord files, as of `trackbed predict`; "
        "default: the test part",
    )
    parser.add_argument(
        "--model", type=Path, default=Path("exported"), metavar="FOLDER", help="default: exported"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("plots/explanations.html"),
        metavar="FILE",
        help="the page; default: plots/explanations.html",
    )
    parser.add_argument(
        "--mistakes", type=int, default=48, metavar="N", help="of the test part; default: 48"
    )
    parser.add_argument(
        "--right",
        type=int,
        default=3,
        metavar="N",
        help="right answers of each class; default: 3",
    )
    parser.add_argument(
        "--most", type=int, default=100, metavar="N", help="pictures of the PATHs; default: 100"
    )
    parser.add_argument(
        "--class",
        dest="class_name",
        metavar="NAME",
        help="also show what speaks for this class in every picture",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the maps, a line of JSON per picture"
    )
    parser.add_argument(
        "--png", type=Path, metavar="FOLDER", help="also write each map as a PNG file"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the page and what else is wanted; the exit code. Raises UserError."""
    from trackbed.explanation import explainers
    from trackbed.inference.exported_model import ExportedModel
    from trackbed.pages import explanations_page
    from trackbed.pipeline.outputs import refuse_places
    from trackbed.reporting.formatting import plural

    for name, least in (("mistakes", 0), ("right", 0), ("most", 1)):
        if (value := getattr(arguments, name)) < least:
            raise UserError(f"--{name}: must be {least} or more, got {value}.")
    refuse_places(_files(arguments), arguments.paths, arguments.model)
    _refuse_other_files(arguments.png)
    model = ExportedModel.load(arguments.model)
    wanted = _wanted(arguments.class_name, model.classes, arguments.model)
    explainer = explainers.explainer(model, MODELS)
    of_pictures = _pictures if arguments.paths else _test_part
    found = of_pictures(arguments, model, explainer, wanted)
    explanations_page.write(arguments.out, found)
    print(f"written: {arguments.out} ({plural(len(found.entries), 'picture')})")
    if arguments.json:
        explanations_page.write_json(arguments.json, found.entries)
        print(f"written: {arguments.json}")
    if arguments.png:
        explanations_page.write_overlays(arguments.png, found.entries)
        print(f"written: {arguments.png}")
    return BadData.exit_code if found.left_out and not found.entries else 0


def _pictures(
    arguments: argparse.Namespace,
    model: "ExportedModel",
    explainer: "Explainer",
    wanted: Sequence[str],
) -> "Explanations":
    from trackbed.explanation import named_pictures
    from trackbed.inference import inputs
    from trackbed.pages import explanations_page
    from trackbed.pipeline.outputs import refuse_places

    sources = inputs.listed(arguments.paths, sys.stdin.buffer.read).pictures
    if not sources:
        raise BadData("no picture: nothing but hidden files, documents or empty folders was named.")
    refuse_places(_files(arguments), [source.path for source in sources])
    if len(sources) > arguments.most:
        print(
            f"the first {arguments.most:,} of {len(sources):,} pictures; --most N explains more",
            file=sys.stderr,
        )
    found = named_pictures.explained_pictures(explainer, model, sources[: arguments.most], wanted)
    for name, reason in found.left_out:
        print(f"{name}: {reason}", file=sys.stderr)
    return explanations_page.of_pictures(
        model.description["network"],
        found.entries,
        found.left_out,
        further=max(0, len(sources) - arguments.most),
    )


def _test_part(
    arguments: argparse.Namespace,
    model: "ExportedModel",
    explainer: "Explainer",
    wanted: Sequence[str],
) -> "Explanations":
    from trackbed.evaluation import mistakes
    from trackbed.explanation import explained
    from trackbed.pages import explanations_page
    from trackbed.pipeline import index, tables

    predictions = tables.PREDICTIONS_TABLE.read(DATA / tables.EVALUATION)
    records_path = DATA / index.RECORDS
    table = index.assigned(records_path, DATA / index.FOLDS)
    index.refuse_other_classes(table, model.classes, arguments.model)

    def explained_rows(rows: "pd.DataFrame") -> "list[Explained]":
        return explained.of_predictions(
            explainer,
            rows,
            model.classes,
            records_path,
            table,
            model.side,
            wanted=wanted,
            checked=True,
        )

    return explanations_page.of_test_part(
        model.description["network"],
        explained_rows(mistakes.surest_mistakes(predictions, arguments.mistakes)),
        explained_rows(explained.right_per_class(predictions, arguments.right)),
        predictions,
    )


def _files(arguments: argparse.Namespace) -> dict[str, Path | None]:
    return {"--out": arguments.out, "--json": arguments.json}


def _refuse_other_files(png: Path | None) -> None:
    if png is None or not png.exists():
        return
    if not png.is_dir():
        raise UserError(f"--png {png}: a file; name a folder.")
    if other := next((path for path in png.iterdir() if not MAP_NAME.fullmatch(path.name)), None):
        raise UserError(f"--png {png}: holds {other.name}, which is no map; name another folder.")


def _wanted(name: str | None, classes: Sequence[str], folder: Path) -> list[str]:
    if name is None:
        return []
    if name not in classes:
        raise UserError(f"--class: {folder} knows the classes {', '.join(classes)}, got {name!r}.")
    return [name]
