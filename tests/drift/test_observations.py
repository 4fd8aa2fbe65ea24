import numpy as np
import pandas as pd
import pytest

from trackbed.drift import observations
from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline import tables
from trackbed.pipeline.errors import Damaged


@pytest.fixture
def rows(coloured_project):
    return observations.rows_of_index(coloured_project / "data", coloured_project / "models")[0]


def test_held_out_are_the_test_part_and_the_validation_fold(rows, coloured_project):
    folds = pd.read_csv(coloured_project / "data/folds/folds.csv")
    expected = folds[(folds["part"] == "test") | (folds["fold"] == 0)]
    assert rows["filename"].tolist() == expected["filename"].tolist()


def test_of_too_many_whole_groups_are_sampled(coloured_project, monkeypatch):
    monkeypatch.setattr(observations, "MOST_HELD_OUT", 25)
    paths = coloured_project / "data", coloured_project / "models"
    rows, trained = observations.rows_of_index(*paths)
    assert len(rows) == 24  # two frames a drive
    assert (rows.groupby("group").size() == 2).all()
    assert len(trained) > 100
    assert not set(trained["group"]) & set(rows["group"])


def test_no_training_picture_is_no_error(coloured_project):
    _, trained = observations.rows_of_index(coloured_project / "data", coloured_project / "models")
    found = observations.training_pictures(coloured_project / "data/records", trained[:0], 16)
    assert (found.groups, found.properties.shape[0]) == ([], 0)


def test_records_are_seen_as_the_model_predicted_them(rows, coloured_project):
    model = ExportedModel.load(coloured_project / "exported")
    seen = observations.of_records(model, coloured_project / "data/records", rows)
    table = tables.VALIDATION_TABLE.read(coloured_project / "models")
    places = rows["record"].isin(table["record"]).to_numpy()
    assert np.abs(seen.probabilities[places] - tables.probabilities(table)).max() < 1e-6
    assert len(seen) == len(rows)
    # The embedding of this model is the mean colour.
    brightness = np.log(seen.embeddings @ [0.299, 0.587, 0.114] * 255 + 1)
    assert seen.properties[:, 0] == pytest.approx(brightness, abs=1e-3)


def test_outputs_that_are_not_finite_are_an_error(coloured_project):
    class Broken:
        folder = "exported"

        def outputs(self, images, *names):
            return [np.full((len(images), 3), np.nan, np.float32)] * 2

    with pytest.raises(Damaged, match="outputs are not finite"):
        observations.outputs(Broken(), [np.zeros((1, 16, 16, 3), np.uint8)])
