"""What is wrong or unusual in the records: the rows of findings.csv, and how many there are."""

from typing import Any

import numpy as np
import pandas as pd

from trackbed.dataset import duplicates
from trackbed.dataset.duplicates import near_duplicates
from trackbed.pipeline import index
from trackbed.pipeline.index import FINDINGS_TABLE, NO_RECORD

# Grey values; the mean and two standard deviations stay below or above. By Chebyshev's inequality
# three quarters of the pixels do in any picture, nearly all in the usual ones.
DARKEST, BRIGHTEST = 20, 235
LEAST_CONTRAST = 2  # grey values, standard deviation
# Where half of all pictures come nearer to a limit than this many times it, the set itself is
# dark, bright, pale or soft, and only what is far from the others is listed.
SET_FACTOR = 4
# Modified z-score (Iglewicz & Hoaglin 1993, How to Detect and Handle Outliers, p. 11 f.).
OUTLIER_SCORE, MAD_SCALE = 3.5, 0.6745
FEWEST_RECORDS = 10  # records; the median of fewer says little
FEWEST_RECORDS_OF_SCALE = 30
# Variance of the Laplacian against variance of the grey values. A Gaussian blur of 1 % of the
# side brings photographs of 150 pixels down to about 0.01, whatever they show; of sharp ones hazy
# mountains alone come as low. Above UNSHARP only a look at the others of the class could tell.
BLURRED_EDGES, UNSHARP_EDGES = 0.01, 0.1
SMALLEST_EDGES = 1e-6
BRIGHTNESS_DIFFERENCE = 32  # grey values from the class's median, at least
SIZE_FACTOR = 2  # of the class's median, at least


def outliers(table: pd.DataFrame) -> pd.DataFrame:
    """What is black, white, of low information, blurred or unusual for its class.

    Black, white and low information exclude one another and all others but shape and size.
    table: an index. Returns columns record, finding and detail, the worst of a kind first.
    """
    plain = _uniform(table)
    rest = table[~table["record"].isin(plain["record"])]
    found = [plain, _blurred(rest), _brightness(rest)]
    found += [
        _unusual(table, np.log2(table["width"] / table["height"]), index.UNUSUAL_SHAPE),
        _unusual(table, np.log2(table["width"] * table["height"]) / 2, index.UNUSUAL_SIZE),
    ]
    columns = ["record", "finding", "detail"]
    return pd.concat(
        [rows.sort_values(["far", "record"], ascending=[False, True])[columns] for rows in found],
        ignore_index=True,
    )


def modified_z(values: pd.Series, groups: pd.Series) -> pd.Series:
    """0.6745 (value - median) / MAD within each group; NaN in a group of fewer than FEWEST_RECORDS.

    MAD is the median absolute deviation from the median. Where it is 0 the score is 0 for the
    median itself and infinite for every other value.
    """
    apart = values - values.groupby(groups).transform("median")
    deviation = apart.abs().groupby(groups).transform("median")
    scores = MAD_SCALE * apart / deviation.where(deviation > 0)
    scores = scores.where(deviation > 0, np.sign(apart) * np.inf).where(apart != 0, 0.0)
    return scores.where(groups.groupby(groups).transform("size") >= FEWEST_RECORDS)


def _uniform(table: pd.DataFrame) -> pd.DataFrame:
    low = [_below(values, limit) for values, limit in zip(_plainness(table), LIMITS, strict=True)]
    finding = np.select(low, [index.BLACK, index.WHITE, index.LOW_INFORMATION], "")
    found = table[finding != ""]
    detail = [
        f"mean grey value {row.brightness:.1f} of 255, standard deviation {row.contrast:.1f}"
        for row in found.itertuples()
    ]
    return _rows(found, finding[finding != ""], detail, -found["contrast"])


LIMITS = (DARKEST, 255 - BRIGHTEST, LEAST_CONTRAST)


def _plainness(table: pd.DataFrame) -> tuple[pd.Series, ...]:
    """How far from black, white and uniform, in grey values: one for each of LIMITS."""
    mean, spread = table["brightness"], table["contrast"]
    return mean + 2 * spread, 255 - mean + 2 * spread, spread


