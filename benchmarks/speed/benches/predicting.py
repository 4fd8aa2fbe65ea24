"""A trained model predicts: from the start of a program, one picture, a batch, a folder."""

import hashlib
import os
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from speed import pictures
from speed.bench import Bench, Contestant, Task, Values
from speed.processes import PEAK

SIDE = 96  # pixels; Ultralytics takes multiples of 32
CLASSES = 5
EMBEDDED = 5000  # training images of the reference
SECONDS = 1.5  # that a network runs, after a warm-up
CPU, CPU_EACH = "s of processor", "ms of processor each"
RATE, LOADED = "images/s", "images/s, loaded"
EXPORTED, KERAS, PICTURES = "exported", "model.keras", "pictures"


def lay_out(task: Task) -> Values:
    """Pictures, the default network with random weights, and the same as `export` writes it."""
    import keras
    import numpy as np

    from trackbed.exporting import exported_folder, novelty_reference
    from trackbed.inference import novelty
    from trackbed.networks.small_cnn import small_cnn
    from trackbed.networks.spec import Spec

    keras.utils.set_random_seed(0)
    model = small_cnn(Spec(SIDE, CLASSES))
    model.save(task.shared / KERAS)
    folder = task.shared / EXPORTED
    folder.mkdir()
    limits = {"max_pixels": 50_000_000, "min_side": 8, "max_aspect": 20.0, "crop_margin": 0.0}
    limits |= {"boxes": "check", "white_level": None}
    names = [f"class_{number:02d}" for number in range(CLASSES)]
    answers = {"calibrated": False, "temperature": 1.0, "refusal_threshold": 0.5}
    answers["model"] = hashlib.sha256((task.shared / KERAS).read_bytes()).hexdigest()
    exported_folder.write(folder, model, names, pictures=limits, **answers)
    embedded = np.random.default_rng(0).random((EMBEDDED, 128), np.float32)
    novelty_reference.add(folder, novelty.build(embedded, embedded[:1000]))
    return pictures.lay_out(task)


def first_answer(task: Task, *, tool: str) -> Values:
    """One picture, from the start of the program to its answer."""
    path = pictures.listed(task.shared / PICTURES)[0]
    FIRST[tool](task, path)
    return {CPU: time.process_time()}


def _keras_first(task: Task, path: Path) -> None:
    import keras
    import numpy as np

    model = keras.saving.load_model(task.shared / KERAS)
    image = keras.utils.img_to_array(keras.utils.load_img(path, target_size=(SIDE, SIDE)))
    model.predict(np.stack([image]), verbose=0)


def _trackbed_first(task: Task, path: Path) -> None:
    _command(task, path)


def _onnxruntime_first(task: Task, path: Path) -> None:
    _resized_by_opencv(_session(task), path)


def _ultralytics_first(task: Task, path: Path) -> None:
    _ultralytics(task).predict(path, imgsz=SIDE, verbose=False)


def _command(task: Task, path: Path) -> None:
    """`trackbed predict` in this process; the answers go to a file."""
    from trackbed import cli

    folder, output = task.shared / EXPORTED, task.work / "answers.csv"
    code = cli.main(["predict", str(path), "--model", str(folder), "--output", str(output)])
    if code != 0:
        raise RuntimeError(f"trackbed predict ended with {code}")


