"""What is to be said against the records: the rows of findings.csv, and how many there are."""

from typing import Any

import pandas as pd

from trackbed.index import FINDINGS_TYPES, NO_RECORD
from trackbed.ingest import duplicates, kinds
from trackbed.ingest.near_duplicates import near_duplicates
from trackbed.ingest.outliers import outliers

COUNTED = {
    "black": kinds.BLACK,
    "white": kinds.WHITE,
    "low_information": kinds.LOW_INFORMATION,
    "blurred": kinds.BLURRED,
    "unusual_brightness": kinds.UNUSUAL_BRIGHTNESS,
    "unusual_shape": kinds.UNUSUAL_SHAPE,
    "unusual_size": kinds.UNUSUAL_SIZE,
}


def findings(table: pd.DataFrame) -> pd.DataFrame:
    """All findings of an index in the order of kinds.KINDS, columns as in index.FINDINGS_TYPES.

    Within a kind what is nearest or worst comes first. A record may have several, but of being
    the same as another or near it only one each.
    """
    twice = duplicates.conflicts(table)
    repeated = duplicates.repeats(table)
    exact = pd.concat([twice, repeated[~repeated["record"].isin(twice["record"])]])
    exact = exact.assign(finding=exact["reason"], detail="the same pixels")
    found = pd.concat([exact, near_duplicates(table), outliers(table)], ignore_index=True)
    found["other_record"] = found["other_record"].astype("Int64").fillna(NO_RECORD).astype("int64")
    order = pd.Categorical(found["finding"], kinds.KINDS, ordered=True)
    found = found.iloc[order.codes.argsort(kind="stable")].reset_index(drop=True)
    rows = table.set_index("record")[["filename", "class_name", "part"]]
    own = rows.loc[found["record"]].reset_index(drop=True)
    other = found["other_record"].map(rows["filename"]).fillna("")
    found = pd.concat([found[["record", "finding", "detail", "other_record"]], own], axis=1)
    return found.assign(other=other)[list(FINDINGS_TYPES)].astype(FINDINGS_TYPES)


def counts(table: pd.DataFrame, found: pd.DataFrame) -> dict[str, Any]:
    """How many near-duplicates and outliers there are, and how classes and sizes are spread.

    table: an index; found: see `findings`. imbalance: images of the largest class against those
    of the smallest. Widths and heights in pixels.
    """
    number = found["finding"].value_counts()
    near = {
        "near_duplicates": int(number.reindex(kinds.NEAR_ONES).sum()),
        "near_in_two_classes": int(number.get(kinds.NEAR_CONTRADICTION, 0)),
        "near_in_train_and_test": int(number.get(kinds.NEAR_TEST, 0)),
    }
    outlying = {name: int(number.get(kind, 0)) for name, kind in COUNTED.items()}
    images = table["class_name"].value_counts()
    spread = {"largest_class": int(images.max()), "smallest_class": int(images.min())}
    spread["imbalance"] = round(float(images.max() / images.min()), 3)
    for side in ("width", "height"):
        spread[f"smallest_{side}"] = int(table[side].min())
        spread[f"median_{side}"] = float(table[side].median())
        spread[f"largest_{side}"] = int(table[side].max())
    return near | outlying | spread


def told(counted: dict[str, Any]) -> str:
    """The counts of `counts` in words, those of findings alone; '' without any."""
    names = ("near_duplicates", *COUNTED)
    return ", ".join(f"{counted[name]} {name.replace('_', ' ')}" for name in names if counted[name])
