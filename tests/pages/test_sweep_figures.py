from xml.etree import ElementTree

import pandas as pd

from trackbed.pages import sweep_figures

RUNS = pd.DataFrame({"train.dropout": ["0.2", "0.2", "0.5"], "val_macro_f1": [0.8, 0.9, 0.6]})


def texts(svg):
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter("text")]


def test_boxes_describe_the_mean_of_every_value():
    svg = sweep_figures.boxes(RUNS, "train.dropout", "val_macro_f1")
    label = ElementTree.fromstring(svg).get("aria-label")
    assert label == "Macro F1 of validation by train.dropout; means 0.2: 0.850, 0.5: 0.600."
    assert {"0.2", "0.5", "Macro F1", "train.dropout"} <= set(texts(svg))


def test_curves_have_a_line_per_value_and_the_same_bytes():
    curves = {"0.2": [pd.Series([0.5, 0.8], index=[1, 2])], "<b>": [pd.Series([0.4], index=[1])]}
    svg = sweep_figures.curves_by_value(curves, "train.dropout", "val/macro_f1")
    assert {"0.2", "<b>"} <= set(texts(svg))
    assert svg == sweep_figures.curves_by_value(curves, "train.dropout", "val/macro_f1")
