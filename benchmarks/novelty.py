"""How well distances to the training images tell pictures of classes that were left out.

    python benchmarks/novelty.py FOLDER --side 48 --epochs 20 --others OTHER,...

FOLDER and the others hold train/<class>/* and test/<class>/*. In turn every class (--leave-out: so
many at a time) is left out of training with the default parameters; a fifth of the training
pictures, by whole groups where --group is given, is held out and picks the epoch. AUROC: the test
pictures of the known classes against those of the classes left out, against pictures of the other
folders, noise, one colour, and the test pictures darkened and blurred. 0.5 is chance, 1 perfect.
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import yaml
from PIL import Image, ImageFilter
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

sys.path.insert(0, str(Path(__file__).parents[1] / "stages"))

from trackbed.inference import novelty
from trackbed.pipeline import tensorflow_setup
from trackbed.records import resizing

PARAMS = Path(__file__).parents[1] / "params.yaml"
OTHERS = 300  # pictures of every other kind
SHARES = (0.95, 0.99)  # of held-out pictures, for the counts at the end


def unit(embeddings):
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return embeddings / np.maximum(lengths, 1e-12)


def trackbed(training, labels):
    chosen = training[novelty.chosen(labels, training.shape[1])]
    return novelty.build(chosen, chosen[:1]).distances


def nearest(neighbour, prepare):
    def fitted(training, labels):
        search = NearestNeighbors(n_neighbors=neighbour).fit(prepare(training)(training))
        return lambda new: search.kneighbors(prepare(training)(new))[0][:, -1]

    return fitted


def standardised(training):
    mean, deviation = training.mean(axis=0), training.std(axis=0) + 1e-6
    return lambda new: (new - mean) / deviation


def mahalanobis(training, labels, *, relative=False):
    """Lee et al. 2018 (arXiv 1807.03888); relative: Ren et al. 2021 (arXiv 2106.09022)."""
    prepared = unit(training).astype(float) if relative else training.astype(float)
    means = np.stack([prepared[labels == label].mean(axis=0) for label in np.unique(labels)])
    inner = _inverse(prepared - means[np.unique(labels, return_inverse=True)[1]])
    mean = prepared.mean(axis=0)
    whole = _inverse(prepared - mean)

    def distances(new):
        new = unit(new).astype(float) if relative else new.astype(float)
        of_classes = np.stack([_squares(new - one, inner) for one in means]).min(axis=0)
        return of_classes - _squares(new - mean, whole) if relative else of_classes

    return distances


def _inverse(centred):
    covariance = centred.T @ centred / len(centred)
    size = len(covariance)
    return np.linalg.inv(covariance + 0.01 * np.trace(covariance) / size * np.eye(size))


def _squares(difference, inverse):
    return np.einsum("ij,jk,ik->i", difference, inverse, difference)


def nearest_mean(training, labels):
    means = unit(np.stack([training[labels == label].mean(axis=0) for label in np.unique(labels)]))
    return lambda new: 1 - (unit(new) @ means.T).max(axis=1)


DISTANCES = {
    "trackbed: third nearest, unit length": trackbed,
    "nearest, unit length": nearest(1, lambda training: unit),
    "tenth nearest, unit length": nearest(10, lambda training: unit),
    "third nearest, standardised": nearest(3, standardised),
    "Mahalanobis": mahalanobis,
    "relative Mahalanobis, unit length": lambda *given: mahalanobis(*given, relative=True),
    "angle to the nearest class mean": nearest_mean,
}


def read(paths, side):
    images = np.empty((len(paths), side, side, 3), np.uint8)
    for path, image in zip(paths, images, strict=True):
        resizing.resize(np.asarray(Image.open(path).convert("RGB")), image)
    return images


def listed(folder, part):
    """Paths and classes of a part, sorted."""
    paths = sorted(path for path in (folder / part).glob("*/*") if path.is_file())
    return paths, np.array([path.parent.name for path in paths])


def held_out(paths, pattern):
    """Whether pictures are in the fifth that is held out."""
    groups = [re.search(pattern, path.name)[0] if pattern else path.name for path in paths]
    names = np.random.default_rng(0).permutation(sorted(set(groups)))
    return np.isin(groups, names[: len(names) // 5])


def other_kinds(folders, side, test):
    random = np.random.default_rng(0)
    blur = ImageFilter.GaussianBlur(2)
    kinds = {}
    for folder in folders:
        paths, _ = listed(folder, "test")
        kinds[folder.name] = read(random.choice(paths, min(OTHERS, len(paths)), False), side)
    noise = random.integers(0, 256, (2, OTHERS, side, side, 3), dtype=np.uint8)
    return kinds | {
        "noise": noise[0],
        "one colour": np.broadcast_to(noise[1][:, :1, :1], noise[1].shape).copy(),
        "half as bright": test // 2,
        "blurred": np.stack([np.asarray(Image.fromarray(one).filter(blur)) for one in test]),
    }


def trained(images, labels, validation, epochs):
    """Embeddings and probabilities as a function of images; the default network and training."""
    import keras

    from trackbed.networks import augmentation, registry
    from trackbed.networks.spec import Spec
    from trackbed.training import batches, loop, optimization
    from trackbed.training.train_params import TrainParams

    values = yaml.safe_load(PARAMS.read_text())["train"]
    p = TrainParams(**values | {"epochs": epochs, "image_side": images.shape[1]})
    tensorflow_setup.make_deterministic(p.seed)
    spec = Spec.of(p, int(labels.max()) + 1)
    network = registry.build(p.network, spec)
    steps = batches.steps(int((~validation).sum()), p.batch)
    loop.fit(
        network,
        augmentation.build(p.augment, p.seed),
        batches.Examples(images[~validation], labels[~validation]),
        batches.Examples(images[validation], labels[validation]),
        phases=optimization.phases(p, spec, network, steps),
        loss=optimization.loss_of(p),
        plan=loop.Plan.of(p),
    )
    pooled = [x for x in network.layers if isinstance(x, keras.layers.GlobalAveragePooling2D)]
    both = keras.Model(network.inputs, [pooled[-1].output, network.outputs[0]])
    return lambda images: both.predict(images, verbose=0)


def measured(options, out):
    """AUROC by distance and kind of picture, and shares above a novelty, without some classes."""
    (paths, classes), (others, tested) = (
        listed(options.folder, "train"),
        listed(options.folder, "test"),
    )
    known = [name for name in sorted(set(classes)) if name not in out]
    images, test = read(paths, options.side), read(others, options.side)
    rows = np.isin(classes, known)
    labels = np.searchsorted(known, classes[rows])
    validation = held_out(paths, options.group)[rows]
    predict = trained(images[rows], labels, validation, options.epochs)
    of_known = test[np.isin(tested, known)]
    kinds = {"left out": np.concatenate([images[~rows], test[~np.isin(tested, known)]])}
    kinds |= other_kinds(options.others, options.side, of_known)
    predicted = {name: predict(some) for name, some in ({"test": of_known} | kinds).items()}
    training, fold = predict(images[rows])[0], predict(images[rows][validation])[0]
    scores = {"1 - confidence": {name: 1 - p.max(axis=1) for name, (_, p) in predicted.items()}}
    for name, distance in DISTANCES.items():
        distances = distance(training[~validation], labels[~validation])
        scores[name] = {kind: distances(embedded) for kind, (embedded, _) in predicted.items()}
    auroc = {
        name: {kind: area(of["test"], of[kind]) for kind in kinds} for name, of in scores.items()
    }
    reference = novelty.build(training[~validation], fold)
    shares = {
        f"{kind}, novelty {share:g}": np.mean(reference.novelty(predicted[kind][0]) >= share)
        for kind in ("test", "left out")
        for share in SHARES
    }
    return auroc, shares


def area(usual, unusual):
    truth = np.repeat([0, 1], [len(usual), len(unusual)])
    return roc_auc_score(truth, np.concatenate([usual, unusual]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--group", default="", help="regular expression on file names")
    parser.add_argument("--leave-out", type=int, default=1, help="classes at a time")
    parser.add_argument(
        "--others", type=lambda text: [Path(name) for name in text.split(",")], default=[]
    )
    options = parser.parse_args()
    tensorflow_setup.start()
    names = sorted(set(listed(options.folder, "train")[1]))
    turns = -(-len(names) // options.leave_out)
    found = defaultdict(lambda: defaultdict(list))
    for turn in range(turns):
        out = names[turn::turns]
        auroc, shares = measured(options, out)
        for name, kinds in auroc.items():
            for kind, value in kinds.items():
                found[name][kind].append(value)
        own = auroc["trackbed: third nearest, unit length"]["left out"]
        counts = ", ".join(f"{name}: {share:.1%}" for name, share in shares.items())
        print(f"without {', '.join(out)}: AUROC {own:.2f}; {counts}", flush=True)
    kinds = list(next(iter(found.values())))
    print("\n| distance | " + " | ".join(kinds) + " |\n| --- " + "| --: " * len(kinds) + "|")
    for name, columns in found.items():
        print(f"| {name} | " + " | ".join(f"{np.mean(columns[kind]):.2f}" for kind in kinds) + " |")


if __name__ == "__main__":
    main()
