import base64
import io

import fabricated
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trackbed.dataset import recording
from trackbed.pipeline.errors import UserError
from trackbed.records import record_features
from trackbed.reporting import html


def stored(folder, encoding, image=None, data=None):
    """A shard that holds one picture, and its row of the index."""
    image = image or fabricated.picture(3)
    data = data or fabricated.encoded(image, encoding)
    row = {"record": 0, "filename": "a.jpg", "label": 0, "class_name": "A", "group": "g"}
    row |= {"encoding": encoding, "height": image.height, "width": image.width}
    with recording.ShardWriter(folder, 10**6) as shards:
        return row | shards.add(record_features.of_row(row, data))


@pytest.mark.parametrize("encoding", ["jpeg", "png", "raw"])
def test_a_thumbnail_shows_the_picture_of_the_record(tmp_path, encoding):
    row = stored(tmp_path, encoding)
    small = Image.open(io.BytesIO(html.thumbnail(tmp_path, row, 32)))
    assert (small.format, small.mode, small.size) == ("JPEG", "RGB", (32, 24))  # of 64 x 48
    expected = fabricated.picture(3).resize((32, 24), Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(small, float) - np.asarray(expected, float)).mean() < 12


def test_small_pictures_keep_their_size_and_bytes(tmp_path):
    row = stored(tmp_path, "png")
    first = html.thumbnail(tmp_path, row, 500)
    assert Image.open(io.BytesIO(first)).size == (64, 48)
    assert first == html.thumbnail(tmp_path, row, 500)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
def test_pictures_of_other_modes_are_shown_too(tmp_path, mode):
    row = stored(tmp_path, "png", fabricated.picture(1).convert(mode))
    assert Image.open(io.BytesIO(html.thumbnail(tmp_path, row, 32))).mode == "RGB"


def test_a_data_uri_holds_the_whole_file(tmp_path):
    jpeg = html.thumbnail(tmp_path, stored(tmp_path, "raw"), 16)
    kind, _, text = html.data_uri(jpeg).partition(",")
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(text) == jpeg


@pytest.mark.parametrize("encoding", ["jpeg", "png", "raw"])
def test_a_shard_that_is_cut_or_missing_is_refused_by_name(tmp_path, encoding):
    row = stored(tmp_path, encoding)
    shard = tmp_path / row["shard"]
    shard.write_bytes(shard.read_bytes()[:200])
    with pytest.raises(UserError, match=r"record 0 \(a\.jpg; part-00000.*no whole TFRecord"):
        html.thumbnail(tmp_path, row, 32)
    shard.unlink()
    with pytest.raises(UserError, match="no such file"):
        html.thumbnail(tmp_path, row, 32)


def test_bytes_of_another_format_are_not_opened(tmp_path):
    gif = io.BytesIO()
    fabricated.picture(0).save(gif, "GIF")
    row = stored(tmp_path, "png", data=gif.getvalue())
    with pytest.raises(UserError, match=r"record 0 \(a\.jpg\): expected a file of format png"):
        html.thumbnail(tmp_path, row, 32)


def test_cards_join_prediction_and_picture(tmp_path):
    index = pd.DataFrame([stored(tmp_path, "jpeg")])
    answer = {"record": 0, "filename": "a.jpg", "true": "A", "predicted": "B", "confidence": 0.75}
    (card,) = html.cards(tmp_path, index, pd.DataFrame([answer]))
    assert (card.true, card.predicted, card.confidence, card.right) == ("A", "B", 0.75, False)
    assert card.picture.startswith("data:image/jpeg;base64,")


@pytest.mark.parametrize("change", [{"record": 7}, {"filename": "b.jpg"}])
def test_predictions_of_other_records_are_refused(tmp_path, change):
    index = pd.DataFrame([stored(tmp_path, "jpeg")])
    answer = {"record": 0, "filename": "a.jpg", "true": "A", "predicted": "B", "confidence": 0.75}
    with pytest.raises(UserError, match="dvc repro evaluate"):
        html.cards(tmp_path, index, pd.DataFrame([answer | change]))


def test_a_missing_sheet_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(UserError, match=r"seen\.jpg: No such file.*dvc repro -f train"):
        html.sheet(tmp_path / "seen.jpg")
