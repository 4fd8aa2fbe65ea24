"""`trackbed predict`: answers of an exported model for pictures."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trackbed.inference.inputs import Inputs
    from trackbed.inference.prediction import Prediction, Predictor

HELP = "predict the classes of pictures with an exported model"
DESCRIPTION = """\
Predict pictures with a model that the stage `export` wrote. Every PATH is a picture, a folder with
all that lies in it (in natural order: 2.jpg before 10.jpg), a pattern such as 'new/**/*.jpg', a
manifest (.csv, whose boxes are cut out as in the build), a TFRecord file, or - for names on
standard input, one a line or separated by zero bytes.

Answers are in the order of the pictures. What cannot be used is left out, as in the build: the
reasons are counted on standard error, and --rejects lists every file.

exit code: 0 there are answers (single files may be rejected), 3 there is no picture, or all are
rejected, 2 wrong arguments or no model, 4 the model is damaged."""
EXAMPLES = 3  # names per reason


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="pictures; see above")
    add("--model", type=Path, default=Path("exported"), metavar="FOLDER", help="default: exported")
    add("--output", type=Path, metavar="FILE", help="write the answers there; default: print them")
    add("--format", choices=["csv", "jsonl"], help="default: that of the name of FILE, or csv")
    add("--rejects", type=Path, metavar="FILE", help="list what was rejected there")
    add(
        "--embeddings",
        type=Path,
        metavar="FILE",
        help="write the embeddings there; .npy: a row per answer, .npz: with file names",
    )
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument(
        "--calibrated",
        action="store_true",
        default=None,
        help="probabilities with the fitted temperature; default: as the model was scored",
    )
    scale.add_argument(
        "--raw", action="store_false", dest="calibrated", help="the model's own probabilities"
    )
    add(
        "--threshold",
        type=float,
        metavar="P",
        help="refuse answers whose confidence is below P; default: the model's own threshold",
    )
    add("--threads", type=int, default=0, metavar="N", help="default: one per core")
    add(
        "--batch",
        type=int,
        default=8,
        metavar="N",
        help="pictures per thread at a time; default: 8",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the answers and say what was rejected; the exit code. Raises UserError."""
    from trackbed.inference import quick_start

    with quick_start.loading():
        _check(arguments)
        predictor, found = _loaded(arguments)
    with closing(predictor.predictions(found.pictures)) as predictions:
        return _written(arguments, predictor, found, predictions)