def network(task: Task, *, tool: str, batch: int) -> Values:
    """Batches of noise through the network, again and again."""
    import numpy as np

    shape = (batch, SIDE, SIDE, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    call = NETWORKS[tool](task)
    for _ in range(3):
        call(images)
    begun, busy, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begun < SECONDS:
        call(images)
        done += batch
    seconds = time.perf_counter() - begun
    return {RATE: done / seconds, CPU_EACH: 1000 * (time.process_time() - busy) / done}


def _keras_network(task: Task) -> Callable[[Any], Any]:
    import keras

    model = keras.saving.load_model(task.shared / KERAS)
    return lambda images: model.predict(images, batch_size=len(images), verbose=0)


def _compiled_network(task: Task) -> Callable[[Any], Any]:
    import keras
    import tensorflow as tf

    model = keras.saving.load_model(task.shared / KERAS)
    function = tf.function(lambda images: model(tf.cast(images, tf.float32), training=False))
    return lambda images: function(tf.constant(images)).numpy()


def _trackbed_network(task: Task) -> Callable[[Any], Any]:
    from trackbed.inference.exported_model import PROBABILITIES, ExportedModel

    model = ExportedModel.load(task.shared / EXPORTED)
    return lambda images: model.outputs(images, PROBABILITIES)


def _trackbed_answers(task: Task) -> Callable[[Any], Any]:
    from trackbed.inference import answers, novelty
    from trackbed.inference.exported_model import EMBEDDING, PROBABILITIES, ExportedModel

    model = ExportedModel.load(task.shared / EXPORTED)
    rules, reference = answers.rules(model.description), novelty.read(model)

    def call(images: Any) -> Any:
        probabilities, embeddings = model.outputs(images, PROBABILITIES, EMBEDDING)
        return rules.answers(probabilities), reference.novelty(embeddings)

    return call


def _onnxruntime_network(task: Task) -> Callable[[Any], Any]:
    session = _session(task)
    return lambda images: session.run(["probabilities"], {"images": images})


def _ultralytics_network(task: Task) -> Callable[[Any], Any]:
    model = _ultralytics(task)
    return lambda images: model.predict(list(images), imgsz=SIDE, batch=len(images), verbose=False)


def whole_folder(task: Task, *, tool: str) -> Values:
    """A folder of pictures: from the start of the program, and once more in the same process."""
    folder = task.shared / PICTURES
    images = len(pictures.listed(folder))
    predict = FOLDERS[tool](task)
    predict(folder)
    seconds, busy = time.perf_counter() - task.begun, time.process_time()
    begun = time.perf_counter()
    predict(folder)
    again = time.perf_counter() - begun
    return {RATE: images / seconds, LOADED: images / again, CPU: busy}


def _keras_folder(task: Task) -> Callable[[Path], Any]:
    import keras

    model = keras.saving.load_model(task.shared / KERAS)

    def predict(folder: Path) -> Any:
        images = keras.utils.image_dataset_from_directory(
            folder, labels=None, shuffle=False, image_size=(SIDE, SIDE), verbose=False
        )
        return model.predict(images, verbose=0)

    return predict


def _trackbed_folder(task: Task) -> Callable[[Path], Any]:
    return lambda folder: _command(task, folder)


def _onnxruntime_folder(task: Task) -> Callable[[Path], Any]:
    session = _session(task)
    return lambda folder: [_resized_by_opencv(session, path) for path in pictures.listed(folder)]


def _ultralytics_folder(task: Task) -> Callable[[Path], Any]:
    model = _ultralytics(task)

    def predict(folder: Path) -> Any:
        pattern = str(folder / "*" / "*.jpg")
        found = model.predict(pattern, imgsz=SIDE, batch=32, stream=True, verbose=False)
        return [answer.probs.top1 for answer in found]

    return predict


def _session(task: Task) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(task.shared / EXPORTED / "model.onnx")


def _resized_by_opencv(session: Any, path: Path) -> Any:
    """One picture at a time, without a check, and resized as OpenCV does by default."""
    import cv2

    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    return session.run(["probabilities"], {"images": cv2.resize(image, (SIDE, SIDE))[None]})


def _ultralytics(task: Task) -> Any:
    """The smallest classifier of Ultralytics from its configuration: random weights."""
    os.environ |= {"YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": str(task.work)}
    # The wheel of torchvision may be for GPUs, while PyTorch's is for the CPU. It then lacks its
    # operations, none of which a classifier needs, and cannot register them.
    sys.modules["torchvision._meta_registrations"] = types.ModuleType("_meta_registrations")
    from ultralytics import YOLO

    return YOLO("yolo11n-cls.yaml")


FIRST = {
    "keras": _keras_first,
    "trackbed": _trackbed_first,
    "onnxruntime": _onnxruntime_first,
    "ultralytics": _ultralytics_first,
}
NETWORKS = {
    "keras": _keras_network,
    "compiled": _compiled_network,
    "trackbed": _trackbed_network,
    "answers": _trackbed_answers,
    "onnxruntime": _onnxruntime_network,
    "ultralytics": _ultralytics_network,
}
FOLDERS = {
    "keras": _keras_folder,
    "trackbed": _trackbed_folder,
    "onnxruntime": _onnxruntime_folder,
    "ultralytics": _ultralytics_folder,
}
NETWORK_NAMES = {
    "keras": "Keras predict",
    "compiled": "Keras in a compiled tf.function",
    "trackbed": "trackbed, network",
    "answers": "trackbed, network, refusal and novelty",
    "onnxruntime": "ONNX Runtime, the same file",
    "ultralytics": "Ultralytics yolo11n-cls predict",
}
MODEL = f"The default network small_cnn at {SIDE} x {SIDE} pixels with random weights; "
MODEL += "Ultralytics' is yolo11n-cls at the same size."


def _contestants(function: Callable[..., Values], names: dict[str, str], **more: int) -> Any:
    return {
        name: Contestant(function, {"tool": tool, **more}, peer=tool == "ultralytics")
        for tool, name in names.items()
    }


def _bench_of_batch(batch: int, baseline: str) -> Bench:
    names = {baseline: NETWORK_NAMES[baseline]} | NETWORK_NAMES
    return Bench(
        title=f"Predict: {batch} image{'s' * (batch > 1)} at a time",
        measures=f"{MODEL} Pixels in, probabilities out, after a warm-up.",
        prepare=Contestant(lay_out),
        rates=(RATE,),
        times=(CPU_EACH,),
        contestants=_contestants(network, names, batch=batch),
    )


BENCHES = {
    "predict_start": Bench(
        title="Predict: start",
        measures=f"{MODEL} From the start of the program to the answer for one picture.",
        prepare=Contestant(lay_out),
        times=(CPU, PEAK),
        contestants=_contestants(
            first_answer,
            {
                "keras": "Keras load_model and predict",
                "trackbed": "trackbed predict",
                "onnxruntime": "ONNX Runtime and OpenCV",
                "ultralytics": "Ultralytics yolo11n-cls predict",
            },
        ),
    ),
    "predict_one": _bench_of_batch(1, "keras"),
    "predict_batch": _bench_of_batch(32, "compiled"),
    "predict_folder": Bench(
        title="Predict: a folder",
        measures=f"{MODEL} The whole program, from its start, then once more in the same process. "
        "Ours alone checks every picture and writes a table; ONNX Runtime gets one picture at a "
        "time, resized in another way than in training.",
        prepare=Contestant(lay_out),
        rates=(RATE, LOADED),
        times=(CPU,),
        contestants=_contestants(
            whole_folder,
            {
                "keras": "Keras image_dataset_from_directory and predict",
                "trackbed": "trackbed predict",
                "onnxruntime": "loop with OpenCV and ONNX Runtime",
                "ultralytics": "Ultralytics yolo11n-cls predict",
            },
        ),
    ),
}
