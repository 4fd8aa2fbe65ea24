"""Pictures become batches of pixels of one size, epoch by epoch."""

import time
from collections.abc import Iterable

from speed import pictures, project
from speed.bench import Bench, Contestant, Task, Values

BATCH = 32
SIDE = 224  # pixels
LATER_EPOCHS = 2
WORKERS = 2


def lay_out(task: Task) -> Values:
    """The pictures, and our records of them."""
    values = pictures.lay_out(task)
    project.create(task.shared / "project", task.shared / "pictures")
    project.run(task.shared / "project", "build_tfrecord")
    return values


def records(task: Task) -> Values:
    """Ours: read and checked once, while the first epoch goes on; later ones come out of memory."""
    from trackbed.pipeline import index
    from trackbed.records import reader
    from trackbed.training import batches, sampling

    folder = task.shared / "project" / "data" / "records"
    table = index.read(folder)
    begun = time.perf_counter()
    order, _ = sampling.epoch_rows(len(table), seed=0, epoch=0)
    with reader.Reading(folder, table, SIDE, SIDE, order) as reading:
        images = reading.part(0, len(table))
        endless = batches.shuffled(images, table["label"].to_numpy(), batch=BATCH, seed=0)
        epoch = endless.take(batches.steps(len(table), BATCH))
        return _epochs(epoch, len(table), begun)


def keras_directory(task: Task) -> Values:
    """As in Keras' tutorials: every epoch reads and decodes the files, float32."""
    import keras

    folder = task.shared / "pictures"
    images = len(pictures.listed(folder))
    begun = time.perf_counter()
    epoch = keras.utils.image_dataset_from_directory(
        folder, image_size=(SIDE, SIDE), batch_size=BATCH, verbose=False
    )
    return _epochs(epoch, images, begun)


def torch_loader(task: Task) -> Values:
    """A DataLoader with Pillow and two workers, float32 as torchvision's ToTensor gives it."""
    import numpy as np
    import torch
    from PIL import Image

    files = pictures.listed(task.shared / "pictures")

    class Pictures(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(files)

        def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
            image = Image.open(files[number]).convert("RGB")
            pixels = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
            return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255, 0

    begun = time.perf_counter()
    epoch = torch.utils.data.DataLoader(
        Pictures(), BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True
    )
    return _epochs(epoch, len(files), begun)


def decode_alone(task: Task) -> Values:
    """JPEG bytes in memory, decoded and resized by tf.data: what no reader of files can beat."""
    import tensorflow as tf

    data = [path.read_bytes() for path in pictures.listed(task.shared / "pictures")]

    def decoded(encoded: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_jpeg(encoded, channels=3)
        return tf.cast(tf.image.resize(image, (SIDE, SIDE)), tf.uint8)

    begun = time.perf_counter()
    epoch = tf.data.Dataset.from_tensor_slices(data).map(decoded, tf.data.AUTOTUNE)
    return _epochs(epoch.batch(BATCH).prefetch(tf.data.AUTOTUNE), len(data), begun)


def _epochs(epoch: Iterable[object], images: int, begun: float) -> Values:
    """Images/s of the first epoch, which began at `begun`, and of those that follow."""
    ends = []
    for _ in range(1 + LATER_EPOCHS):
        for _ in epoch:
            pass
        ends.append(time.perf_counter())
    return {
        "images/s, first epoch": images / (ends[0] - begun),
        "images/s, later epochs": images * LATER_EPOCHS / (ends[-1] - ends[0]),
    }


BENCH = Bench(
    title=f"Read at {SIDE} pixels",
    measures=f"Batches of {BATCH} images of {SIDE} x {SIDE} pixels, shuffled. The first epoch "
    f"includes opening the data, imports are left out; then {LATER_EPOCHS} more.",
    prepare=Contestant(lay_out),
    rates=("images/s, first epoch", "images/s, later epochs"),
    contestants={
        "Keras image_dataset_from_directory": Contestant(keras_directory),
        "trackbed, records in memory": Contestant(records),
        f"PyTorch DataLoader, Pillow, {WORKERS} workers": Contestant(torch_loader, peer=True),
        "decode and resize alone, tf.data": Contestant(decode_alone),
    },
)
