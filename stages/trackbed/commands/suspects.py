"""`trackbed suspects`: list training images whose label is probably wrong."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trackbed.pipeline.errors import UserError

if TYPE_CHECKING:
    from trackbed.experiments.training_runs import Training

HELP = "list training images whose label is probably wrong, with pictures"
DESCRIPTION = """\
Rank the training images by the probability that a model not trained on them gives to their label,
lowest first, and write the first ones as a list and as a page of pictures.

It needs a cross-validated run, `trackbed sweep --folds all`: then every training image is in the
validation fold of one model. The models' predictions come from DVC's cache. The score is the
self-confidence, the probability of the given label (Northcutt, Jiang and Chuang 2021).

Nothing is removed or changed: difficult pictures rank high as well as wrong labels. See
docs/suspects.md."""
METHODS = ("self-confidence", "cleanlab")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument(
        "--most", type=int, default=100, metavar="N", help="images in the list; default: 100"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("suspects"), metavar="FOLDER", help="default: suspects"
    )
    parser.add_argument(
        "--method",
        choices=METHODS,
        default=METHODS[0],
        help="self-confidence ranks all images; cleanlab ends the list after as many as it "
        "estimates to be mislabelled (needs cleanlab: make suspects)",
    )
    parser.add_argument(
        "--setting",
        metavar="NAME",
        help="the setting of the run of this name, if there are several",
    )
    parser.add_argument("--partial", action="store_true", help="accept a run that lacks some folds")
    parser.add_argument(
        "--rev",
        metavar="REV",
        help="experiments of this commit alone; default: HEAD, and where they lack folds commits "
        "with the same code and data",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the first suspects, write list and page. Raises UserError."""
    from trackbed.evaluation import mistakes
    from trackbed.experiments import out_of_fold, validity
    from trackbed.pages import suspects_page
    from trackbed.pipeline import index

    if arguments.most < 1:
        raise UserError(f"--most: must be at least 1, got {arguments.most}.")
    validity.check_project()
    records_path = Path("data/records")
    table = index.assigned(records_path, Path("data/folds"))
    training = table[table["part"] == "train"]
    folds = int(training["fold"].max()) + 1
    known = _of_these_data(_trainings(arguments.rev, folds))
    setting = out_of_fold.select(known, folds, arguments.setting, arguments.partial)
    predictions = out_of_fold.predictions(setting, table)
    ranked = mistakes.ranked(predictions, by_cleanlab=arguments.method == METHODS[1])
    found = suspects_page.Found(
        ranked.head(arguments.most),
        method=arguments.method,
        ranked=len(ranked),
        scored=len(predictions),
        training=len(training),
        folds=setting.folds,
        of_folds=folds,
        runs=[one.name for one in setting.runs],
    )
    print(suspects_page.text(found))
    for path in suspects_page.write(arguments.out, found, records_path, table):
        print(f"written: {path}")


def _trainings(revision: str | None, folds: int) -> "list[Training]":
    """Those of a commit; for None of HEAD, and of other commits where HEAD's lack folds."""
    from trackbed.experiments import lineage, out_of_fold, training_runs
    from trackbed.integrity import git

    own = training_runs.finished(revision or "HEAD")
    here = training_runs.workspace_data()
    settings = out_of_fold.by_setting([one for one in own if one.data() == here])
    if revision is not None or any(len(one.folds) == folds for one in settings):
        return own
    others = lineage.with_same_source(git.commit())[1:]
    if others:
        names = ", ".join(commit[:7] for commit in others)
        print(f"The trainings of HEAD lack folds. With the same code and data: those of {names}.")
    return training_runs.finished("HEAD", others)


def _of_these_data(known: "list[Training]") -> "list[Training]":
    """The trainings on the records and folds of the workspace; the others are printed."""
    from trackbed.experiments import training_runs

    here = training_runs.workspace_data()
    left = [one for one in known if one.data() == here]
    if known and not left:
        raise UserError(
            f"The {len(known)} finished trainings, such as {known[0].name}, are of other records "
            "or folds than those of the workspace's dvc.lock. Go to their commit with "
            "`git checkout` and `dvc checkout`, or cross-validate anew: `trackbed sweep "
            "--folds all`."
        )
    if others := [one.name for one in known if one not in left]:
        print(f"Left out, trained on other records or folds: {', '.join(others)}.")
    return left
