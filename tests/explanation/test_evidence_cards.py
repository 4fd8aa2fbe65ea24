"""The pictures of a card, decoded again."""

import base64
import io

import numpy as np
from PIL import Image

from trackbed.explanation import evidence_cards
from trackbed.explanation.explained import Evidence, Explained


def opened(uri):
    data = base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))
    return np.asarray(Image.open(io.BytesIO(data))).astype(int)


def entry(*values, true="A"):
    picture = np.full((60, 120, 3), 120, np.uint8)
    maps = [
        Evidence(name, np.full((2, 2), one, np.float32))
        for name, one in zip("AB", values, strict=False)
    ]
    return Explained("x.png", picture, true, "A", 0.9, maps)


def test_images_of_a_card_are_as_small_as_wanted():
    (card,) = evidence_cards.cards([entry(1)], 40)
    assert [opened(one).shape for one in (card.picture, card.maps[0].picture)] == [(20, 40, 3)] * 2
    assert card.right


def test_maps_of_one_card_have_the_same_colours():
    (card,) = evidence_cards.cards([entry(0.02, 1, true="B")], 40)
    weak, strong = (opened(one.picture) for one in card.maps)
    assert np.ptp(weak, axis=2).max() < 6  # grey
    assert np.ptp(strong, axis=2).min() > 60
    assert not card.right
