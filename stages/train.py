"""Train the network on all folds but one and keep the weights that did best on that one."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from trackbed import index, params, startup
from trackbed.learning import augment
from trackbed.outputs import replacing_folder
from trackbed.problems import run


class TrainParams(params.Section):
    """Section `train` of params.yaml."""

    network: str
    weights: str  # 'none', 'imagenet' or the path of a weights file
    image_side: int = Field(ge=8, le=1024)  # pixels
    dropout: float = Field(ge=0, lt=1)
    augment: list[augment.Change]
    fold: int = Field(ge=0)  # the fold to validate on
    epochs: int = Field(ge=1)
    patience: int = Field(ge=1)  # epochs
    batch: int = Field(ge=1)  # images
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    schedule: Literal["constant", "exponential", "cosine"]
    decay_rate: float = Field(gt=0, le=1)
    decay_steps: int = Field(ge=1)  # batches
    warmup_epochs: int = Field(ge=0)
    label_smoothing: float = Field(ge=0, lt=1)
    average: float = Field(ge=0, lt=1)  # momentum of the moving average of the weights
    seed: int = Field(ge=0)


def main(records_path: Path, folds_path: Path, models_path: Path, log_path: Path) -> None:
    """Write the model, its class names and the epoch log."""
    p = params.load("train", TrainParams)
    table = index.assigned(records_path, folds_path)
    rows = index.training_and_validation(table, p.fold)

    startup.tensorflow()
    from trackbed.ingest import records
    from trackbed.learning import batches, checkpoint, epochlog, networks, optimizers, training

    training.reproducible(p.seed)
    names, side = index.classes(table), p.image_side
    network = networks.build(
        p.network, side=side, classes=len(names), dropout=p.dropout, weights=p.weights
    )
    steps = batches.steps(len(rows[0]), p.batch)
    rate = optimizers.learning_rate(
        p.schedule,
        p.learning_rate,
        decay_rate=p.decay_rate,
        decay_steps=p.decay_steps,
        steps=steps * p.epochs,
        warmup=steps * p.warmup_epochs,
    )
    examples = [
        training.Examples(records.pixels(records_path, part, side, side), part["label"].to_numpy())
        for part in rows
    ]
    with epochlog.started(log_path) as live:
        log = epochlog.EpochLog(live, len(rows[0]))
        outcome = training.fit(
            network,
            augment.layers(p.augment, p.seed),
            *examples,
            optimizer=optimizers.optimizer(
                p.optimizer, rate, weight_decay=p.weight_decay, average=p.average
            ),
            label_smoothing=p.label_smoothing,
            epochs=p.epochs,
            patience=p.patience,
            batch=p.batch,
            seed=p.seed,
            callbacks=[log, epochlog.Progress(p.epochs)],
        )
        log.summarize(network, outcome)
    with replacing_folder(models_path) as folder:
        checkpoint.save(folder, network, names)


if __name__ == "__main__":
    run(main)
