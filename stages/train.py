"""Train the network on all folds but one and keep the weights that are best on that fold."""

from pathlib import Path

from trackbed.networks import augmentation, embeddings
from trackbed.pipeline import index, measurements, params, tables, tensorflow_setup
from trackbed.pipeline.outputs import replacing_folder
from trackbed.pipeline.runner import run
from trackbed.records import embedding_store
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

    tensorflow_setup.start()
    from trackbed.networks import registry
    from trackbed.networks.spec import Spec
    from trackbed.training import (
        augmentation_preview,
        batches,
        checkpoint,
        epoch_log,
        loop,
        optimization,
        resources,
        resume,
    )

    tensorflow_setup.make_deterministic(p.seed, p.precision)
    spec = Spec.of(p, len(names))
    network = registry.build(p.network, spec)
    preview = augmentation.build(p.augment, p.seed)
    augmentation_preview.write(plots_path, records_path, training, spec, preview)
    if stored is None:
        model, changes = network, augmentation.build(p.augment, p.seed)
        examples = batches.of_images(records_path, spec.side, *rows)
    else:
        model, changes = embeddings.head(network), augmentation.Augmentation()
        examples = batches.of_embeddings(stored, network, table, *rows)
    store = resume.store(CACHE, p, [*inputs, Path(__file__)]) if p.resume else None
    with (
        checkpoint.kept_on_divergence(DIVERGED, network, names),
        epoch_log.started(metrics_path / epoch_log.FOLDER) as live,
        epoch_log.Progress(p.epochs, p.monitor) as progress,
        resources.Resources() as machine,
    ):
        waiting = resources.InputWait()
        log = epoch_log.EpochLog(live, len(training), waiting, machine)
        outcome = loop.fit(
            model,
            changes,
            *examples,
            phases=optimization.phases(p, spec, network, batches.steps(len(training), p.batch)),
            loss=optimization.loss_of(p),
            plan=loop.Plan.of(p),
            callbacks=[log, *optimization.plateau_callbacks(p), progress],
            waiting=waiting,
            store=store,
        )
        log.summarize(network, outcome, p.monitor)
    measurements.finish_training(metrics_path / epoch_log.FOLDER / epoch_log.SUMMARY_FILE)
    probabilities = model.predict(batches.in_order(examples[1].images, batch=p.batch), verbose=0)
    with replacing_folder(models_path) as folder:
        checkpoint.save(folder, network, names)
        predictions = tables.predictions(validation, names, probabilities)
        tables.VALIDATION_TABLE.write(folder, predictions)
    if store:
        store.remove()


if __name__ == "__main__":
    run(main)
