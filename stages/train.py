"""Train the network on all folds but one and keep the weights that did best on that one."""

from pathlib import Path

from trackbed.networks import augmentation, embeddings
from trackbed.pipeline import index, measurements, params, tables, tensorflow_setup
from trackbed.pipeline.outputs import replacing_folder
from trackbed.pipeline.runner import run
from trackbed.training.train_params import TrainParams

CACHE = Path(".cache/resume")
DIVERGED = Path(".cache/diverged")


def main(data_path: Path, models_path: Path, metrics_path: Path, plots_path: Path) -> None:
    """Write the model, its validation answers, the epoch log and a sheet of what it sees."""
    p = params.load("train", TrainParams)
    records_path = data_path / index.RECORDS
    table = index.assigned(records_path, data_path / index.FOLDS)
    rows = index.training_and_validation(table, p.fold)
    names, side = index.classes(table), p.image_side
    stored = embeddings.read(data_path / embeddings.FOLDER)

    tensorflow_setup.start()
    from trackbed.networks import registry, spec
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

    def random_changes() -> augmentation_preview.Augmentation:
        return augmentation.layers(p.augment, p.seed), augmentation.mixers(p.augment, p.seed)

    tensorflow_setup.make_deterministic(p.seed, p.precision)
    wanted = spec.Spec(side, len(names), **{key: getattr(p, key) for key in spec.CHOICES})
    network = registry.build(p.network, wanted)
    augmentation_preview.of_records(
        plots_path / augmentation_preview.FILE,
        records_path,
        rows[0],
        side,
        len(names),
        random_changes(),
    )
    if stored is None:
        model, changes = network, random_changes()
        learned = batches.of_images(records_path, side, *rows)
    else:
        model, changes = embeddings.head(network), ((), ())
        learned = batches.of_embeddings(stored, network, table, *rows)
    settings = p.model_dump_json(exclude={"resume"})
    read = [data_path / name for name in (index.RECORDS, index.FOLDS, embeddings.FOLDER)]
    depends = (*read, Path(__file__).parent)
    store = resume.Store(CACHE, resume.key(settings, depends)) if p.resume else None
    plan = loop.Plan(**{key: getattr(p, key) for key in loop.PLANNED})
    with (
        checkpoint.aside(DIVERGED, network, names),
        epoch_log.started(metrics_path / epoch_log.FOLDER) as live,
        epoch_log.Progress(p.epochs, p.monitor) as progress,
        resources.Resources() as machine,
    ):
        watch = resources.InputWait()
        log = epoch_log.EpochLog(live, len(rows[0]), watch, machine)
        outcome = loop.fit(
            model,
            changes,
            *learned,
            phases=optimization.phases(p, wanted, network, batches.steps(len(rows[0]), p.batch)),
            loss=optimization.loss(p.loss, label_smoothing=p.label_smoothing, gamma=p.focal_gamma),
            plan=plan,
            callbacks=[log, *optimization.plateau_callbacks(p), progress],
            waiting=watch,
            store=store,
        )
        log.summarize(network, outcome, p.monitor)
    measurements.finish_training(metrics_path / epoch_log.FOLDER / epoch_log.SUMMARY_FILE)
    said = model.predict(batches.in_order(learned[1].images, batch=p.batch), verbose=0)
    with replacing_folder(models_path) as folder:
        checkpoint.save(folder, network, names)
        validation = tables.predictions(rows[1], names, said)
        tables.VALIDATION_TABLE.write(folder, validation)
    if store:
        store.remove()


if __name__ == "__main__":
    run(main)
