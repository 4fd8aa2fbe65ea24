import numpy as np
import pytest
from PIL import Image, ImageDraw

from trackbed.sample import surfaces, texture

SHAPE = (64, 80)


def picture(name, seed=0):
    return surfaces.SURFACES[name](np.random.default_rng(seed), SHAPE)


@pytest.mark.parametrize("name", surfaces.SURFACES)
def test_a_surface_is_a_float_picture_and_repeatable(name):
    made = picture(name)
    assert made.shape == (*SHAPE, 3)
    assert made.dtype.kind == "f"
    assert np.isfinite(made).all()
    assert np.array_equal(made, picture(name))
    assert not np.array_equal(made, picture(name, seed=1))


def test_grass_is_greener_than_the_other_surfaces():
    def greenness(name):
        made = np.concatenate([picture(name, seed) for seed in range(6)])
        return (made[..., 1] - (made[..., 0] + made[..., 2]) / 2).mean()

    others = [greenness(name) for name in surfaces.SURFACES if name != "GRAS"]
    assert greenness("GRAS") > max(others) + 0.02


def test_ballast_has_more_contrast_than_asphalt():
    def contrast(name):
        return np.mean([picture(name, seed).mean(axis=2).std() for seed in range(6)])

    assert contrast("BALLAST") > contrast("ASPHALT")


@pytest.mark.parametrize("stones", [surfaces.setts, surfaces.cobbles])
def test_stones_are_divided_by_joints(stones):
    height, tone = stones(np.random.default_rng(2), SHAPE)
    assert height.shape == tone.shape == SHAPE
    assert height.min() == pytest.approx(0, abs=0.2)
    assert height.max() == pytest.approx(1, abs=0.01)
    assert 0.3 < height.mean() < 0.97


def test_a_crack_is_a_thin_line():
    mask = surfaces.crack(np.random.default_rng(1), (200, 200))
    assert mask.shape == (200, 200)
    assert mask.max() > 0.4
    assert 0 < (mask > 0).mean() < 0.05


def test_stones_of_some_pixels_are_those_of_all():
    shape, tint = (40, 60), np.float32([0.5, 0.4, 0.3])
    seen = np.zeros(shape, bool)
    seen[5:20, 7:50:3] = True
    whole = surfaces.stones(np.random.default_rng(1), shape, 5, tint)
    part = surfaces.stones(np.random.default_rng(1), shape, 5, tint, seen)
    assert np.array_equal(part, whole[seen])


def test_weeds_are_blades_where_their_mask_is():
    # As drawn whole, every blade of it, by Pillow's documented function.
    random, ground = np.random.default_rng(5), np.full((50, 70, 3), 0.25, np.float32)
    weedy = surfaces._with_weeds(np.random.default_rng(5), ground, 0.2)
    soil, lines, colours = surfaces._blades(random, (50, 70))
    assert random.random() >= 0.3  # no moss
    picture = Image.new("RGB", (140, 100), tuple((soil * 255).astype(int).tolist()))
    for line, colour in zip(lines.tolist(), (colours * 255).clip(0, 255), strict=True):
        fill = tuple(colour.astype(int).tolist())
        ImageDraw.Draw(picture).line(line, fill=fill, width=2)
    green = np.asarray(picture.reduce(2), np.float32) / 255
    mask = texture.patches(random, (50, 70), 30, 0.2)
    assert 0 < (mask > 0).mean() < 0.6
    assert np.array_equal(weedy, texture.mix(ground, green, mask))
