"""Train the network on all folds but one and keep the weights that did best on that one."""

from pathlib import Path

from trackbed import index, params, startup
from trackbed.judging import predictions, temperature
from trackbed.learning import augment, embeddings
from trackbed.learning.choices import TrainParams
from trackbed.outputs import replacing_folder
from trackbed.stage import run

CACHE = Path(".cache/resume")
DIVERGED = Path(".cache/diverged")


def main(
    records_path: Path,
    folds_path: Path,
    embeddings_path: Path,
    models_path: Path,
    log_path: Path,
    sheet_path: Path,
) -> None:
    """Write the model, its validation answers, the epoch log and a sheet of what it sees."""
    p = params.load("train", TrainParams)
    table = index.assigned(records_path, folds_path)
    rows = index.training_and_validation(table, p.fold)
    names, side = index.classes(table), p.image_side
    stored = embeddings.read(embeddings_path)

    startup.tensorflow()
    from trackbed.learning import (
        batches,
        checkpoint,
        determinism,
        epochlog,
        examples,
        halves,
        losses,
        networks,
        phases,
        resources,
        resuming,
        sheet,
        spec,
        training,
        waiting,
    )

    def augmentation() -> sheet.Augmentation:
        return augment.layers(p.augment, p.seed), augment.mixers(p.augment, p.seed)

    determinism.reproducible(p.seed, p.precision)
    wanted = spec.Spec(side, len(names), **{key: getattr(p, key) for key in spec.CHOICES})
    network = networks.build(p.network, wanted)
    sheet.of_records(sheet_path, records_path, rows[0], side, len(names), augmentation())
    if stored is None:
        model, changes = network, augmentation()
        learned = examples.of_images(records_path, side, *rows)
    else:
        model, changes = halves.head(network), ((), ())
        learned = examples.of_embeddings(stored, network, table, *rows)
    settings = p.model_dump_json(exclude={"resume"})
    depends = (records_path, folds_path, embeddings_path, Path(__file__).parent)
    store = resuming.Store(CACHE, resuming.key(settings, depends)) if p.resume else None
    plan = training.Plan(**{key: getattr(p, key) for key in training.PLANNED})
    with (
        checkpoint.aside(DIVERGED, network, names),
        epochlog.started(log_path) as live,
        epochlog.Progress(p.epochs, p.monitor) as progress,
        resources.Resources() as machine,
    ):
        watch = waiting.Waiting()
        log = epochlog.EpochLog(live, len(rows[0]), watch, machine)
        outcome = training.fit(
            model,
            changes,
            *learned,
            phases=phases.planned(p, wanted, network, batches.steps(len(rows[0]), p.batch)),
            loss=losses.loss(p.loss, label_smoothing=p.label_smoothing, gamma=p.focal_gamma),
            plan=plan,
            callbacks=[log, *phases.plateau(p), progress],
            waiting=watch,
            store=store,
        )
        log.summarize(network, outcome, p.monitor)
    said = model.predict(batches.in_order(learned[1].images, batch=p.batch), verbose=0)
    with replacing_folder(models_path) as folder:
        checkpoint.save(folder, network, names)
        validation = predictions.answers(rows[1], names, said)
        predictions.write(folder, validation, predictions.VALIDATION_FILE)
        temperature.write(folder, temperature.fitted(said, learned[1].labels))
    if store:
        store.remove()


if __name__ == "__main__":
    run(main)
