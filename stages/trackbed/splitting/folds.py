"""Assign records to the test part and to folds: stratified, group-aware, independent of order."""

import hashlib
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from trackbed.dataset.groups import most_images_of_usual_group
from trackbed.dataset.schema import TEST, VALIDATION
from trackbed.pipeline.errors import BadData, UserError
from trackbed.pipeline.index import FOLDS_TABLE, SHARES_TABLE, TEST_FOLD

# A test share is one or more whole parts of at most this many, e.g. 0.15 as 1/7.
MOST_PARTS = 10
MOST_DEVIATION = 0.2  # of the wanted share
# Of the images: as few as this beyond the first of their groups cannot upset the shares.
FEW = 0.01


def assigned(index: pd.DataFrame, folds: int, test_share: float, seed: int) -> pd.DataFrame:
    """Part and fold of every record, in the order of the index, columns as in FOLDS_TABLE.

    An official test part (index column `part`) is left alone; otherwise a stratified,
    group-aware share of `test_share` of what is in no validation part becomes the test part. The
    rest is divided into `folds` stratified folds. With an official validation part this is fold 0,
    and the rest is divided into the others. No group stands in two folds or in a fold and the test
    part.
    The result depends on names, labels, groups and seed alone, not on the order of the rows.
    A column `named_group` says which groups were joined, for messages.
    Raises UserError where a class has fewer groups than folds, where a group stands in two
    official parts, or where a part or fold would miss a class.
    """
    shuffled = index.iloc[_hash_order(index, seed)]
    _refuse_groups_in_two_parts(shuffled)
    official, testing = shuffled["part"] == VALIDATION, shuffled["part"] == TEST
    if not testing.any():
        testing[~official] = _random_test_part(shuffled[~official], test_share)
    first = int(official.any())  # fold of the rest
    training = shuffled[~testing & ~official]
    reason = f"split.folds is {folds}, and groups of the test part do not count"
    _refuse_few_groups(training, folds - first, reason, "lower split.folds")
    fold = pd.Series(TEST_FOLD, index=shuffled.index)
    fold[official] = 0
    fold[training.index] = _folds(training, folds - first) + first
    if first:
        _refuse_incomplete_validation(shuffled[~testing])
    _refuse_missing_classes(training, fold[training.index])
    table = index[["record", "filename", "group"]].copy()
    table["fold"] = fold.reindex(index.index)
    table["part"] = np.where(table["fold"] == TEST_FOLD, "test", "train")
    return FOLDS_TABLE.rows(table)


def _hash_order(index: pd.DataFrame, seed: int) -> np.ndarray:
    """Positions of the rows ordered by a hash of seed, group and file name, then by record."""

    def digest(*texts: str) -> str:
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()

    keys = [
        (digest(str(seed), group), digest(filename), record)
        for group, filename, record in zip(
            index["group"], index["filename"], index["record"], strict=True
        )
    ]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=int)


def _refuse_groups_in_two_parts(index: pd.DataFrame) -> None:
    for part, remedy in ((TEST, ""), (VALIDATION, ", or set split.validation_part to train")):
        inside = index["part"] == part
        shared = sorted(set(index["group"][inside]) & set(index["group"][~inside]))
        if shared:
            raise BadData(
                f"{len(shared)} groups stand in both the train and the {part} part, for example "
                f"{', '.join(shared[:3])}. A model would be tested on what it was trained on: "
                f"correct the parts, or data.group{remedy}."
            )


def _refuse_incomplete_validation(index: pd.DataFrame) -> None:
    """The official validation part must hold every class of the others."""
    official = index["part"] == VALIDATION
    missing = sorted(set(index["class_name"][~official]) ^ set(index["class_name"][official]))
    if missing:
        raise BadData(
            f"the validation part and the training part do not hold the same classes: "
            f"{', '.join(missing)}. Add images, or set split.validation_part to train: then both "
            "are training images, and split makes the folds."
        )


def _random_test_part(index: pd.DataFrame, share: float) -> pd.Series:
    fraction = Fraction(share).limit_denominator(MOST_PARTS)
    if abs(fraction - share) > MOST_DEVIATION * share or fraction == 1:
        raise UserError(
            f"params.yaml, split.test_share: {share} cannot be drawn; "
            f"use {1 / MOST_PARTS} to {1 - 1 / MOST_PARTS}, for example 0.2."
        )
    parts = fraction.denominator
    reason = f"a test part of split.test_share {share} needs {parts} groups of each class"
    _refuse_few_groups(index, parts, reason, "bring split.test_share nearer to 0.5")
    part = pd.Series(_folds(index, parts), index=index.index)
    _refuse_missing_classes(index, part < fraction.numerator)
    return part < fraction.numerator


def _folds(index: pd.DataFrame, folds: int) -> np.ndarray:
    """Fold of every row. The order of the rows decides; scikit-learn draws nothing here."""
    # Numbered by appearance: scikit-learn takes groups in the order of their sorted names.
    groups, names = pd.factorize(index["group"])
    labels = index["label"].to_numpy()
    # The group-aware split takes a tenth of a millisecond per group and fold; where nearly every
    # image is its own group, the first of each group is split instead and the rest follows.
    if folds == 1:
        return np.zeros(len(index), dtype=int)
    if len(index) - len(names) <= FEW * len(index):
        _, first = np.unique(groups, return_index=True)
        return _split(StratifiedKFold(folds), labels[first])[groups]
    return _split(StratifiedGroupKFold(folds), labels, groups)


