"""`trackbed compare`: two runs on the same test images."""

import argparse
from pathlib import Path

HELP = "list fixed and newly wrong images between two runs, with significance"
DESCRIPTION = """\
Compare the predictions of two revisions (commits, branches, tags, experiments) on the same test
part: fixed and newly wrong images, the difference of macro F1 with its 95 % interval (paired
bootstrap over groups), McNemar's test, and the classes that changed. Revisions with other test
images, labels or classes are an error.

The predictions come from DVC's cache or remote, the pictures from the records of the workspace.
`dvc metrics diff` is the quick alternative."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument("first", metavar="REV1")
    parser.add_argument(
        "second", metavar="REV2", nargs="?", default="workspace", help="default: the workspace"
    )
    parser.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        default=Path("plots/comparison.html"),
        help="the page with pictures; default: plots/comparison.html",
    )
    parser.add_argument(
        "--pictures",
        type=int,
        default=48,
        metavar="N",
        help="pictures of each kind at most; default: 48",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the comparison and write the page. Raises UserError."""
    from trackbed.experiments import training_runs
    from trackbed.pages import comparison_page
    from trackbed.pipeline import index
    from trackbed.pipeline.outputs import refuse_places

    refuse_places({"--html": arguments.html})
    names = arguments.first, arguments.second
    change = training_runs.comparison(*names)
    print(comparison_page.text(change, *names))
    records_path = Path("data/records")
    if not (records_path / index.INDEX_TABLE.name).exists():
        print(f"No page with pictures: {records_path} is not here. `dvc pull {records_path}`.")
        return
    comparison_page.write(
        arguments.html, change, names, records_path, index.read(records_path), arguments.pictures
    )
    print(f"page: {arguments.html}")
