"""Export the trained model for other runtimes, with what they must know of it."""

from pathlib import Path

from pydantic import ConfigDict, Field

from trackbed.evaluation import calibration, selective_prediction
from trackbed.inference.exported_model import ExportedModel
from trackbed.integrity import dvc_lock
from trackbed.pipeline import index, params, tables, tensorflow_setup
from trackbed.pipeline.outputs import replacing_folder
from trackbed.pipeline.runner import run
from trackbed.records import embedding_store


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


def main(data_path: Path, models_path: Path, exported_path: Path) -> None:
    """Write the model as ONNX, what new pictures are compared with, and the description."""
    pictures, answers = params.load("data", PictureParams), params.load("evaluate", AnswerParams)
    dvc_lock.check_unchanged(models_path)
    fold = tables.VALIDATION_TABLE.read(models_path)
    records_path = data_path / index.RECORDS
    table = index.assigned(records_path, data_path / index.FOLDS)
    in_fold = table["record"].isin(fold["record"])
    stored = embedding_store.read(data_path / embedding_store.FOLDER)
    temperature = calibration.fitted_temperature(tables.probabilities(fold), tables.labels(fold))

    tensorflow_setup.start()
    from trackbed.exporting import exported_folder, novelty_reference
    from trackbed.training import checkpoint

    trained, classes = checkpoint.load(models_path)
    with replacing_folder(exported_path) as folder:
        exported_folder.write(
            folder,
            trained,
            classes,
            calibrated=answers.calibrated,
            temperature=temperature,
            refusal_threshold=selective_prediction.threshold_of_fold(
                fold, temperature if answers.calibrated else None, answers.wanted_precision
            ),
            wanted_precision=answers.wanted_precision,
            pictures=pictures.model_dump(),
            model=exported_folder.digest(models_path / checkpoint.MODEL_FILE),
        )
        embedder = novelty_reference.Embedder(ExportedModel.load(folder), records_path, stored)
        training, held_out = table[(table["part"] == "train") & ~in_fold], table[in_fold]
        reference = novelty_reference.reference(embedder, training, held_out)
        novelty_reference.add(folder, reference)
    print(f"{exported_path}: {trained.name} as ONNX")


if __name__ == "__main__":
    run(main)
