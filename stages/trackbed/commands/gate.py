"""`trackbed gate`: fail if a result is too poor to be merged."""

import argparse

HELP = "fail if the scores are too low, or significantly worse than a base"
DESCRIPTION = """\
Fail if the macro F1 of the workspace is below gate.macro_f1_floor of params.yaml, if it is not
above that of the baselines without a network by more than chance (gate.above_baseline), or if it is
lower than that of a base revision by more than gate.allowed_drop and significantly so: the 95 %
interval of the difference (paired bootstrap over groups) excludes 0.

exit code: 0 passed, 1 failed (the reasons are printed), 2 unknown, because a file is missing or
the base was evaluated on another test part.
Needs neither TensorFlow nor images; the predictions of the base come from DVC's cache or remote."""
FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument(
        "--base",
        metavar="REV",
        help="commit, branch, tag or experiment; default: check the scores of the workspace only",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the verdict; the exit code. Raises UserError where a score is missing."""
    from trackbed.evaluation import comparison
    from trackbed.experiments import training_runs
    from trackbed.pipeline import params

    p = params.load("gate", comparison.GateParams)
    scores = training_runs.scores(training_runs.WORKSPACE)
    change = None
    if arguments.base:
        change = training_runs.comparison(arguments.base, training_runs.WORKSPACE)
        value, low, high = change.difference
        print(
            f"macro F1 {change.macro_f1[1]:.4f}, {arguments.base} {change.macro_f1[0]:.4f}: "
            f"difference {value:+.4f} (95 % interval {low:+.4f} to {high:+.4f}) on "
            f"{change.images} images of {change.groups} groups"
        )
    reasons = comparison.reasons_against(scores, p, change)
    for reason in reasons:
        print(f"FAILED: {reason}")
    if not reasons:
        print(f"passed: macro F1 {scores['macro_f1']:.4f}, floor {p.macro_f1_floor:.4f}")
    return FAILED if reasons else 0