def _loaded(arguments: argparse.Namespace) -> "tuple[Predictor, Inputs]":
    """The model with the user's choices, and the pictures. Raises UserError."""
    from trackbed.dataset import pool
    from trackbed.inference import answers, inputs, novelty
    from trackbed.inference.exported_model import (
        DESCRIPTION_FILE,
        ExportedModel,
        read_description,
    )
    from trackbed.inference.prediction import Predictor
    from trackbed.pipeline.errors import BadData

    description = read_description(arguments.model)
    answers.refuse_unusable_classes(arguments.model / DESCRIPTION_FILE, description["classes"])
    rules = answers.rules(description, arguments.calibrated, arguments.threshold)
    found = inputs.listed(arguments.paths, sys.stdin.buffer.read)
    _note(found, arguments)
    if not found.pictures:
        raise BadData("no picture: nothing but hidden files, documents or empty folders was named.")
    threads, pictures = arguments.threads or pool.cores(), len(found.pictures)
    # Few pictures are shared out evenly; what is left of the threads serves single pictures.
    batch = max(1, min(arguments.batch, -(-pictures // threads)))
    model = ExportedModel.load(arguments.model, max(1, threads // -(-pictures // batch)))
    return Predictor(model, rules, batch, threads, novelty.read(model)), found


def _check(arguments: argparse.Namespace) -> None:
    """Raise UserError for arguments that cannot be."""
    from trackbed.pipeline.errors import UserError

    threshold = arguments.threshold
    if threshold is not None and not 0 <= threshold <= 1:
        raise UserError(f"--threshold: must be 0 to 1, got {threshold:g}.")
    for name, least in (("threads", 0), ("batch", 1)):
        if (value := getattr(arguments, name)) < least:
            raise UserError(f"--{name}: must be {least} or more, got {value}.")
    _check_outputs(arguments)


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Raise UserError for outputs that would take the place of something else."""
    from trackbed.pipeline.outputs import refuse_places

    if arguments.embeddings:
        from trackbed.inference.embedding_file import refuse_ending

        refuse_ending(arguments.embeddings)
    files = {f"--{name}": getattr(arguments, name) for name in ("output", "rejects", "embeddings")}
    refuse_places(files, arguments.paths, arguments.model)


def _note(found: "Inputs", arguments: argparse.Namespace) -> None:
    """Say what the paths hold beside pictures. Raises UserError for an output that is an input."""
    from trackbed.pipeline.errors import UserError

    for note in found.notes:
        print(note, file=sys.stderr)
    if found.repeated:
        print(f"named more than once, predicted once: {found.repeated:,}", file=sys.stderr)
    for name in ("output", "rejects", "embeddings"):
        path = getattr(arguments, name)
        real = path and os.path.realpath(path)
        for picture in found.pictures if path else ():
            if picture.path.endswith(path.name) and os.path.realpath(picture.path) == real:
                raise UserError(f"--{name} {path}: is one of the pictures.")


def _written(
    arguments: argparse.Namespace,
    predictor: "Predictor",
    found: "Inputs",
    predictions: "Iterable[Prediction]",
) -> int:
    """Write the predictions to all files; the exit code."""
    from trackbed.inference import embedding_file
    from trackbed.inference.answer_files import AnswerTable, RejectTable, format_of, opened
    from trackbed.pipeline.errors import BadData

    with ExitStack() as stack:
        output, rejects = arguments.output, arguments.rejects
        file = stack.enter_context(opened(output)) if output else _standard_output()
        boxes = any(picture.box for picture in found.pictures)
        has_novelty = predictor.reference is not None
        classes = predictor.rules.classes
        format = arguments.format or format_of(output)
        table = AnswerTable(file, format, classes, boxes, has_novelty)
        table.refuse_formulas(picture.name for picture in found.pictures)
        listed = rejects and RejectTable(stack.enter_context(opened(rejects)), format_of(rejects))
        path = arguments.embeddings
        rows = path and stack.enter_context(embedding_file.opened(path))
        table.write_header()
        if listed:
            listed.write_header()
        counts = Counts()
        for one in stack.enter_context(_progress(predictions, found, arguments)):
            counts.add(one)
            if one.answer:
                table.write(one)
                if rows:
                    rows.add(one.name, one.embedding)
            elif listed:
                listed.write(one)
    print("\n".join(counts.lines(found.ignored)), file=sys.stderr)
    return 0 if counts.answered else BadData.exit_code


def _standard_output() -> Any:
    """Standard output, in UTF-8 whatever the locale says."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    return sys.stdout


@contextmanager
def _progress(
    predictions: "Iterable[Prediction]", found: "Inputs", arguments: argparse.Namespace
) -> "Iterator[Iterable[Prediction]]":
    """The predictions; on a terminal that shows no answers a bar counts them."""
    if not sys.stderr.isatty() or (arguments.output is None and sys.stdout.isatty()):
        yield predictions
        return
    from rich.console import Console
    from rich.progress import track

    from trackbed.pictures import standard_error

    with standard_error.uncaught() as terminal:
        console = Console(file=terminal, force_terminal=True)
        total = len(found.pictures)
        yield track(predictions, "predicting", total=total, console=console, transient=True)


class Counts:
    """How many pictures were answered, refused and rejected, and why."""

    def __init__(self) -> None:
        self.answered = self.refused = 0
        self._without_threshold = False
        self._names: dict[str, list[str]] = {}  # by reason, a few
        self._reasons: Counter[str] = Counter()

    def add(self, one: "Prediction") -> None:
        """Count a prediction."""
        if one.answer:
            self.answered += 1
            self.refused += bool(one.answer.refused)
            self._without_threshold |= one.answer.refused is None
            return
        self._reasons[one.reason] += 1
        names = self._names.setdefault(one.reason, [])
        if len(names) < EXAMPLES:
            names.append(one.name + (f"  ({one.detail})" if one.detail else ""))

    def lines(self, ignored: int) -> Iterator[str]:
        """The counts, with names for every reason. ignored: files that were left out unopened."""
        rejected = self._reasons.total()
        seen = self.answered + rejected
        yield (
            f"{seen:,} picture{'' if seen == 1 else 's'}: {self.answered:,} answered "
            f"({self.refused:,} of these refused), {rejected:,} rejected; "
            f"{ignored:,} other file{'' if ignored == 1 else 's'} ignored"
        )
        if self._without_threshold:
            yield "the model has no threshold, so nothing is refused; --threshold sets one"
        for reason, count in self._reasons.most_common():
            yield f"  {reason}: {count:,}"
            yield from (f"    {name}" for name in self._names[reason])
            if count > EXAMPLES:
                yield f"    and {count - EXAMPLES:,} more"
