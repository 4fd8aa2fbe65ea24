"""Export the trained model for other runtimes, with what they must know of it."""

from functools import partial
from pathlib import Path
from typing import Literal, get_args

import pandas as pd
from pydantic import ConfigDict, Field

from trackbed.evaluation import calibration, selective_prediction
from trackbed.exporting import format_check, head_on_backbone, novelty_reference
from trackbed.exporting.parity import SUMMARY_FILE
from trackbed.inference import other_runtimes
from trackbed.inference.exported_model import ExportedModel
from trackbed.integrity import dvc_lock
from trackbed.pipeline import index, measurements, params, tables, tensorflow_setup
from trackbed.pipeline.outputs import replacing_folder
from trackbed.pipeline.runner import run
from trackbed.records import embedding_store, reader
from trackbed.training import checkpoint

INT8_IMAGES = 200  # of the training part that set the ranges of int8
# Where a frozen backbone ran once for all runs and ONNX is all, to keep these quick.
COMPARED_IMAGES = 64


class ExportParams(params.Section):
    """Section `export` of params.yaml."""

    # ONNX is always written, named or not.
    formats: list[Literal[other_runtimes.ONNX, *get_args(other_runtimes.Format)]]


class PictureParams(params.Section):
    """The keys of section `data` by which new pictures are read like those of the build."""

    model_config = ConfigDict(extra="ignore")

    max_pixels: int = Field(ge=1)
    min_side: int = Field(ge=1)
    max_aspect: float = Field(ge=1)
    crop_margin: float = Field(ge=0)
    boxes: str = "check"
    white_level: params.Maybe[int] = None
    group: params.Maybe[str] = None
    group_per_class: bool = False


class AnswerParams(params.Section):
    """The keys of section `evaluate` that say what is reported and what is refused."""

    model_config = ConfigDict(extra="ignore")

    calibrated: bool
    wanted_precision: float = Field(gt=0, le=1)


def refusal(fold: pd.DataFrame, answers: AnswerParams) -> dict[str, float | None]:
    """The temperature and the refusal threshold, of the predictions for the validation fold."""
    temperature = calibration.fitted_temperature(tables.probabilities(fold), tables.labels(fold))
    used = temperature if answers.calibrated else None
    threshold = selective_prediction.threshold_of_fold(fold, used, answers.wanted_precision)
    return {"temperature": temperature, "refusal_threshold": threshold}


def main(data_path: Path, models_path: Path, exported_path: Path, metrics_path: Path) -> None:
    """Write the model in all formats, and how far each answers like the trained one."""
    formats = sorted(set(params.load("export", ExportParams).formats) - {other_runtimes.ONNX})
    pictures, answers = params.load("data", PictureParams), params.load("evaluate", AnswerParams)
    other_runtimes.refuse_missing(formats)
    dvc_lock.check_unchanged(models_path)
    fold = tables.VALIDATION_TABLE.read(models_path)
    records_path = data_path / index.RECORDS
    table = index.assigned(records_path, data_path / index.FOLDS)
    in_fold, in_test = table["record"].isin(fold["record"]), table["part"] == "test"
    training, held_out, test = table[~in_fold & ~in_test], table[in_fold], table[in_test]
    stored = embedding_store.read(data_path / embedding_store.FOLDER)
    description = answers.model_dump() | refusal(fold, answers)

    network = head_on_backbone.read(models_path, stored, formats)
    if network is None:
        tensorflow_setup.start()
        from trackbed.exporting import trained_network

        network = trained_network.read(models_path)
    pixels = partial(reader.pixels, records_path, height=network.side, width=network.side)
    with replacing_folder(exported_path) as folder:
        network.write(
            folder,
            formats,
            pixels(index.spread(training, INT8_IMAGES)) if "litert_int8" in formats else None,
            **description,
            pictures=pictures.model_dump(),
            model=embedding_store.digest(models_path / checkpoint.MODEL_FILE),
        )
        embedder = novelty_reference.Embedder(ExportedModel.load(folder), records_path, stored)
        reference = novelty_reference.reference(embedder, training, held_out)
        novelty_reference.add(folder, reference)
        quick = stored is not None and not formats
        compared = index.spread(test, COMPARED_IMAGES) if quick else test
        images = pixels(compared)
        probabilities = network.probabilities(images, table, compared)
        expected = format_check.reference(probabilities, compared, description)
        found, milliseconds = format_check.check(folder, formats, images, expected)
    summary = metrics_path / SUMMARY_FILE
    tables.write_metrics(summary, {name: each.values() for name, each in found.items()})
    measurements.write_formats(summary, milliseconds)
    print(f"{exported_path}: {network.name} as {', '.join(found)}")


if __name__ == "__main__":
    run(main)
