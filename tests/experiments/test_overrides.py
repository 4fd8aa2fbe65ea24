"""Values of -S: what DVC's own functions make of them is the expectation."""

import pytest
import yaml
from dvc.utils import hydra
from dvc.utils.serialize import load_yaml

from trackbed.experiments import overrides, param_values
from trackbed.pipeline import params
from trackbed.pipeline.errors import UserError

ASSIGNMENTS = [
    ["train.learning_rate=1e-3,1e-4", "train.dropout=0.2, 0.5"],
    ["evaluate.corruptions=[noise,blur]"],
    ["evaluate.corruptions=[],[noise],[noise, blur]"],
    ["train.augment=[],[{name: flip, mode: horizontal}]"],
    ["train.augment=[{name: flip, mode: horizontal},{name: zoom, factor: [0.1, 1e-1]}]"],
    ["train.optimizer=choice(adam,sgd)", "train.units=64,128"],
    ["train.augment=choice([],[{name: flip, mode: vertical}])"],
    ["train.fold=range(5)"],
    ["train.fold=range(1,4)", "train.seed=range(0,10,5)"],
    ["train.dropout=range(0.1,0.4,0.1)"],
    ["train.units=range(512,0,-256)"],
    ["train.units=sort(128,32,64)"],
    ["train.dropout=float(1)"],
    ["split.consecutive_distance=null,4,NULL"],
    ["data.classes=null,[A,B]"],
    ["data.group='^(\\w+),(\\d+)=_'"],
    ["data.group='it\\'s',\"a=b, c\""],
    ["report.title=one title,'1.10',1.10,012,1_000"],
    ["train.resume=True,FALSE,false"],
    ["train.weights=models/a.keras,https://x.de/a.keras"],
    ["report.title="],
    ["report.title=a\\,b\\ c"],
    ["train.l2=-0,.5,1.,1e-05,+3"],
    ["++train.dropout=0.1,0.2"],
    ["+train.extra=1"],
    ["~train.dropout", "train.units=8,16"],
    ["params.yaml:train.units=8,16"],
    ["train.augment.0.mode=vertical"],
    ["data={crop_margin: 0.1, min_side: 4}"],
    ["train.seed=${train.fold}"],
    [],
]
WRITTEN = {
    "data": {"source": "x", "classes": None, "group": None, "crop_margin": 0.0, "min_side": 8},
    "split": {"folds": 5, "consecutive_distance": None},
    "train": {"learning_rate": 1e-3, "dropout": 0.3, "units": 256, "optimizer": "adam"}
    | {"augment": [{"name": "flip", "mode": "horizontal"}], "fold": 0, "seed": 0, "l2": 0.0}
    | {"resume": False, "weights": "none"},
    "evaluate": {"corruptions": []},
    "report": {"title": "012"},
}


def queued_by_dvc(assignments):
    """What `dvc exp run --queue -S` queues; one run with all as they are where nothing varies."""
    texts = [text.removeprefix("params.yaml:") for text in assignments]
    return [one["params.yaml"] for one in hydra.get_hydra_sweeps({"params.yaml": texts})]


@pytest.mark.parametrize("assignments", ASSIGNMENTS, ids=" ".join)
def test_settings_are_those_that_dvc_queues(assignments):
    found = [[f"{key}={text}" for key, text in one.items()] for one in overrides.grid(assignments)]
    assert found == queued_by_dvc(assignments)


@pytest.mark.parametrize("assignments", ASSIGNMENTS, ids=" ".join)
def test_parameters_are_those_that_dvc_writes(assignments, tmp_path):
    path = tmp_path / "params.yaml"
    for setting, queued in zip(
        overrides.grid(assignments), queued_by_dvc(assignments), strict=True
    ):
        path.write_text(yaml.safe_dump(WRITTEN))
        before = params.sections(path)
        hydra.apply_overrides(path, queued)
        written = param_values.flattened(params.sections(path))
        assert param_values.flattened(overrides.applied(before, setting)) == written
        # Hydra's numbers are numbers to DVC as well, so that the text is no accident.
        assert set(load_yaml(path)) == set(WRITTEN)