def _split(
    splitter: StratifiedKFold | StratifiedGroupKFold,
    labels: np.ndarray,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    fold = np.empty(len(labels), dtype=int)
    with warnings.catch_warnings():
        # "The least populated class has fewer members than n_splits": refused before, by group.
        warnings.simplefilter("ignore", UserWarning)
        for number, (_, chosen) in enumerate(splitter.split(labels, labels, groups)):
            fold[chosen] = number
    return fold


def _refuse_few_groups(index: pd.DataFrame, needed: int, reason: str, remedy: str) -> None:
    groups = index.groupby("class_name")["group"].nunique()
    few = groups[groups < needed]
    if len(few):
        listed = ", ".join(f"{name} ({count})" for name, count in few.items())
        raise BadData(
            f"classes with fewer groups than folds: {listed}; {reason}. "
            f"Add images of other groups, {remedy}, or check data.group."
            f"{_joined(index, few.index)}"
        )


def _refuse_missing_classes(index: pd.DataFrame, side: pd.Series) -> None:
    """Every value of `side` must hold every class; a greedy grouped split does not promise it."""
    counts = pd.crosstab(index["class_name"], side)
    missing = counts.index[(counts == 0).any(axis=1)].tolist()
    if missing:
        raise BadData(
            f"a fold or part would hold no image of {', '.join(missing)}: too unequal groups. "
            "Lower split.folds, change split.seed, or check data.group."
            f"{_joined(index, missing)}"
        )


def _joined(index: pd.DataFrame, classes: list[str]) -> str:
    """How many groups of these classes were joined because images look alike, for messages."""
    both = index.assign(named=index.get("named_group", index["group"])).groupby("class_name")
    numbers = both[["named", "group"]].nunique().loc[classes]
    fewer = numbers[numbers["named"] > numbers["group"]]
    if fewer.empty:
        return ""
    listed = ", ".join(f"{row.Index} {row.named} into {row.group}" for row in fewer.itertuples())
    return (
        f" Groups that look alike were joined ({listed}; data/groups/joins.csv lists the images). "
        "If they are independent all the same, as those of a fixed camera may be, set "
        "split.join_distance (and split.consecutive_distance) to null, or lower it."
    )


# Of an even share: what is off by less, or by less than a group of the usual size, is no miss.
MISSED_SHARE = 0.1
LISTED_SHARES = 3  # in a message


def shares(index: pd.DataFrame, table: pd.DataFrame, test_share: float) -> pd.DataFrame:
    """How many images of every class each fold and the test part hold, columns of SHARES_TABLE.

    An even share is the same share of every class: `test_share` for a test part, for a fold the
    remaining images divided by the folds. Groups are never split, so that a part may be off by the
    largest group of a usual size (see groups.large_groups). What is off by more, and by more than
    MISSED_SHARE, is missed. Of official parts nothing is expected: they are not listed. index: with
    the groups that were assigned; table: see `assigned`.
    """
    rows = index[["class_name", "group", "part"]].assign(fold=table["fold"].to_numpy())
    rows = rows[~rows["part"].isin([TEST, VALIDATION])]
    testing = rows["fold"] == TEST_FOLD
    found = []
    if testing.any():
        share = Fraction(test_share).limit_denominator(MOST_PARTS)
        found.append(_share_rows(rows, testing.map({True: "test", False: ""}), float(share)))
    training = rows[~testing]
    side = "fold " + training["fold"].astype(str)
    found.append(_share_rows(training, side, 1 / side.nunique()))
    return SHARES_TABLE.rows(pd.concat(found).to_dict("records"))


def _share_rows(rows: pd.DataFrame, side: pd.Series, share: float) -> pd.DataFrame:
    """Rows of SHARES_TABLE for every side but ''; share: that an even one has of each class."""
    found = []
    for table in (rows.assign(class_name=""), rows):
        counted = pd.crosstab(side, table["class_name"]).drop(index="", errors="ignore").stack()
        counted = counted.rename("images").rename_axis(["side", "class_name"]).reset_index()
        of = counted["class_name"].map(table["class_name"].value_counts())
        sizes = table.groupby(["class_name", "group"]).size().groupby("class_name")
        usual = np.minimum(sizes.max(), most_images_of_usual_group(sizes.sum(), sizes.size()))
        off = (counted["images"] - share * of).abs()
        missed = off > np.maximum(MISSED_SHARE * share * of, counted["class_name"].map(usual))
        found.append(counted.assign(of=of, even=share * of, missed=missed))
    return pd.concat(found)


def share_warning(shares: pd.DataFrame) -> str:
    """The missed shares in one sentence, the worst first; '' without any."""
    missed = shares[shares["missed"]]
    if missed.empty:
        return ""
    off = (missed["images"] - missed["even"]).abs() / missed["even"]
    missed = missed.loc[off.sort_values(ascending=False, kind="stable").index]
    listed = [
        f"{row.side} has {row.images:,} of {row.of:,} images"
        f"{f' of class {row.class_name}' if row.class_name else ''} ({row.images / row.of:.0%}, "
        f"even would be {row.even / row.of:.0%})"
        for row in missed.head(LISTED_SHARES).itertuples()
    ]
    more = f"; {len(missed) - LISTED_SHARES} more" if len(missed) > LISTED_SHARES else ""
    return (
        f"uneven shares: {'; '.join(listed)}{more}. All are in data/groups/shares.csv. Large or "
        "few groups cannot be divided evenly; another split.seed or fewer split.folds may help."
    )


def fold_sizes(shares: pd.DataFrame) -> dict[str, int]:
    """smallest_fold and largest_fold, in images, and missed_shares; shares: see `shares`."""
    whole = shares[(shares["class_name"] == "") & (shares["side"] != "test")]["images"]
    sizes = {"smallest_fold": int(whole.min()), "largest_fold": int(whole.max())}
    return sizes | {"missed_shares": int(shares["missed"].sum())}
