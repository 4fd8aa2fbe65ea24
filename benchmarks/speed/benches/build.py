"""A folder of pictures becomes files to train from."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from speed import pictures, project
from speed.bench import Bench, Contestant, Task, Values

FEW = 10  # pictures, to have everything imported


def stage(task: Task) -> Values:
    """Our stage run as a program; then again in this process, its imports done, for the loop."""
    source = task.shared / "pictures"
    few = task.work / "few"
    files = pictures.listed(source)
    for path in files[:: max(1, len(files) // FEW)]:
        (few / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, few / path.parent.name / path.name)
    whole = build(task.work / "whole", source)
    build(task.work / "few_records", few, project.run_here)
    loop = build(task.work / "again", source, project.run_here)
    return {
        "images/s, whole program": len(files) / whole,
        "images/s, loop": len(files) / loop,
        "MB on disk": pictures.megabytes(task.work / "whole" / "data" / "records"),
    }


def build(folder: Path, source: Path, run: Callable[[Path, str], None] = project.run) -> float:
    """Seconds of the stage build_tfrecord in a new folder."""
    project.create(folder, source)
    begun = time.perf_counter()
    run(folder, "build_tfrecord")
    return time.perf_counter() - begun


def plain_loop(task: Task) -> Values:
    """What most projects write: open, convert, store the raw pixels as tf.train.Example."""
    import tensorflow as tf
    from PIL import Image

    def integer(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    def text(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    loop = time.perf_counter()
    files = pictures.listed(task.shared / "pictures")
    names = sorted({path.parent.name for path in files})
    with tf.io.TFRecordWriter(str(task.work / "images.tfrecord")) as writer:
        for path in files:
            image = Image.open(path).convert("RGB")
            feature = {
                "image_filename": text(path.name.encode()),
                "image_raw": text(image.tobytes()),
                "height": integer(image.height),
                "width": integer(image.width),
                "depth": integer(3),
                "label": integer(names.index(path.parent.name)),
                "class_name": text(path.parent.name.encode()),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    return _measured(task, loop, len(files))


def tensorflow_datasets(task: Task) -> Values:
    """A builder of TensorFlow Datasets over the class folders; it keeps the files' bytes."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    source = task.shared / "pictures"
    files = pictures.listed(source)
    tf.constant(0)  # the builder imports TensorFlow when it first needs it

    class Pictures(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self) -> tfds.core.DatasetInfo:
            features = {
                "image": tfds.features.Image(shape=(None, None, 3)),
                "label": tfds.features.ClassLabel(names=sorted({f.parent.name for f in files})),
            }
            features = tfds.features.FeaturesDict(features)
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, manager: object) -> dict[str, object]:
            return {"train": self._generate_examples()}

        def _generate_examples(self) -> object:
            for path in files:
                yield str(path.relative_to(source)), {"image": path, "label": path.parent.name}

    tfds.disable_progress_bar()
    loop = time.perf_counter()
    Pictures(data_dir=task.work, file_format="tfrecord").download_and_prepare()
    return _measured(task, loop, len(files))


def webdataset(task: Task) -> Values:
    """Tar shards of WebDataset, with the files' bytes."""
    from webdataset import ShardWriter

    loop = time.perf_counter()
    files = pictures.listed(task.shared / "pictures")
    names = sorted({path.parent.name for path in files})
    with ShardWriter(str(task.work / "part-%05d.tar"), maxsize=64 * 2**20, verbose=0) as writer:
        for number, path in enumerate(files):
            label = names.index(path.parent.name)
            writer.write({"__key__": f"{number:06d}", "jpg": path.read_bytes(), "cls": label})
    return _measured(task, loop, len(files))


def _measured(task: Task, loop: float, images: int) -> Values:
    now = time.perf_counter()
    return {
        "images/s, whole program": images / (now - task.begun),
        "images/s, loop": images / (now - loop),
        "MB on disk": pictures.megabytes(task.work),
    }


BENCH = Bench(
    title="Build records",
    measures="From class folders of JPEG files to files to train from. Whole program: from its "
    "start to its end, imports included; loop: without them. Ours alone checks every picture, "
    "looks for damage and duplicates, and writes an index with digests.",
    prepare=Contestant(pictures.lay_out),
    rates=("images/s, whole program", "images/s, loop"),
    contestants={
        "plain loop, raw pixels": Contestant(plain_loop),
        "trackbed, stage build_tfrecord": Contestant(stage),
        "TensorFlow Datasets": Contestant(tensorflow_datasets, peer=True),
        "WebDataset": Contestant(webdataset, peer=True),
    },
)
