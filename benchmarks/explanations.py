"""Do the maps of `trackbed explain` point at what the answers rest on? Measured on a test part.

    python benchmarks/explanations.py [PROJECT ...]

For each project whose pipeline has run: the deletion test (see explanation.deletion) for the
predicted classes, with both ways to delete, and the rank correlation of the maps with those of the
same network with shuffled weights (Adebayo et al. 2018, arXiv 1810.03292), which should be near 0.
Prints the tables of docs/explain.md.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from scipy import stats

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "stages"))

from trackbed.explanation import deletion, explained, explainers  # noqa: E402
from trackbed.inference import exported_model  # noqa: E402
from trackbed.inference.class_activation import Explainer  # noqa: E402
from trackbed.inference.exported_model import ExportedModel  # noqa: E402
from trackbed.inference.head import Dense, Head  # noqa: E402
from trackbed.pipeline import index  # noqa: E402
from trackbed.records import reader  # noqa: E402

FILLS = {"blurred": deletion.blurred, "mean colour": deletion.mean_colour}


def main(projects: list[Path], seed: int) -> None:
    """Print both tables for the projects."""
    measured = [list(deletions(project, seed)) for project in projects]
    print(
        "| data | test images | deleted is | top 25 % | random 25 % | bottom 25 % | top / random |"
    )
    print("|---|--:|---|--:|--:|--:|--:|")
    print("\n".join(row for rows in measured for row in rows))
    print("\n| data | rank correlation with the maps of shuffled weights |\n|---|--:|")
    for project in projects:
        print(f"| {project.name} | {shuffled_correlation(project, seed):.2f} |")


def deletions(project: Path, seed: int) -> Iterator[str]:
    """Rows of the table of deletion tests."""
    model, explainer, images = test_part(project)
    labels = model.probabilities(images).argmax(axis=1)
    maps = maps_of(explainer, images, labels)
    for name, fill in FILLS.items():
        found = deletion.measured(model.probabilities, images, labels, maps, fill=fill, seed=seed)
        shares = f"{found.top:.3f} | {found.random:.3f} | {found.bottom:.3f}"
        ratio = f"{found.top / found.random:.2f}"
        yield f"| {project.name} | {len(images):,} | {name} | {shares} | {ratio} |"


def shuffled_correlation(project: Path, seed: int) -> float:
    """Mean rank correlation of the maps of a model with those of its shuffled weights."""
    model, explainer, images = test_part(project)
    labels = model.probabilities(images).argmax(axis=1)
    others = maps_of(shuffled(explainer, seed), images, labels)
    pairs = zip(maps_of(explainer, images, labels), others, strict=True)
    found = [stats.spearmanr(one.ravel(), other.ravel()).statistic for one, other in pairs]
    return float(np.nanmean(found))


def test_part(project: Path) -> tuple[ExportedModel, Explainer, np.ndarray]:
    """The exported model of a project, its explainer, and the images of the test part."""
    model = ExportedModel.load(project / "exported")
    records_path = project / "data" / index.RECORDS
    table = index.assigned(records_path, project / "data" / index.FOLDS)
    rows = table[table["part"] == "test"]
    images = reader.pixels(records_path, rows, model.side, model.side)
    return model, explainers.explainer(model, project / "models"), images


def maps_of(explainer: Explainer, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The maps of images for some classes: float32, shape (images, height, width)."""
    starts = range(0, len(images), explained.BATCH)
    ends = [(start, start + explained.BATCH) for start in starts]
    return np.concatenate(
        [explainer.explained(images[start:end], labels[start:end])[1] for start, end in ends]
    )


def shuffled(explainer: Explainer, seed: int) -> Explainer:
    """The explainer of the same network with the weights of every layer in random order."""
    draw = np.random.default_rng(seed)
    proto = onnx.load(explainer.model.folder / exported_model.MODEL_FILE)
    for tensor in proto.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 1:
            tensor.CopyFrom(onnx.numpy_helper.from_array(mixed(values, draw), tensor.name))
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    layers = [
        Dense(mixed(one.kernel, draw), mixed(one.bias, draw), one.activation)
        for one in explainer.head.layers
    ]
    return replace(explainer, model=replace(explainer.model, session=session), head=Head(layers))


def mixed(values: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """The values in random order, in the same shape."""
    return draw.permutation(values.ravel()).reshape(values.shape)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("projects", nargs="*", type=Path, default=[Path()], metavar="PROJECT")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    main(arguments.projects, arguments.seed)
