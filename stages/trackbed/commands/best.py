"""`trackbed best`: rank the finished experiments and test the best one for significance."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trackbed.pipeline.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from trackbed.experiments.experiment import Experiment

HELP = "rank the experiments and test the best against the next"
DESCRIPTION = """\
Rank the finished experiments by a score and test whether the best one is significantly better than
the runner-up. Failed, queued and running experiments and the workspace are left out.

Experiments belong to the commit that they started from. Those of HEAD count, and those of every
other commit with the same code, data and pipeline; where there are none, those of the nearest
earlier commit that has any. --rev ranks the experiments of one commit alone.

Experiments that differ only in train.fold and train.seed are one setting, ranked by its mean over
the folds. A setting that lacks a fold which others have is not ranked. Two cross-validated settings
are compared by their paired differences over the folds (corrected t interval, Nadeau and Bengio
2003), others by a paired bootstrap over groups on their test predictions.

The default score is the validation macro F1. A test score that was used to choose a setting is no
longer an unbiased estimate. Test scores on another test part than that of the commit are left out.
--apply and --branch take the run of the first fold (fold 0) of a cross-validated setting."""
DEFAULT = "val_macro_f1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument(
        "--metric",
        default=DEFAULT,
        metavar="KEY",
        help="a key of metrics/train/metrics.json or metrics/evaluate.json; default: val_macro_f1",
    )
    parser.add_argument("--folds", metavar="0,1,...", help="only runs on these folds")
    parser.add_argument(
        "--rev",
        metavar="REV",
        help="experiments of this commit alone; default: HEAD and commits with the same code",
    )
    parser.add_argument("--top", type=int, default=10, metavar="N", help="rows; default: 10")
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--apply", action="store_true", help="apply it to the workspace (dvc exp apply)"
    )
    action.add_argument("--branch", metavar="NAME", help="create a branch from it (dvc exp branch)")


def run(arguments: argparse.Namespace) -> None:
    """Print the ranking and the comparison; apply or branch. Raises UserError."""
    from trackbed.evaluation import cross_validation
    from trackbed.experiments import experiment, lineage, validity
    from trackbed.integrity import git
    from trackbed.pages import comparison_page
    from trackbed.reporting import formatting

    validity.check_project()
    baseline = git.commit(arguments.rev or "HEAD")
    if arguments.apply:
        _refuse_changes(baseline)
    by_commit, note = lineage.to_rank(baseline, alone=arguments.rev is not None)
    known = [one for several in by_commit.values() for one in several]
    if not known:
        others = formatting.listed([commit[:10] for commit in lineage.bases()], 5)
        raise UserError(
            f"Commit {baseline[:10]} has no finished experiment. Run `trackbed sweep` or "
            "`dvc exp run`; --rev names another commit"
            + (f". These have experiments: {others}." if others else ".")
        )
    if note:
        print(note)
    part = _test_part(known, baseline)
    known = _on_test_part(known, part)
    keys = experiment.varied_params(known)
    runs, metric = experiment.with_metric(
        experiment.run_table(known, keys), known, arguments.metric
    )
    runs = cross_validation.comparable(_on_folds(runs, arguments.folds), keys)
    lower = experiment.lower_is_better(metric)
    table = cross_validation.table(runs, keys, metric, lower)
    _print_undefined(arguments.metric, known)
    _warn_of_test(metric)
    print(comparison_page.ranking_text(table, runs, keys, known, metric, arguments.top))
    print(comparison_page.compared(table, runs, keys, metric))
    _print_baseline(baseline, metric, part)
    chosen = comparison_page.standing(runs, keys, table.iloc[0])
    if arguments.apply:
        _refuse_other_commit(chosen, by_commit, baseline)
    _apply_or_branch(arguments, chosen)


def _on_folds(runs: "pd.DataFrame", folds: str | None) -> "pd.DataFrame":
    from trackbed.experiments.runs import parse_numbers

    if folds is None:
        return runs
    left = runs[runs["fold"].isin(parse_numbers(folds, "--folds"))]
    if left.empty:
        raise UserError(f"--folds {folds}: no experiment was validated on one of them.")
    return left


def _print_undefined(metric: str, known: "Sequence[Experiment]") -> None:
    """A line with the experiments that are not ranked because the score has no value in them."""
    from trackbed.experiments import experiment

    names = experiment.without_value(metric, known)
    if names:
        print(f"Not ranked, because {metric} is undefined: {', '.join(names)}.")


def _warn_of_test(metric: str) -> None:
    if metric.startswith("test_"):
        print(
            f"Note: {metric} is a score of the test part. Chosen by it, a setting has no unbiased "
            "test score any more."
        )


def _test_part(known: "Sequence[Experiment]", baseline: str) -> str | None:
    """Fingerprint of the commit's test part; where it has none, the most frequent one."""
    from trackbed.experiments import experiment

    parts = [one.test_part for one in experiment.from_commits({"HEAD": baseline})]
    parts = [part for part in parts if part] or [one.test_part for one in known]
    return max(parts, key=parts.count)


