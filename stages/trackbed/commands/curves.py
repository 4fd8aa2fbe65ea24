"""`trackbed curves`: why a training run went as it did, from its history."""

import argparse
import dataclasses
import os
from pathlib import Path
from typing import Any

from trackbed.pipeline.errors import UserError

HELP = "analyse training logs: best epoch, fit, convergence, anomalies"
DESCRIPTION = """\
Analyse the history of one training run, or of several side by side: best epoch and early stopping,
over- and under-fitting, convergence, the learning-rate schedule and its drops, anomalies, time.
The rules and their thresholds are in docs/curves.md.

A LOG is a table with one row per epoch or step (Keras, Lightning, Ultralytics, timm, fastai, W&B,
...), a history.json, JSON lines, a trainer_state.json, an event file of TensorBoard or its scalar
CSV, or a folder of DVCLive, MLflow, TensorBoard or CatBoost. Its content tells which, and the first
lines of the answer say what was taken for what; --columns corrects it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument("logs", type=Path, nargs="+", metavar="LOG")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="also write curves.html, curves.md and curves.json there; default: text only",
    )
    parser.add_argument(
        "--monitor", metavar="COLUMN", help="best epochs go by it; default: as logged, or val_loss"
    )
    parser.add_argument("--patience", type=int, metavar="N", help="of early stopping, in epochs")
    parser.add_argument(
        "--parameters", metavar="N[,N...]", help="of the networks, where the logs do not say"
    )
    parser.add_argument(
        "--columns",
        metavar="ROLE=COLUMN[,...]",
        help='what columns mean, e.g. "epoch=ep,train_loss=a,val_loss=b,val_accuracy=c"; a role is '
        "epoch, step, run, time, learning_rate, ignore, or a loss or score of train, val or test",
    )
    parser.add_argument("--classes", type=Path, metavar="FILE", help="a table of scores by class")


def run(arguments: argparse.Namespace) -> None:
    """Analyse, print, and write what was asked for. Raises UserError."""
    from trackbed.curves import assignment, log_readers, side_by_side
    from trackbed.curves.analysis import analysis, read_class_scores
    from trackbed.pages import curves_page

    if arguments.patience is not None and arguments.patience < 0:
        raise UserError(f"--patience: must be 0 or more, got {arguments.patience}.")
    side_by_side.refuse_twice([str(path) for path in arguments.logs])
    given = assignment.parsed(arguments.columns) if arguments.columns else ()
    found = [log_readers.runs(path, given) for path in arguments.logs]
    histories = _named([history for runs in found for history in runs])
    counts = _parameters(arguments.parameters, len(histories))
    options = {"monitor": arguments.monitor, "patience": arguments.patience}
    analyses = [
        analysis(history, parameters=count, **options)
        for history, count in zip(histories, counts, strict=True)
    ]
    compared = None
    if len(histories) > 1:
        compared = side_by_side.side_by_side(histories, analyses, arguments.monitor)
    classes = read_class_scores(arguments.classes) if arguments.classes else None
    findings = curves_page.Findings(histories, analyses, compared, classes)
    written = curves_page.write(arguments.out, findings) if arguments.out else []
    print(curves_page.text(findings))
    for path in written:
        print(f"written: {path}")


def _named(histories: list[Any]) -> list[Any]:
    """Several runs are named by what their paths do not have in common."""
    if len(histories) == 1:
        return histories
    try:
        common = Path(os.path.commonpath([Path(one.name).absolute().parent for one in histories]))
    except ValueError:  # they lie on several drives of Windows
        return histories
    return [
        dataclasses.replace(one, name=Path(one.name).absolute().relative_to(common).as_posix())
        for one in histories
    ]


def _parameters(text: str | None, runs: int) -> list[int | None]:
    if text is None:
        return [None] * runs
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"--parameters {text}: must be whole numbers, one per run.") from None
    if len(counts) != runs:
        raise UserError(f"--parameters {text}: {len(counts)} numbers for {runs} runs.")
    return counts
