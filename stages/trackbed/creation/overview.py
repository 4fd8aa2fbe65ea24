"""What a new project says of itself: its README.md, and the lines that `trackbed new` prints."""

import importlib.util
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template

from trackbed.creation import project_files
from trackbed.creation.proposals import Proposal
from trackbed.creation.source_facts import SourceFacts
from trackbed.pipeline.operating_system import IS_POSIX

README = project_files.PACKAGE / project_files.TEMPLATES / "README.md"
ACTIVATION = "source {}/bin/activate" if IS_POSIX else r"{}\Scripts\activate"
# In this place of a Markdown table a bar or a backquote would end the cell or the code.
NOT_IN_CODE = str.maketrans({"|": "\\|", "`": "'"})


def readme(
    title: str, kept: str, facts: SourceFacts, values: Sequence[Proposal], notes: Sequence[str]
) -> str:
    """The README.md of a project; `kept`: how its pictures are kept, in Markdown."""
    cells = [(one.name, one.text, one.reason) for one in values]
    rows = [
        f"| `{name}` | `{value.translate(NOT_IN_CODE)}` | {reason.translate(NOT_IN_CODE)} |"
        for name, value, reason in cells
    ]
    return Template(README.read_text(encoding="utf-8")).substitute(
        title=title,
        version=project_files.version(),
        pictures=kept,
        images=f"{facts.images:,}",
        classes=f"{len(facts.listing.classes):,}",
        table="\n".join(["| parameter | value | why |", "|---|---|---|", *rows]),
        notes="\n".join(f"\n{one}" for one in notes),
    )


def summary(folder: Path, values: Sequence[Proposal], notes: Sequence[str]) -> Iterator[str]:
    """What was made, the values with their reasons, and what to do next, line by line."""
    yield f"\n{folder}: a project, committed. Values of params.yaml, and why:"
    names, widest = max(len(one.name) for one in values), max(len(one.text) for one in values)
    for one in values:
        yield f"  {one.name:{names}}  {one.text:{widest}}  {one.reason}"
    for note in notes:
        yield f"\n{note}"
    yield "\nNext:"
    for command in _next_commands(folder):
        yield f"  {command}"


def _next_commands(folder: Path) -> Iterator[str]:
    """What to type now, as far as this environment has the programs."""
    if folder.resolve() != Path.cwd().resolve():
        yield f"cd {shlex.quote(str(folder))}"
    if importlib.util.find_spec("tensorflow") is None:
        yield "make repro             # installs the locked environment, then runs the pipeline"
    else:
        # The stages run the `python` of the path.
        own = Path(sys.prefix)
        if any(own not in Path(shutil.which(name) or "/").parents for name in ("dvc", "python")):
            yield ACTIVATION.format(shlex.quote(str(own)))
        yield "dvc repro              # trains, evaluates and reports"
    yield "# then open plots/report.html, and keep the results:"
    yield "git add -A && git commit -m 'First results'"