def _on_test_part(known: "Sequence[Experiment]", part: str | None) -> "list[Experiment]":
    """The experiments with the test scores that can be compared; a line says how many have not."""
    from trackbed.experiments import experiment
    from trackbed.reporting import formatting

    others = [one for one in known if one.test and one.test_part != part]
    if others:
        print(
            f"{formatting.plural(len(others), 'experiment')} on another test part, such as "
            f"{others[0].name}: nothing to compare, so the test scores are left out."
        )
    return experiment.on_test_part(known, part)


def _print_baseline(baseline: str, metric: str, part: str | None) -> None:
    from trackbed.experiments import experiment

    known = experiment.on_test_part(experiment.from_commits({"HEAD": baseline}), part)
    try:
        runs, metric = experiment.with_metric(experiment.run_table(known, []), known, metric)
    except UserError:
        return
    print(f"The commit itself: {metric} {runs[metric].iloc[0]:.4f} on fold {runs['fold'].iloc[0]}.")


def _refuse_changes(baseline: str) -> None:
    from trackbed.integrity import dvc_repo, git, revisions

    if git.commit() != baseline:
        raise UserError("--apply: only works with experiments of HEAD; leave out --rev.")
    _, modified = git.uncommitted()
    with dvc_repo.repository() as repo:
        modified += revisions.changed_data(repo)
    if modified:
        raise UserError(
            f"--apply: would overwrite changes that are not committed, such as {modified[0]}. "
            "Commit or stash them first (data: `dvc add`, then commit)."
        )


def _refuse_other_commit(
    row: "pd.Series", by_commit: "dict[str, list[Experiment]]", baseline: str
) -> None:
    """Raise UserError for an experiment that does not start from HEAD."""
    (commit,) = [
        commit
        for commit, several in by_commit.items()
        if row["commit"] in {one.commit for one in several}
    ]
    if commit != baseline:
        raise UserError(
            f"--apply: {row['name']} started from {commit[:10]}, and `dvc exp apply` would take "
            f"back every file that was committed since. `git checkout {commit[:10]}` first, or "
            "make a branch with --branch NAME."
        )


def _apply_or_branch(arguments: argparse.Namespace, row: "pd.Series") -> None:
    if arguments.apply:
        _apply(row["commit"], row["name"])
        print(f"{row['name']} is in the workspace; `git checkout . && dvc checkout` takes it back.")
    elif arguments.branch:
        _dvc_exp("branch", row["commit"], arguments.branch)
        print(f"{row['name']} is branch {arguments.branch}.")


def _apply(commit: str, name: str) -> None:
    """Apply an experiment whole, or raise UserError and leave the workspace as it was."""
    from trackbed.integrity import dvc_repo, git, revisions

    with dvc_repo.repository() as repo:
        revisions.refuse_incomplete(repo, commit, f"--apply: {name}")
        revisions.refuse_losses(repo)
    untracked, _ = git.uncommitted()
    try:
        _dvc_exp("apply", commit)
    except UserError:
        git.run("checkout", "--quiet", "HEAD", "--", ".")
        for path in set(git.uncommitted()[0]) - set(untracked):
            Path(path).unlink()
        _dvc("checkout", "--force")
        raise


def _dvc_exp(*arguments: str) -> None:
    _dvc("exp", *arguments)


def _dvc(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise UserError(f"dvc {' '.join(arguments[:2])}: {done.stdout.strip()}")
