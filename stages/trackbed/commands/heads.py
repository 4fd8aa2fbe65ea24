"""`trackbed heads`: compare settings of the head on a frozen backbone, all at once."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trackbed.experiments import overrides
from trackbed.pipeline.errors import UserError

HELP = "compare settings of the head on a frozen backbone, all at once"
DESCRIPTION = """\
Train the head of a frozen backbone in every combination of the given values, on every fold, all
at once, and rank the settings by their validation scores. It needs the embeddings that
`dvc repro embed` makes, changes no file of the pipeline, and keeps no model: put the best values
into params.yaml, or hand them to `dvc exp run`."""
SCORES = ["val_macro_f1", "val_accuracy", "val_loss"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    overrides.add_grid_option(parser, "train.KEY=VALUE[,VALUE...]")
    parser.add_argument(
        "--folds", default="all", metavar="all|0,1,...", help="folds to validate on; default: all"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every fold's scores")
    for name in ("records", "folds", "embeddings"):
        parser.add_argument(
            f"--{name}-path", type=Path, default=Path("data", name), help=argparse.SUPPRESS
        )


def run(arguments: argparse.Namespace) -> None:
    """Train, rank and print. Raises UserError."""
    from trackbed.pipeline import index
    from trackbed.pipeline.outputs import refuse_places, write_csv
    from trackbed.records import embedding_store

    refuse_places({"--csv": arguments.csv})
    settings = overrides.grid(arguments.assignments)
    readable = _readable(settings)
    table = index.assigned(arguments.records_path, arguments.folds_path)
    stored = embedding_store.read(arguments.embeddings_path)
    if stored is None:
        raise UserError(
            "params.yaml, train.network: there are no embeddings; `trackbed heads` is for frozen "
            "backbones. Use `dvc exp run -S ...`."
        )
    folds = _folds(arguments.folds, int(table["fold"].max()) + 1)
    points = list(_points(settings, folds))

    import pandas as pd

    from trackbed.experiments import head_search

    for point in points:
        head_search.refuse(point, stored)
    names = pd.DataFrame([setting | {"train.fold": fold} for setting in readable for fold in folds])
    scores = pd.concat([names, head_search.validation_scores(points, stored, table)], axis=1)
    if arguments.csv:
        write_csv(arguments.csv, scores)
    print(ranked(scores, list(readable[0])))


def ranked(scores: Any, keys: list[str]) -> str:
    """The settings by mean macro F1 over the folds, best first, as text.

    Equal scores are ordered by the lower loss, then as they were given. A setting that diverges
    on a fold has no mean and comes last.
    """
    from trackbed.reporting.formatting import plural

    groups = scores.groupby(keys, sort=False) if keys else scores.groupby(lambda row: "params.yaml")
    table = groups[SCORES].agg(lambda column: column.mean(skipna=False))
    table.insert(1, "std", groups["val_macro_f1"].std(ddof=1))
    order = {"by": ["val_macro_f1", "val_loss"], "ascending": [False, True]}
    table = table.sort_values(**order, kind="stable").reset_index()
    counts = plural(len(table), "setting"), plural(scores["train.fold"].nunique(), "fold")
    head = f"{counts[0]} on {counts[1]}; means, and the standard deviation of macro F1"
    if diverged := int(table["val_macro_f1"].isna().sum()):
        head += f"; {plural(diverged, 'setting')} diverged (-): lower train.learning_rate"
    return f"{head}\n{table.to_string(index=False, float_format='{:.4f}'.format, na_rep='-')}"


def _readable(settings: Sequence[overrides.Setting]) -> list[dict[str, str]]:
    """The values of the settings as text in one notation. Raises UserError for equal settings."""
    from trackbed.experiments import param_values

    readable = [
        {
            overrides.plain_key(key): param_values.short_text(
                param_values.canonical(overrides.parse_value(text))
            )
            for key, text in setting.items()
        }
        for setting in settings
    ]
    for number, setting in enumerate(readable):
        if setting in readable[:number]:
            given = ", ".join(f"{key}={value}" for key, value in setting.items())
            raise UserError(f"-S: the same setting comes twice, {given}. Give every value once.")
    return readable


def _points(settings: Sequence[overrides.Setting], folds: list[int]) -> Iterator[Any]:
    """The parameters of every setting on every fold. Raises UserError."""
    from trackbed.experiments import validity
    from trackbed.experiments.runs import FOLD
    from trackbed.pipeline import params
    from trackbed.training.train_params import TrainParams

    sections = params.sections()
    for setting in settings:
        for key in map(overrides.plain_key, setting):
            if not key.startswith("train.") or key == FOLD:
                raise UserError(f"-S {key}: must be a key of section train other than fold.")
        validity.check_settings([setting], sections)
        values = overrides.applied(sections, setting)["train"]
        for fold in folds:
            yield params.checked("train", TrainParams, values | {"fold": str(fold)})


def _folds(text: str, count: int) -> list[int]:
    if text == "all":
        return list(range(count))
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise UserError(f"--folds {text}: must be 'all' or numbers such as 0,1.") from None
