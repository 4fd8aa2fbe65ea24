"""The networks of two recipes learn from pictures, epoch by epoch."""

import csv
import time
from collections.abc import Mapping
from statistics import median
from typing import Any

from speed import pictures, project
from speed.bench import Bench, Contestant, Task, Values
from speed.clock import clock

EPOCHS = 3  # the first traces and compiles, and is left out
VALIDATION = 0.2
RATE = "images/s"


def lay_out(task: Task, *, recipe: str, classes: int, side: int) -> Values:
    """The pictures, and our records, folds and embeddings of them."""
    values = pictures.lay_out(task, classes=classes, side=side)
    folder = task.shared / "project"
    # A warm-up as long as the run is refused.
    train = {"epochs": EPOCHS, "warmup_epochs": 1, "initial_scale": 1.0}
    project.create(folder, task.shared / "pictures", recipe=recipe, train=train)
    project.run(folder, "build_tfrecord", "split", "embed")
    return values


def stage(task: Task) -> Values:
    """Our stage, run as a program; its measurements have the rate of every epoch."""
    folder = task.work / "project"
    folder.mkdir()
    for name in ("data", "params.yaml", "stages"):
        (folder / name).symlink_to(task.shared / "project" / name)
    project.run(folder, "train")
    (log,) = (folder / "logs" / "train").glob("*.csv")
    with log.open(newline="") as file:
        rates = [float(row["images_per_second"]) for row in csv.DictReader(file)]
    return {RATE: median(rates[1:])}


def keras_notebook(task: Task, *, cached: bool) -> Values:
    """The same network and augmentation as notebooks train them; decoded once if `cached`."""
    import keras
    import tensorflow as tf

    p, changes = _recipe(task)
    given = {"image_size": [p["image_side"]] * 2, "batch_size": p["batch"], "verbose": False}
    training, validation = keras.utils.image_dataset_from_directory(
        task.shared / "pictures", validation_split=VALIDATION, subset="both", seed=0, **given
    )
    names = training.class_names
    if cached:
        training = training.cache().shuffle(len(training)).prefetch(tf.data.AUTOTUNE)
        validation = validation.cache().prefetch(tf.data.AUTOTUNE)
    inputs = keras.Input((p["image_side"], p["image_side"], 3))
    model = keras.Sequential([inputs, *changes, _network(p, len(names))])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    times = clock()
    model.fit(training, validation_data=validation, epochs=EPOCHS, callbacks=[times], verbose=0)
    images = len(pictures.listed(task.shared / "pictures"))
    return {RATE: (images - int(images * VALIDATION)) / median(times.training[1:])}


def _recipe(task: Task) -> tuple[Mapping[str, Any], list[Any]]:
    """Section `train` of the recipe and its augmentation as layers of Keras."""
    import yaml
    from keras import layers

    p = yaml.safe_load((task.shared / "project" / "params.yaml").read_text())["train"]
    of_keras = {
        "flip": lambda mode: layers.RandomFlip(mode),
        "rotation": lambda degrees: layers.RandomRotation(degrees / 360),
        "zoom": lambda factor, inward=False: layers.RandomZoom((-factor, 0 if inward else factor)),
        "translation": lambda factor: layers.RandomTranslation(factor, factor),
        "brightness": lambda factor: layers.RandomBrightness(factor),
        "contrast": lambda factor: layers.RandomContrast(factor),
    }
    return p, [of_keras[change.pop("name")](**change) for change in p["augment"]]


def _network(p: Mapping[str, Any], classes: int) -> Any:
    from trackbed.networks import registry, spec

    wanted = spec.Spec(p["image_side"], classes, dropout=p["dropout"], width=p["width"])
    return registry.build(p["network"], wanted)


def torch_loop(task: Task, *, simple: bool) -> Values:
    """The same network in PyTorch, float32, fed from tensors, with the recipe's augmentation.

    simple: flips images and shifts whole batches instead, which costs next to nothing.
    """
    import numpy as np
    import torch
    import yaml
    from PIL import Image

    from speed.torch_network import SmallCNN, augmented, shifted_and_flipped

    p = yaml.safe_load((task.shared / "project" / "params.yaml").read_text())["train"]
    files = pictures.listed(task.shared / "pictures")
    names = sorted({path.parent.name for path in files})
    size = [p["image_side"]] * 2
    pixels = np.stack([np.asarray(Image.open(f).convert("RGB").resize(size)) for f in files])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    labels = torch.tensor([names.index(path.parent.name) for path in files])
    kept = len(files) - int(len(files) * VALIDATION)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(images[:kept], labels[:kept]), p["batch"], shuffle=True
    )
    network = SmallCNN(p["image_side"], len(names), p["width"], p["dropout"])
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=p["learning_rate"])
    loss = torch.nn.CrossEntropyLoss(label_smoothing=p["label_smoothing"])

    def epoch() -> float:
        begun = time.perf_counter()
        for batch, wanted in loader:
            optimizer.zero_grad()
            changed = shifted_and_flipped(batch) if simple else augmented(batch, p["augment"])
            loss(network(changed), wanted).backward()
            optimizer.step()
        return time.perf_counter() - begun

    rates = []
    # Its threads wait for each other in every layer: where others use the cores too, one is faster.
    for threads in {1, torch.get_num_threads()}:
        torch.set_num_threads(threads)
        rates.append(kept / median([epoch() for _ in range(EPOCHS)][1:]))
    return {RATE: max(rates)}


def _bench(recipe: str, *, classes: int, side: int) -> Bench:
    return Bench(
        title=f"Train recipes/{recipe}.yaml",
        measures=f"Images/s of training, without validation: the median of {EPOCHS - 1} epochs "
        "after the first, all with images of the full side. The same network, image side, batch "
        "and augmentation for all but the last row. Ours alone augments deterministically and "
        "keeps averaged weights and macro F1.",
        prepare=Contestant(lay_out, {"recipe": recipe, "classes": classes, "side": side}),
        rates=(RATE,),
        contestants={
            "Keras fit as in notebooks": Contestant(keras_notebook, {"cached": False}),
            "trackbed, stage train": Contestant(stage),
            "Keras fit, cache and prefetch": Contestant(keras_notebook, {"cached": True}),
            "PyTorch, float32, channels last, one thread or all": Contestant(
                torch_loop, {"simple": False}, peer=True
            ),
            "PyTorch, flips and shifts of batches only": Contestant(
                torch_loop, {"simple": True}, peer=True
            ),
        },
    )


BENCHES = {
    "scenes": _bench("scenes", classes=5, side=150),
    "signs": _bench("signs", classes=43, side=50),
}
