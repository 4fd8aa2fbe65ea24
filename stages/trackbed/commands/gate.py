"""`trackbed gate`: may this result be merged?"""

import argparse

HELP = "fail where the scores are too low, or worse than a base by more than chance"
DESCRIPTION = """\
Fail if the macro F1 of the workspace is below gate.macro_f1_floor of params.yaml, or lower than
that of a base revision by more than gate.allowed_drop and by more than chance: the 95 % interval
of the difference, paired and over groups, must leave out 0.

exit code: 0 it may be merged, 1 it may not (the reasons are printed), 2 it cannot tell.
Neither TensorFlow nor any image is needed; the predictions of the base come from DVC's cache or
remote."""
FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument(
        "--base", metavar="REV", help="commit, branch, tag or experiment; default: the floor alone"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the verdict; the exit code. Raises UserError where it cannot tell."""
    from trackbed.evaluation import comparison
    from trackbed.experiments import revisions
    from trackbed.pipeline import params

    p = params.load("gate", comparison.GateParams)
    macro_f1 = revisions.macro_f1(revisions.WORKSPACE)
    change = None
    if arguments.base:
        change = revisions.comparison(arguments.base, revisions.WORKSPACE)
        value, low, high = change.difference
        print(
            f"macro F1 {change.macro_f1[1]:.4f}, {arguments.base} {change.macro_f1[0]:.4f}: "
            f"difference {value:+.4f} (95 % interval {low:+.4f} to {high:+.4f}) on "
            f"{change.images} images of {change.groups} groups"
        )
    reasons = comparison.reasons_against(macro_f1, p.macro_f1_floor, change, p.allowed_drop)
    for reason in reasons:
        print(f"FAILED: {reason}")
    if not reasons:
        print(f"passed: macro F1 {macro_f1:.4f}, floor {p.macro_f1_floor:.4f}")
    return FAILED if reasons else 0
