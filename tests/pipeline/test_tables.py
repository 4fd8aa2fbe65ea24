"""Tables between the stages, in files as the stages write them."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from project import Project

from trackbed.pipeline import tables
from trackbed.pipeline.errors import Damaged, UserError
from trackbed.pipeline.tables import TableFile

SCORES = TableFile(
    "scores.csv",
    {"name": "str", "images": "int64", "share": "float64", "best": "bool"},
    "Run `dvc repro -f score`.",
    empty_is_nan=True,
)
COUNTS = TableFile("counts.csv", {"true": "str"}, "Count again.", further="int64")
ODD_NAMES = ["NA", "012", "null", "nan", "", " two  spaces ", 'NO, "really"', "line\nbreak", "1e5"]


def scores(names=("a", "b")):
    return SCORES.rows([(name, 3, 0.25, True) for name in names])


def test_a_table_comes_back_with_its_dtypes(tmp_path):
    SCORES.write(tmp_path, scores(ODD_NAMES))
    found = SCORES.read(tmp_path)
    pd.testing.assert_frame_equal(found, scores(ODD_NAMES))
    assert found["name"].tolist() == ODD_NAMES


def test_columns_that_are_not_of_the_table_are_not_written(tmp_path):
    SCORES.write(tmp_path, scores().assign(more=1)[["more", "best", "share", "images", "name"]])
    header = (tmp_path / "scores.csv").read_text().partition("\n")[0]
    assert header == "name,images,share,best"


def test_an_empty_number_is_nan_where_it_may_be():
    text = "name,images,share,best\nNA,3,,True\n"
    found = SCORES.parse(text, "x")
    assert np.isnan(found["share"][0])
    assert found["name"].tolist() == ["NA"]
    with pytest.raises(Damaged, match="x: broken"):
        replace(SCORES, empty_is_nan=False).parse(text, "x")


def test_a_class_may_be_called_like_the_first_column(tmp_path):
    table = pd.DataFrame([["true", 1, 2], ["b", 3, 4]], columns=["true", "true", "b"])
    COUNTS.write(tmp_path, table)
    found = COUNTS.read(tmp_path)
    assert list(found.columns) == ["true", "true", "b"]
    assert found.iloc[:, 1].tolist() == [1, 3]


def test_a_table_without_rows_keeps_its_dtypes(tmp_path):
    SCORES.write(tmp_path, SCORES.rows([]))
    assert SCORES.read(tmp_path).dtypes.equals(scores().dtypes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "broken"),
        (
            "name,images\na,1\n",
            r"columns are \['name', 'images'\], expected \['name', 'images', 's",
        ),
        ("name,images,share,best,more\na,1,1,True,2\n", "columns are"),
        ("name,images,share,best\na,many,1,True\n", "broken"),
        ("name,images,share,best\na,1,much,True\n", "broken"),
        ("name,images,share,best\na,,1,True\n", "broken"),
        ("name,images,share,best\na,1,1,perhaps\n", "broken"),
        ("name,images,share,best\na,b,1,1,True\n", "broken"),
        ('name,images,share,best\n"a,1,1,True\n', "broken"),
    ],
)
def test_a_damaged_table_is_refused_with_the_remedy(tmp_path, text, message):
    (tmp_path / "scores.csv").write_text(text)
    with pytest.raises(Damaged, match=rf"scores\.csv: {message}.*Run `dvc repro -f score`"):
        SCORES.read(tmp_path)


def test_bytes_that_are_not_utf8_are_refused(tmp_path):
    (tmp_path / "scores.csv").write_bytes(b"name,images,share,best\n\xff,1,1,True\n")
    with pytest.raises(Damaged, match=r"scores\.csv: broken.*utf-8"):
        SCORES.read(tmp_path)


def test_a_missing_table_is_no_damage(tmp_path):
    with pytest.raises(UserError, match=r"no such file\. Run") as refused:
        SCORES.read(tmp_path)
    assert refused.value.exit_code == 2


def test_further_columns_must_begin_with_the_prefix():
    table = replace(COUNTS, prefix="n_")
    assert table.parse("true,n_a\na,1\n", "x")["n_a"].tolist() == [1]
    with pytest.raises(Damaged, match=r"expected \['true'\] and any number of n_<class>"):
        table.parse("true,n_a,b\na,1,2\n", "x")


def test_a_json_object_is_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"a": [1, None]}))
    assert tables.json_object(path, "Run it.") == {"a": [1, None]}


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "no such file"), ("{", "not valid JSON"), ("[1]", "must hold an object, holds list")],
)
def test_json_that_is_no_object_is_refused(tmp_path, text, message):
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=rf"a\.json: {message}.* Run it\."):
        tables.json_object(path, "Run it.")


METRICS = {"f1": 0.5, "threshold": None, "gap": math.nan, "ratio": math.inf, "best": {"loss": None}}


def test_a_score_without_a_value_is_text_in_the_file(tmp_path):
    path = tmp_path / "metrics.json"
    tables.write_metrics(path, METRICS | {"name": "small", "count": 0, "flag": False})
    values = json.loads(path.read_text())
    (values,) = values["details"]
    assert [key for key, value in values.items() if value == "undefined"] == [
        "threshold",
        "gap",
        "ratio",
    ]
    assert values["best"] == {"loss": "undefined"}
    assert (values["f1"], values["name"], values["count"]) == (0.5, "small", 0)
    assert values["flag"] is False


def test_an_undefined_score_is_read_as_none(tmp_path):
    path = tmp_path / "metrics.json"
    tables.write_metrics(path, METRICS)
    missing = {"threshold": None, "gap": None, "ratio": None, "best": {"loss": None}}
    assert tables.metrics(path, "") == {"f1": 0.5} | missing
    assert tables.parsed_metrics(path.read_bytes()) == {"f1": 0.5} | missing


def test_files_of_older_versions_hold_null():
    assert tables.parsed_metrics(b'{"a": null, "b": NaN, "c": 1}') == {"a": None, "b": None, "c": 1}
    assert tables.parsed_metrics(None) == tables.parsed_metrics(b"[1]") == {}
    assert tables.parsed_metrics(b"{") == {}


def test_a_list_is_refused_because_dvc_would_not_show_it(tmp_path):
    with pytest.raises(TypeError, match="must be a single value"):
        tables.write_metrics(tmp_path / "metrics.json", {"f1": [0.5, 0.6]})


def test_a_file_that_is_missing_is_an_error_with_the_remedy(tmp_path):
    with pytest.raises(UserError, match=r"no such file. Run it."):
        tables.metrics(tmp_path / "metrics.json", "Run it.")


def test_dvc_shows_the_score_and_that_it_became_undefined(tmp_path):
    project = Project(tmp_path)
    project.run("git", "init", "-q")
    project.run("dvc", "init", "-q")
    (tmp_path / "dvc.yaml").write_text("metrics: [metrics.json]\n")
    path = tmp_path / "metrics.json"
    tables.write_metrics(path, METRICS | {"threshold": 0.9}, ["threshold"])
    project.commit()
    tables.write_metrics(path, METRICS | {"f1": 0.6}, ["threshold"])
    change = json.loads(project.run("dvc", "metrics", "diff", "--json"))["metrics.json"]
    assert change == {"threshold": {"old": 0.9, "new": "undefined"}}
    assert "undefined" in project.run("dvc", "metrics", "show", "--md")


def test_columns_come_first_and_details_are_read_with_them(tmp_path):
    path = tmp_path / "metrics.json"
    tables.write_metrics(path, {"loss": 0.2, "f1": 0.5, "best": {"loss": 0.1}}, ["f1"])
    assert list(json.loads(path.read_text())) == ["f1", "details"]
    assert tables.metrics(path, "") == {"f1": 0.5, "loss": 0.2, "best": {"loss": 0.1}}
    assert tables.parsed_metrics(path.read_bytes()) == tables.metrics(path, "")


def test_details_of_another_tool_stay_as_they_are():
    assert tables.parsed_metrics(b'{"details": "none"}') == {"details": "none"}
    assert tables.parsed_metrics(b'{"details": [1, 2]}') == {"details": [1, 2]}


@pytest.mark.filterwarnings("error")
def test_a_column_joins_a_table_of_many_classes_silently(tmp_path):
    names = [f"p_{place}" for place in range(200)]
    table = pd.DataFrame(0.5, index=range(2), columns=["record", *names]).astype({"record": int})
    wide = TableFile("wide.csv", {"record": "int64"}, "", further="float64", prefix="p_")
    wide.write(tmp_path, table)
    for read in (wide.read(tmp_path), tables.read_csv(tmp_path / "wide.csv", "")):
        assert list(read.assign(true=1).columns) == ["record", *names, "true"]
