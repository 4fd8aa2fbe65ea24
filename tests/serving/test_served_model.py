import numpy as np
import served

from trackbed.exporting import novelty_reference
from trackbed.inference import novelty
from trackbed.serving import served_model


def test_an_answer_has_the_share_of_held_out_images_that_are_nearer(tmp_path):
    folder = served.write_model(tmp_path / "exported")
    red = served.picture((200, 0, 0))
    assert served_model.load(folder).answer(red)["novelty"] is None
    colours = np.float32([[0, 1, 0], [1, 1, 0]])
    novelty_reference.add(folder, novelty.build(colours[:1], colours))
    model = served_model.load(folder)
    assert model.answer(red)["novelty"] == 0.666666667  # 2 of 3, itself the third
    assert model.answer(served.picture((0, 200, 0)))["novelty"] == 0
