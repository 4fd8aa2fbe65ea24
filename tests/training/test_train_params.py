from pathlib import Path

import pytest
import yaml

from trackbed.pipeline import params
from trackbed.pipeline.errors import UserError
from trackbed.training.train_params import TrainParams

PARAMS = Path(__file__).parents[2] / "params.yaml"


def loaded(tmp_path, **changes):
    values = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    values["train"] |= changes
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return params.load("train", TrainParams, path)


def test_every_key_of_the_file_is_a_field_and_the_reverse():
    keys = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))["train"]
    assert list(keys) == list(TrainParams.model_fields)


def test_a_number_that_dvc_writes_as_text_is_a_number(tmp_path):
    # `dvc exp run -S train.learning_rate=1e-5` writes 1e-05, which PyYAML reads as text.
    assert loaded(tmp_path, learning_rate="1e-05").learning_rate == 1e-5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": -0.001}, "train.learning_rate: must be above 0, got -0.001."),
        ({"dropout": 1}, "train.dropout: must be below 1, got 1."),
        ({"drop_out": 0.1}, "train: unknown key 'drop_out'. Did you mean 'dropout'?"),
        ({"image_side": 4}, "train.image_side: must be at least 8, got 4."),
        ({"epochs": 1.5}, "train.epochs: must be a whole number, got 1.5."),
        ({"optimizer": "lion"}, "train.optimizer: must be one of 'adam', 'adamw' or 'sgd'"),
        ({"monitor": "auc"}, "train.monitor: must be one of 'loss', "),
        ({"width": "inf"}, "train.width: must be a finite number"),
        ({"augment": [{"name": "flop"}]}, "train.augment.0: 'name' must be one of 'flip', "),
    ],
)
def test_a_wrong_value_is_an_error_with_key_rule_and_value(tmp_path, changes, message):
    with pytest.raises(UserError) as error:
        loaded(tmp_path, **changes)
    assert message in str(error.value)