def test_every_combination_comes_once_the_last_key_fastest():
    found = overrides.grid(["train.learning_rate=1e-3,1e-4", "train.dropout=0.2, 0.5"])
    assert [tuple(setting.values()) for setting in found] == [
        ("0.001", "0.2"),
        ("0.001", "0.5"),
        ("0.0001", "0.2"),
        ("0.0001", "0.5"),
    ]


def test_without_assignments_there_is_one_empty_setting():
    assert overrides.grid([]) == [{}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("train.dropout", "must be section.key=value"),
        ("train.=1", "must be section.key=value"),
        ("=1", "must be section.key=value"),
        (".dropout=1", "must be section.key=value"),
        ("train.dropout=1,,2", "not a value that DVC can read"),
        ("train.augment=[{name: flip", "not a value that DVC can read"),
        ("report.title=a=b", "not a value that DVC can read"),
        ("report.title=it's", '("\'" cannot stand there). Write'),
        ("data.group=^(\\d+)_", "('^' cannot stand there)"),
        ("data.source=bilder/böschung", "('ö' cannot stand there)"),
        ("data.classes=choice([A],null)", "NoneType is incompatible"),
        ("train.l2=choice()", "empty choice is not legal"),
        ("train.dropout=interval(0,0.5)", "an interval has no list of values"),
        ("train.l2=tag(log,interval(1e-5,1e-2))", "an interval has no list of values"),
        ("train.units=range(1,1)", "holds no value"),
        ("train.units=range(1,5,0)", "must not be zero"),
        ("train.units=range(0.1,5,0)", "Invalid range values"),
        ("train.augment=[range(1,3)]", "cannot stand inside a list"),
        ("train.network=glob(*)", "glob finds nothing here"),
        ("train.units@x=1", "'@' is not possible"),
        ("other.yaml:train.units=1", "only params.yaml can be changed"),
        ("train.units=range(10000000)", "more than 100,000 values"),
    ],
)
def test_what_has_no_values_is_refused_in_one_line(text, reason):
    with pytest.raises(UserError) as caught:
        overrides.grid([text])
    message = str(caught.value)
    assert message.startswith(f"-S {text}: ")
    assert reason in message
    assert "\n" not in message


def test_a_grid_without_end_is_refused():
    with pytest.raises(UserError, match="1,000,000 combinations; at most"):
        overrides.grid(["train.units=range(1000)", "train.seed=range(1000)"])


@pytest.mark.parametrize("other", ["train.dropout=2", "++train.dropout=2", "~train.dropout"])
def test_a_key_that_comes_twice_is_refused(other):
    with pytest.raises(UserError, match=r"train\.dropout: given twice"):
        overrides.grid(["train.dropout=1", other])


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"train.droput": "1"}, "Could not override 'train.droput'"),
        ({"+train.dropout": "1"}, "An item is already at 'train.dropout'"),
        ({"~train.droput": "null"}, "'train.droput' does not exist"),
        ({"~train.dropout": "0.4"}, "The value of 'train.dropout' is 0.3 and not 0.4"),
        ({"train.augment.9.mode": "x"}, "index out of range"),
    ],
)
def test_what_dvc_cannot_apply_is_refused_in_one_line(setting, reason):
    sections = yaml.load(yaml.safe_dump(WRITTEN), Loader=yaml.BaseLoader)
    with pytest.raises(UserError) as caught:
        overrides.applied(sections, setting)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_lists_are_parsed_and_written():
    assert overrides.parse_value("[]") == []
    value = param_values.canonical(overrides.parse_value("[{name: 'Größe'}, null, 1e-5]"))
    assert param_values.short_text(value) == "[{name: Größe}, null, 1.0e-05]"
