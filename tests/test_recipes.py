"""Every recipe, laid over params.yaml, loads, builds its network and takes a training step."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import train
from trackbed.commands.recipe import with_recipe
from trackbed.evaluation import comparison
from trackbed.pipeline import params

ROOT = Path(__file__).parents[1]
RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))
LARGE = {"gtsrb", "rails", "scenes_optimized", "scenes_overfit"}  # networks that take long to build
MARKED = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in LARGE else [])
    for path in RECIPES
]


def models():
    """The params model of every section: class DataParams of section `data`, and so on."""
    sections = yaml.safe_load((ROOT / "params.yaml").read_text())
    names = {f"{section.capitalize()}Params": section for section in sections}
    scripts = [importlib.import_module(path.stem) for path in (ROOT / "stages").glob("*.py")]
    return {
        names[name]: found
        for module in [*scripts, comparison]
        for name, found in vars(module).items()
        if name in names
    }


@pytest.fixture(params=RECIPES, ids=lambda path: path.stem)
def recipe(request):
    return request.param


@pytest.fixture
def whole(recipe, tmp_path):
    """The params.yaml that `trackbed recipe` makes of it."""
    return written(recipe, tmp_path)


def written(recipe, folder):
    path = folder / "params.yaml"
    base = (ROOT / "params.yaml").read_text(encoding="utf-8")
    path.write_text(with_recipe(base, recipe.read_text(encoding="utf-8"), recipe))
    return path


def test_the_list_of_recipes():
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


def test_a_recipe_holds_only_what_differs(recipe, whole):
    overlay, merged = yaml.safe_load(recipe.read_text()), yaml.safe_load(whole.read_text())
    base = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert all(base[section][key] != overlay[section][key] for section, key in keys(overlay))
    assert merged == {section: base[section] | overlay.get(section, {}) for section in base}
    assert models().keys() == merged.keys()
    for section, model in models().items():
        params.load(section, model, whole)


def keys(values):
    return [(section, key) for section, inner in values.items() for key in inner]


def test_a_recipe_keeps_all_comments_of_params(whole):
    text = whole.read_text()
    for line in (ROOT / "params.yaml").read_text().splitlines():
        assert not line.strip().startswith("#") or line in text


def test_the_header_of_a_recipe_has_command_data_and_score(recipe):
    header = recipe.read_text().split("\n\n")[0]
    for word in (f"# command: trackbed recipe {recipe.stem}\n", "# data:  ", "# score: "):
        assert word in header


@pytest.mark.parametrize("recipe", MARKED, indirect=True)
def test_a_recipe_builds_its_network_and_takes_a_training_step(whole):
    import keras

    from trackbed.networks import augmentation, registry
    from trackbed.networks.spec import Spec
    from trackbed.pipeline import tensorflow_setup
    from trackbed.training import batches, loop, optimization

    p = params.load("train", train.TrainParams, whole)
    spec = replace(Spec.of(p, 3), weights="none")
    tensorflow_setup.make_deterministic(p.seed)
    network = registry.build(p.network, spec)
    before = [weight.numpy().copy() for weight in network.trainable_weights]
    moved = []

    def compare(*_, **__):
        pairs = zip(before, network.trainable_weights, strict=True)
        moved.append(any(not np.array_equal(old, new.numpy()) for old, new in pairs))

    side = p.image_side
    images = np.random.default_rng(0).integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    three = batches.Examples(images, np.arange(3))
    first = optimization.phases(p, spec, network, steps=1)[0]
    loop.fit(
        network,
        augmentation.build(p.augment, p.seed),
        three,
        three,
        # with a warm-up the first step has a learning rate of 0
        phases=[optimization.Phase(1 + p.warmup_epochs, first.optimizer)],
        loss=optimization.loss_of(p),
        plan=loop.Plan.of(p),
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=compare)],
    )
    # The weights of the best epoch, which are kept, may be those from before the warm-up.
    assert moved[-1]


@pytest.mark.parametrize("name", ["gtsrb", "signs"])
def test_traffic_signs_are_never_flipped(name, tmp_path):
    path = written(ROOT / "recipes" / f"{name}.yaml", tmp_path)
    p = params.load("train", train.TrainParams, path)
    assert "flip" not in [change.name for change in p.augment]
