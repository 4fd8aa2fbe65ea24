"""Run a frozen backbone over all images once, for all epochs of all later runs."""

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ConfigDict, Field

from trackbed.networks import augmentation, embeddings
from trackbed.pipeline import index, params, tensorflow_setup
from trackbed.pipeline.outputs import replacing_folder
from trackbed.pipeline.runner import run
from trackbed.records import embedding_store

CALIBRATION_IMAGES = 300  # training images that set the ranges of int8
CHECKED_IMAGES = 16  # on which the backbone as ONNX must answer as in TensorFlow


class EmbedParams(params.Section):
    """Section `embed` of params.yaml."""

    engine: Literal["tensorflow", "openvino"]
    precision: Literal["float32", "bfloat16", "int8"]
    views: int = Field(ge=0, le=100)  # augmented embeddings of every training image
    batch: int = Field(ge=1)  # images
    seed: int = Field(ge=0, lt=2**31)  # of the views


class BackboneParams(params.Section):
    """The keys of section `train` that define the backbone and its input."""

    model_config = ConfigDict(extra="ignore")

    network: str
    weights: str
    scaling: str
    unfreeze: str
    head_epochs: int
    image_side: int = Field(ge=8, le=1024)
    augment: augmentation.Changes


def seen_views(p: EmbedParams, backbone: BackboneParams) -> list[embedding_store.Forward]:
    """The first views as functions from images to augmented images, for the preview."""
    from trackbed.embedding import engines

    count = min(p.views, embedding_store.SEEN_VIEWS)
    return engines.augmented_views(np.asarray, backbone.augment, p.seed, count)


def main(data_path: Path) -> None:
    """Write the embeddings, or a marker that this network has none."""
    records_path, embeddings_path = data_path / index.RECORDS, data_path / embedding_store.FOLDER
    p, backbone = params.load("embed", EmbedParams), params.load("train", BackboneParams)
    if reason := embeddings.reason_not_frozen(backbone, p.views):
        with replacing_folder(embeddings_path) as folder:
            embedding_store.write_about(folder, frozen=False)
        print(f"nothing to embed: {reason}")
        return
    table = index.assigned(records_path, data_path / index.FOLDS)
    print(f"embedding {len(table)} images by {backbone.network}; loading it first", flush=True)

    tensorflow_setup.start()
    from trackbed.embedding import engines
    from trackbed.exporting import backbone_conversion
    from trackbed.networks import registry
    from trackbed.networks.spec import Spec
    from trackbed.records import reader

    tensorflow_setup.make_deterministic(p.seed)
    spec = Spec.of(backbone, len(index.classes(table)))
    network = registry.build(backbone.network, spec)
    base = embeddings.backbone(network)
    images = reader.pixels(records_path, table, spec.side, spec.side)
    training, test = (np.flatnonzero(table["part"] == part) for part in ("train", "test"))
    sample = training[:: max(1, len(training) // CALIBRATION_IMAGES)][:CALIBRATION_IMAGES]
    forward = engines.forward(base, p.engine, p.precision, images[sample])
    augmented = engines.augmented_views(forward, backbone.augment, p.seed, p.views)
    exact = (p.engine, p.precision) == embedding_store.EXACT
    with replacing_folder(embeddings_path) as folder:
        write = partial(embedding_store.write, images=images, batch=p.batch)
        write(folder / embedding_store.STORED_FILE, rows=np.arange(len(table)), views=[forward])
        if augmented:
            write(folder / embedding_store.VIEWS_FILE, rows=training, views=augmented)
            labels = table["label"].to_numpy()[training]
            some = index.spread_over_classes(labels, embedding_store.SEEN_IMAGES)
            embedding_store.write_seen(folder, images[training[some]], seen_views(p, backbone))
        reference = forward
        if not exact:
            reference = engines.forward(base, *embedding_store.EXACT, images[:0])
            write(folder / embedding_store.REFERENCE_FILE, rows=test, views=[reference])
        converted = backbone_conversion.write(folder, network, reference, images[:CHECKED_IMAGES])
        embedding_store.write_about(
            folder,
            frozen=True,
            backbone=embeddings.weights_digest(base),
            weights_file=embedding_store.weights_file_digest(backbone.weights),
            of={key: f"{getattr(backbone, key)}" for key in BackboneParams.model_fields},
            exact=exact,
            **converted,
            **p.model_dump(),
        )
    print(f"{len(table)} images embedded by {backbone.network}, {p.engine}, {p.precision}")


if __name__ == "__main__":
    run(main)
