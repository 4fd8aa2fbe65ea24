"""The RAILS classifier, a head on a frozen ResNet50V2, trained for many epochs."""

from collections.abc import Mapping

from speed.bench import Bench, Contestant, Task, Values
from speed.benches import embedding
from speed.clock import clock

BATCH = 32
SIDE = 224  # pixels
EPOCHS = 30  # of the RAILS notebook
MEASURED = 2  # epochs; the first traces and compiles
VALIDATION = 0.2
WHOLE = f"s for {EPOCHS} epochs"
NINE = "s for 9 runs"
GRID = ["-S", "train.learning_rate=1e-2,1e-3,1e-4", "-S", "train.dropout=0.1,0.3,0.5"]


def notebook(task: Task) -> Values:
    """All epochs through the frozen backbone; those that were not run are extrapolated."""
    import keras

    training, validation = keras.utils.image_dataset_from_directory(
        task.shared / "pictures",
        validation_split=VALIDATION,
        subset="both",
        seed=0,
        image_size=(SIDE, SIDE),
        batch_size=BATCH,
        verbose=False,
    )
    base = keras.applications.ResNet50V2(include_top=False, weights=None, pooling="avg")
    base.trainable = False
    head = [keras.layers.Dense(units, activation="relu") for units in (64, 32, 16)]
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            base,
            keras.layers.Dropout(0.3),
            *head,
            keras.layers.Dense(len(training.class_names), activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    times = clock()
    model.fit(training, validation_data=validation, epochs=MEASURED, callbacks=[times], verbose=0)
    return extrapolated(times.whole)


def trackbed(task: Task, *, engine: str, precision: str) -> Values:
    """All images through the backbone once, then all epochs of the head on embeddings."""
    seconds = embedding.run(task, engine=engine, precision=precision)
    return {WHOLE: sum(seconds.values()), "s embed": seconds["embed"]}


def nine_notebooks(task: Task) -> Values:
    """Nine runs of the notebook, extrapolated from one."""
    return {NINE: 9 * notebook(task)[WHOLE]}


def nine_heads(task: Task) -> Values:
    """One embedding, and nine heads at once."""
    seconds = embedding.sweep(task, GRID)
    return {NINE: sum(seconds.values()), "s embed": seconds["embed"]}


def extrapolated(seconds: list[float]) -> Values:
    """Seconds of an epoch after the first, and of all epochs if those to come take as long."""
    later = sum(seconds[1:]) / len(seconds[1:])
    return {"s per epoch": later, WHOLE: seconds[0] + later * (EPOCHS - 1)}


CONTESTANTS: Mapping[str, Contestant] = {
    f"every epoch through the backbone ({WHOLE[2:]} extrapolated from {MEASURED})": Contestant(
        notebook
    ),
    **{
        f"trackbed, embed and train, {engine}, {precision}": Contestant(
            trackbed, {"engine": engine, "precision": precision}
        )
        for engine, precision in (
            ("tensorflow", "float32"),
            ("tensorflow", "bfloat16"),
            ("openvino", "bfloat16"),
        )
    },
}

BENCH = Bench(
    title="Head on a frozen backbone",
    measures=f"ResNet50V2 at {SIDE} pixels with random weights, frozen, and the head 64-32-16; "
    "validation included, imports left out.",
    prepare=Contestant(embedding.lay_out),
    times=(WHOLE,),
    contestants=CONTESTANTS,
)
SWEEP = Bench(
    title="Sweep of nine heads on a frozen backbone",
    measures=f"As above, {EPOCHS} epochs each: three learning rates, three dropouts, one fold.",
    prepare=Contestant(embedding.lay_out),
    times=(NINE,),
    contestants={
        f"every epoch through the backbone (extrapolated from {MEASURED} epochs)": Contestant(
            nine_notebooks
        ),
        "trackbed, embed and `trackbed heads`": Contestant(nine_heads),
    },
)