def _below(values: pd.Series, limit: float) -> pd.Series:
    """Which values are below a limit; in a set that is near it, those far below the others."""
    low = values < limit
    if len(values) >= FEWEST_RECORDS and values.median() < SET_FACTOR * limit:
        logs = np.log(values.clip(lower=SMALLEST_EDGES))
        low &= modified_z(logs, pd.Series(0, values.index)) < -OUTLIER_SCORE
    return low


def of_the_set(table: pd.DataFrame) -> pd.DataFrame:
    """What is unusual of a set as a whole: columns finding and detail. table: an index."""
    if len(table) < FEWEST_RECORDS:
        return pd.DataFrame(columns=["finding", "detail"])
    medians = [values.median() for values in (*_plainness(table), _edges(table))]
    kinds = zip(SET_KINDS, medians, (*LIMITS, BLURRED_EDGES), strict=True)
    found = [
        (kind, text.format(median))
        for (kind, text), median, limit in kinds
        if median < SET_FACTOR * limit
    ]
    return pd.DataFrame(found, columns=["finding", "detail"])


SET_KINDS = (
    (index.DARK_SET, "half of the images have nearly no pixel brighter than {:.0f} of 255"),
    (
        index.BRIGHT_SET,
        "half of the images have nearly no pixel more than {:.0f} below white (255)",
    ),
    (index.PALE_SET, "half of the images have a standard deviation of grey values below {:.1f}"),
    (
        index.SOFT_SET,
        "half of the images have an edge energy below {:.2g}; photographs have 0.2 to 3. They are "
        "out of focus or were enlarged: a smaller train.image_side loses nothing",
    ),
)


def _edges(table: pd.DataFrame) -> pd.Series:
    """Edge energy: variance of the Laplacian against that of the grey values."""
    contrast = table["contrast"].clip(lower=SMALLEST_EDGES)
    return (table["sharpness"] / contrast**2).clip(lower=SMALLEST_EDGES)


def _blurred(table: pd.DataFrame) -> pd.DataFrame:
    """Hardly any edges, or few and far fewer than in pictures of the same class and scale."""
    edges = _edges(table)
    octave = np.log2(table["width"] * table["height"]).div(2).round().astype(int).astype(str)
    scale = table["class_name"] + "/" + octave
    many = scale.groupby(scale).transform("size") >= FEWEST_RECORDS_OF_SCALE
    scale = scale.where(many, table["class_name"])
    score = modified_z(np.log(edges), scale)
    blurred = _below(edges, BLURRED_EDGES) | ((edges < UNSHARP_EDGES) & (score < -OUTLIER_SCORE))
    usual = edges.groupby(scale).transform("median")
    detail = [
        f"edge energy {own:.3g}, usual in its class and scale {others:.3g}"
        for own, others in zip(edges[blurred], usual[blurred], strict=True)
    ]
    return _rows(table[blurred], index.BLURRED, detail, -edges[blurred])


def _brightness(table: pd.DataFrame) -> pd.DataFrame:
    usual = table.groupby("class_name")["brightness"].transform("median")
    apart = (table["brightness"] - usual).abs()
    score = modified_z(table["brightness"], table["class_name"]).abs()
    far = (score > OUTLIER_SCORE) & (apart >= BRIGHTNESS_DIFFERENCE)
    detail = [
        f"mean grey value {own:.0f}, usual in its class {others:.0f}"
        for own, others in zip(table["brightness"][far], usual[far], strict=True)
    ]
    return _rows(table[far], index.UNUSUAL_BRIGHTNESS, detail, score[far])


def _unusual(table: pd.DataFrame, octaves: pd.Series, finding: str) -> pd.DataFrame:
    """SIZE_FACTOR times the median of the class, or smaller by it, and rare there."""
    apart = (octaves - octaves.groupby(table["class_name"]).transform("median")).abs()
    score = modified_z(octaves, table["class_name"]).abs()
    far = (apart >= np.log2(SIZE_FACTOR)) & (score > OUTLIER_SCORE)
    detail = [f"{row.width} x {row.height} pixels" for row in table[far].itertuples()]
    return _rows(table[far], finding, detail, apart[far])


