"""Every recipe is a whole params.yaml that loads, builds its network and takes a training step."""

from pathlib import Path

import numpy as np
import pytest
import yaml

import build_tfrecord
import embed
import evaluate
import report
import split
import train
from trackbed.evaluation import comparison
from trackbed.pipeline import params

ROOT = Path(__file__).parents[1]
RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))
SECTIONS = {
    "data": build_tfrecord.DataParams,
    "split": split.SplitParams,
    "embed": embed.EmbedParams,
    "train": train.TrainParams,
    "evaluate": evaluate.EvaluateParams,
    "report": report.ReportParams,
    "runtime": build_tfrecord.RuntimeParams,
    "gate": comparison.GateParams,
}


@pytest.fixture(params=RECIPES, ids=lambda path: path.stem)
def recipe(request):
    return request.param


def test_the_recipes_are_the_promised_ones():
    assert [path.stem for path in RECIPES] == [
        "gtsrb",
        "rails",
        "scenes",
        "scenes_optimized",
        "scenes_overfit",
        "scenes_underfit",
        "signs",
        "trackbed",
    ]


def test_a_recipe_is_a_whole_and_valid_params_file(recipe):
    given = yaml.safe_load(recipe.read_text())
    whole = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert {key: list(keys) for key, keys in given.items()} == {
        key: list(keys) for key, keys in whole.items()
    }
    for section, model in SECTIONS.items():
        params.load(section, model, recipe)


def test_a_recipe_says_what_it_needs_and_gives(recipe):
    header = recipe.read_text().split("\n\n")[0]
    for word in ("data:", "score:", f"cp recipes/{recipe.stem}.yaml params.yaml"):
        assert word in header


def test_a_recipe_builds_its_network_and_takes_a_training_step(recipe):
    from trackbed.networks import augmentation, registry
    from trackbed.networks.spec import CHOICES, Spec
    from trackbed.pipeline import tensorflow_setup
    from trackbed.training import batches, loop, optimization

    p = params.load("train", train.TrainParams, recipe)
    choices = {key: getattr(p, key) for key in CHOICES} | {"weights": "none"}
    spec = Spec(p.image_side, 3, **choices)
    tensorflow_setup.make_deterministic(p.seed)
    network = registry.build(p.network, spec)
    before = [weight.numpy().copy() for weight in network.trainable_weights]
    side = p.image_side
    images = np.random.default_rng(0).integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    three = batches.Examples(images, np.arange(3))
    plan = loop.Plan(**{key: getattr(p, key) for key in loop.PLANNED})
    first = optimization.phases(p, spec, network, steps=1)[0]
    loop.fit(
        network,
        (augmentation.layers(p.augment, p.seed), augmentation.mixers(p.augment, p.seed)),
        three,
        three,
        # with a warm-up the first step has a learning rate of 0
        phases=[optimization.Phase(1 + p.warmup_epochs, first.optimizer)],
        loss=optimization.loss(p.loss, label_smoothing=p.label_smoothing, gamma=p.focal_gamma),
        plan=plan,
    )
    after = [weight.numpy() for weight in network.trainable_weights]
    assert any(not np.array_equal(old, new) for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("name", ["gtsrb", "signs"])
def test_traffic_signs_are_never_flipped(name):
    p = params.load("train", train.TrainParams, ROOT / "recipes" / f"{name}.yaml")
    assert "flip" not in [change.name for change in p.augment]
