"""Train the network on all folds but one and keep the weights that did best on that one."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from trackbed import index, params, startup
from trackbed.learning import augment
from trackbed.outputs import replacing_folder
from trackbed.problems import run

MONITORED = Literal["loss", "accuracy", "macro_f1", "val_loss", "val_accuracy", "val_macro_f1"]


class TrainParams(params.Section):
    """Section `train` of params.yaml."""

    network: str
    weights: str  # 'none', 'imagenet' or the path of a weights file
    scaling: Literal["own", "unit"]
    unfreeze: str  # 'none', 'all', the name of a layer or the number of last layers
    head_epochs: int = Field(ge=0)
    fine_tune_rate: float = Field(gt=0)
    image_side: int = Field(ge=8, le=1024)  # pixels
    dropout: float = Field(ge=0, lt=1)
    width: float = Field(ge=0.25, le=8)
    units: int = Field(ge=1)
    l2: float = Field(ge=0)
    augment: augment.Changes
    fold: int = Field(ge=0)  # the fold to validate on
    epochs: int = Field(ge=1)
    monitor: MONITORED
    patience: int = Field(ge=1)  # epochs
    batch: int = Field(ge=1)  # images
    loss: Literal["crossentropy", "focal"]
    focal_gamma: float = Field(ge=0)
    label_smoothing: float = Field(ge=0, lt=1)
    class_weights: bool
    balanced_sampling: bool
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    clip_norm: float = Field(ge=0)
    average: float = Field(ge=0, lt=1)  # momentum of the moving average of the weights
    schedule: Literal["constant", "exponential", "cosine", "plateau"]
    decay_rate: float = Field(gt=0, le=1)
    decay_steps: int = Field(ge=1)  # batches
    warmup_epochs: int = Field(ge=0)
    plateau_factor: float = Field(gt=0, lt=1)
    plateau_patience: int = Field(ge=1)  # epochs
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"]
    seed: int = Field(ge=0, lt=2**31)


def main(
    records_path: Path, folds_path: Path, models_path: Path, log_path: Path, sheet_path: Path
) -> None:
    """Write the model, its class names, the epoch log and a sheet of what the network sees."""
    p = params.load("train", TrainParams)
    table = index.assigned(records_path, folds_path)
    rows = index.training_and_validation(table, p.fold)
    names, side = index.classes(table), p.image_side

    startup.tensorflow()
    from trackbed.ingest import records
    from trackbed.learning import (
        batches,
        checkpoint,
        epochlog,
        losses,
        networks,
        phases,
        sheet,
        spec,
        training,
    )

    def augmentation() -> sheet.Augmentation:
        return augment.layers(p.augment, p.seed), augment.mixers(p.augment, p.seed)

    training.reproducible(p.seed, p.precision)
    wanted = spec.Spec(side, len(names), **{key: getattr(p, key) for key in spec.CHOICES})
    network = networks.build(p.network, wanted)
    images = [records.pixels(records_path, part, side, side) for part in rows]
    labels = [part["label"].to_numpy() for part in rows]
    examples = list(map(training.Examples, images, labels))
    sheet.write(sheet_path, examples[0], len(names), augmentation())
    plan = training.Plan(**{key: getattr(p, key) for key in training.PLANNED})
    with epochlog.started(log_path) as live, epochlog.Progress(p.epochs, p.monitor) as progress:
        log = epochlog.EpochLog(live, len(rows[0]))
        outcome = training.fit(
            network,
            augmentation(),
            *examples,
            phases=phases.planned(p, wanted, network, batches.steps(len(rows[0]), p.batch)),
            loss=losses.loss(p.loss, label_smoothing=p.label_smoothing, gamma=p.focal_gamma),
            plan=plan,
            callbacks=[log, *phases.plateau(p), progress],
        )
        log.summarize(network, outcome, p.monitor)
    with replacing_folder(models_path) as folder:
        checkpoint.save(folder, network, names)


if __name__ == "__main__":
    run(main)