def _rows(
    found: pd.DataFrame, finding: "str | np.ndarray", detail: list[str], far: pd.Series
) -> pd.DataFrame:
    return pd.DataFrame(
        {"record": found["record"], "finding": finding, "detail": detail, "far": far}
    )


COUNTED = {
    "black": index.BLACK,
    "white": index.WHITE,
    "low_information": index.LOW_INFORMATION,
    "blurred": index.BLURRED,
    "unusual_brightness": index.UNUSUAL_BRIGHTNESS,
    "unusual_shape": index.UNUSUAL_SHAPE,
    "unusual_size": index.UNUSUAL_SIZE,
    "scaled_box": index.SCALED_BOX,
    "several_pages": index.SEVERAL_PAGES,
}


def findings(table: pd.DataFrame, noted: pd.DataFrame | None = None) -> pd.DataFrame:
    """All findings of an index, columns as in index.FINDINGS_TABLE, ordered by FINDING_TYPES.

    noted: further ones by file name, columns filename ('' for the whole set), finding and detail.

    Within a kind what is nearest or worst comes first. A record may have several, but of being
    the same as another or near it only one each.
    """
    twice = duplicates.conflicts(table)
    repeated = duplicates.repeats(table)
    exact = pd.concat([twice, repeated[~repeated["record"].isin(twice["record"])]])
    exact = exact.assign(finding=exact["reason"], detail="the same pixels")
    kinds = [exact, near_duplicates(table), outliers(table), of_the_set(table)]
    if noted is not None:
        own = noted.merge(table[["filename", "record"]], "left").drop(columns="filename")
        kinds.append(own[own["record"].notna() | own["finding"].isin(index.SET_FINDINGS)])
    found = pd.concat(kinds, ignore_index=True)
    found["record"] = found["record"].astype("Int64").fillna(NO_RECORD).astype("int64")
    found["other_record"] = found["other_record"].astype("Int64").fillna(NO_RECORD).astype("int64")
    order = pd.Categorical(found["finding"], index.FINDING_TYPES, ordered=True)
    found = found.iloc[order.codes.argsort(kind="stable")].reset_index(drop=True)
    rows = table.set_index("record")[["filename", "class_name", "part"]]
    own = rows.reindex(found["record"], fill_value="").reset_index(drop=True)
    other = found["other_record"].map(rows["filename"]).fillna("")
    found = pd.concat([found[["record", "finding", "detail", "other_record"]], own], axis=1)
    return FINDINGS_TABLE.rows(found.assign(other=other))


def kind_counts(found: pd.DataFrame) -> dict[str, int]:
    """How many near-duplicates and outliers there are. found: see `findings`."""
    number = found["finding"].value_counts()
    near = {
        "near_duplicates": int(number.reindex(index.NEAR_FINDINGS).sum()),
        "near_in_two_classes": int(number.get(index.NEAR_CONTRADICTION, 0)),
        "near_in_train_and_test": int(number.get(index.NEAR_TEST, 0)),
    }
    return near | {name: int(number.get(kind, 0)) for name, kind in COUNTED.items()}


def spread(table: pd.DataFrame) -> dict[str, Any]:
    """How classes and sizes are spread. table: an index.

    imbalance: images of the largest class against those of the smallest. Widths and heights in
    pixels.
    """
    images = table["class_name"].value_counts()
    found = {"largest_class": int(images.max()), "smallest_class": int(images.min())}
    found["imbalance"] = round(float(images.max() / images.min()), 3)
    for side in ("width", "height"):
        found[f"smallest_{side}"] = int(table[side].min())
        found[f"median_{side}"] = float(table[side].median())
        found[f"largest_{side}"] = int(table[side].max())
    return found


def set_sentences(found: pd.DataFrame) -> list[str]:
    """The findings about the whole set. found: see `findings`."""
    rows = found[found["finding"].isin(index.SET_FINDINGS)]
    return [f"{row.finding}: {row.detail}" for row in rows.itertuples()]


def summary(counted: dict[str, Any]) -> str:
    """The findings of `counts` in one line; '' without any."""
    names = ("near_duplicates", *COUNTED)
    return ", ".join(f"{counted[name]} {name.replace('_', ' ')}" for name in names if counted[name])
