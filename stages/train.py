"""Train the network on all folds but one and keep the weights that are best on that fold."""

from pathlib import Path

from trackbed.networks import augmentation
from trackbed.pipeline import index, measurements, params, tables, tensorflow_setup
from trackbed.pipeline.outputs import replacing_folder
from trackbed.pipeline.runner import run
from trackbed.records import embedding_store
from trackbed.training import sampling
from trackbed.training.train_params import TrainParams

CACHE = Path(".cache/resume")
DIVERGED = Path(".cache/diverged")


def main(data_path: Path, models_path: Path, metrics_path: Path, plots_path: Path) -> None:
    """Write the model, its validation predictions, the epoch log and an augmentation preview."""
    p = params.load("train", TrainParams)
    inputs = [data_path / name for name in (index.RECORDS, index.FOLDS, embedding_store.FOLDER)]
    records_path, folds_path, embeddings_path = inputs
    table = index.assigned(records_path, folds_path)
    rows = training, validation = index.training_and_validation(table, p.fold)
    names = index.classes(table)
    stored = embedding_store.read(embeddings_path)
    seen = stored.seen() if stored else None
    print(
        f"training {p.network} on {len(training)} images, validating on {len(validation)}; the "
        "first epoch takes longest",
        flush=True,
    )
    if stored is None or (p.augment and seen is None):
        tensorflow_setup.start(beside=p.parts)
        tensorflow_setup.make_deterministic(p.seed, p.precision)
    from trackbed.training import augmentation_preview, checkpoint, epoch_log, resources

    store = None
    if stored is None:
        from trackbed.training import image_network, resume

        store = resume.store(CACHE, p, [*inputs, Path(__file__)]) if p.resume else None
        network = image_network.ImageNetwork(p, records_path, rows, len(names), store)
    else:
        from trackbed.training import frozen_network

        embedded = frozen_network.embedded(stored, table, *rows)
        network = frozen_network.FrozenNetwork(p, stored, embedded, len(names))
    if seen is None:
        changes, shape = augmentation.build(p.augment, p.seed), (p.image_side, len(names))
        seen = augmentation_preview.of_records(records_path, training, changes, *shape)
    augmentation_preview.write(plots_path, seen)
    log_path, steps = metrics_path / epoch_log.FOLDER, sampling.steps(len(training), p.batch)
    with (
        checkpoint.kept_on_divergence(DIVERGED, network, names),
        epoch_log.started(log_path) as live,
        epoch_log.Progress(p.epochs, p.monitor, steps) as progress,
        resources.Resources() as machine,
    ):
        log = epoch_log.EpochLog(live, len(training), lambda: network.seconds_waited, machine)
        outcome = network.fit([log, progress])
    summary_path = log_path / epoch_log.SUMMARY_FILE
    of = {"network": network.name, "parameters": network.parameters}
    log.write_summary(summary_path, outcome, p.monitor, **of)
    measurements.finish_training(summary_path)
    predictions = tables.predictions(validation, names, network.probabilities())
    with replacing_folder(models_path) as folder:
        network.save(folder)
        checkpoint.write_classes(folder, names)
        tables.VALIDATION_TABLE.write(folder, predictions)
    if store:
        store.remove()


if __name__ == "__main__":
    run(main)
