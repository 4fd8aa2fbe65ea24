"""False alarms and power of `trackbed drift`, and the error of its class shares, on a project.

    python benchmarks/drift.py PROJECT [--images 200] [--rounds 100] [--drives 0] [--by-image]

PROJECT holds data/records, data/folds, models/validation.csv and exported, as the pipeline leaves
them. Every round takes whole groups of the held-out pictures, about --images pictures, for a new
delivery and the rest for the held-out ones: as they are (a difference is a false alarm), and with
the pictures of the delivery changed before they are resized. --drives: so many drives of every
class of the built-in sample are drawn anew with another seed, and added to the held-out pictures.
--by-image: every picture is a group, for the false alarms of that.
Class shares: the delivery is sampled so that its shares differ from those of the held-out pictures.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

sys.path.insert(0, str(Path(__file__).parents[1] / "stages"))

from trackbed.drift import class_shares, drift_result, observations, two_sample
from trackbed.drift.observations import Observations, TrainingPictures
from trackbed.inference.exported_model import ExportedModel
from trackbed.records import reader, resizing
from trackbed.sample import drives

CHANGES = {
    "none": lambda image: image,
    "brightness x 0.8": lambda image: ImageEnhance.Brightness(image).enhance(0.8),
    "blur of radius 1": lambda image: image.filter(ImageFilter.GaussianBlur(1)),
}


@dataclass(frozen=True)
class Pool:
    """All held-out pictures as they are and changed, their labels and the number of their group."""

    seen: dict[str, Observations]
    labels: np.ndarray
    groups: np.ndarray
    classes: list[str]
    training: TrainingPictures


def resized(image, side):
    """As a JPEG that is decoded at a reduced scale, nearly: a changed picture has no file."""
    scale = resizing.jpeg_reduction((image.height, image.width), (side, side))
    target = np.empty((side, side, 3), np.uint8)
    resizing.resize(np.asarray(image.reduce(scale) if scale > 1 else image), target)
    return target


def fresh_drives(count, classes):
    """Pictures of drives that are drawn anew: image, label and drive of each."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sample").mkdir()
        drives.write_sample(Path(folder) / "sample", seed=2, drives=count)
        for path in sorted(Path(folder).glob("sample/*/drive*_frame*.jpg")):
            if int(path.stem[5:8]) < 900:  # others are no pictures
                image = Image.open(path).convert("RGB")
                yield image, classes.index(path.parent.name), f"new {path.stem[:8]}"


def pool(project, count):
    model = ExportedModel.load(project / "exported")
    rows, trained = observations.rows_of_index(project / "data", project / "models")
    training = observations.training_pictures(project / "data/records", trained, model.side)
    stored = (
        Image.fromarray(reader.stored_image(project / "data/records", row))
        for row in rows.to_dict("records")
    )
    pictures = list(zip(stored, rows["label"], rows["group"], strict=True))
    pictures += fresh_drives(count, model.classes) if count else []
    images, labels, groups = zip(*pictures, strict=True)
    seen = {}
    for name, change in CHANGES.items():
        pixels = np.stack([resized(change(image), model.side) for image in images])
        batches = (pixels[start : start + 32] for start in range(0, len(pixels), 32))
        seen[name] = Observations(list(groups), list(groups), *observations.outputs(model, batches))
    numbers = np.unique(groups, return_inverse=True)[1]
    return Pool(seen, np.array(labels), numbers, model.classes, training)


def chosen(seen, places, by_image):
    # The numbers of training pictures end where these begin.
    groups = places + 10**6 if by_image else np.array(seen.groups)[places]
    return Observations(
        [seen.names[place] for place in places],
        list(groups),
        seen.probabilities[places],
        seen.embeddings[places],
        seen.properties[places],
    )


def delivery(random, group_numbers, images):
    """Whether a picture belongs to the groups that make up about so many pictures."""
    order = random.permutation(group_numbers.max() + 1)
    sizes = np.bincount(group_numbers)[order].cumsum()
    return np.isin(group_numbers, order[: np.searchsorted(sizes, images) + 1])


def print_power(everything, images, rounds, seed, by_image):
    random, training = np.random.default_rng(seed), everything.training
    if by_image:
        training = replace(training, groups=list(range(len(training.groups))))
    columns = [*drift_result.TESTS, "drift", "cannot decide"]
    found = {name: [] for name in everything.seen}
    for number in range(rounds):
        new = delivery(random, everything.groups, images)
        held_out = chosen(everything.seen["none"], np.flatnonzero(~new), by_image)
        for name, seen in everything.seen.items():
            result = drift_result.compared(
                held_out,
                everything.labels[~new],
                chosen(seen, np.flatnonzero(new), by_image),
                training,
                everything.classes,
                seed=number,
            )
            row = [test.adjusted <= result.alpha for test in result.tests]
            verdicts = drift_result.DRIFT, drift_result.UNDECIDED
            found[name].append(row + [result.verdict == verdict for verdict in verdicts])
    print(
        f"last round: {result.groups[0]} held-out and {result.groups[1]} new groups, "
        f"{result.images[0]} and {result.images[1]} pictures"
    )
    print(f"{'share of rounds':<20}" + "".join(f"{name:>15}" for name in columns))
    for name, rows in found.items():
        print(f"{name:<20}" + "".join(f"{share:>15.2f}" for share in np.mean(rows, axis=0)))


def print_share_errors(everything, images, rounds, seed):
    """Mean over rounds of the summed absolute errors, and how often intervals hold the truth."""
    random, seen = np.random.default_rng(seed), everything.seen["none"]
    group_labels = np.zeros(everything.groups.max() + 1, int)
    group_labels[everything.groups] = everything.labels
    count = min(round(images / np.bincount(everything.groups).mean()), len(group_labels) // 3)
    errors, held = [], []
    for number in range(rounds):
        half = random.permutation(len(group_labels))[: len(group_labels) // 2]
        chances = random.dirichlet(np.ones(len(everything.classes)))[group_labels[half]]
        size = min(count, (chances > 0).sum())
        new = np.isin(
            everything.groups, random.choice(half, size, replace=False, p=chances / chances.sum())
        )
        truth = np.bincount(everything.labels[new], minlength=len(everything.classes)) / new.sum()
        shares = class_shares.class_shares(
            seen.probabilities[~new],
            everything.labels[~new],
            seen.probabilities[new],
            (everything.groups[~new], everything.groups[new]),
            number,
        )
        errors.append([np.abs(v - truth).sum() for v in (shares.counted, shares.estimated)])
        held.append(((shares.low <= truth) & (truth <= shares.high))[truth > 0].mean())
    counted, estimated = np.mean(errors, axis=0)
    print(
        f"class shares: error of counting {counted:.4f}, of EM {estimated:.4f}, ratio "
        f"{estimated / counted:.2f}; intervals hold the share of {np.mean(held):.0%} of classes"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--drives", type=int, default=0)
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--by-image", action="store_true")
    parser.add_argument("--only", choices=["power", "shares"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    everything = pool(options.project, options.drives)
    two_sample.PERMUTATIONS = options.permutations
    resamples, class_shares.RESAMPLES = class_shares.RESAMPLES, 1
    if options.only != "shares":
        print_power(everything, options.images, options.rounds, options.seed, options.by_image)
    class_shares.RESAMPLES = resamples
    if options.only != "power":
        print_share_errors(everything, options.images, options.rounds, options.seed)


if __name__ == "__main__":
    main()
