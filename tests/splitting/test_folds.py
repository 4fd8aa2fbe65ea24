import numpy as np
import pandas as pd
import pytest

from trackbed.pipeline.errors import UserError
from trackbed.splitting.folds import assigned, fold_sizes, share_warning, shares


def index_of(groups_per_class, frames=4, part=""):
    """An index in which every class has the given number of groups of `frames` images."""
    rows = [
        {"filename": f"{name}/{group:03d}_{frame}.png", "class_name": name, "part": part}
        | {"label": label, "group": f"{name}/{group:03d}"}
        for label, (name, count) in enumerate(groups_per_class.items())
        for group in range(count)
        for frame in range(frames)
    ]
    return pd.DataFrame(rows).assign(record=range(len(rows)))


def joined(index, table):
    return index.merge(table[["record", "fold"]], on="record").merge(
        table[["record", "part"]].rename(columns={"part": "assigned"}), on="record"
    )


def test_no_group_is_in_two_folds_or_parts():
    index = index_of({"A": 20, "B": 35, "C": 12})
    result = joined(index, assigned(index, folds=4, test_share=0.2, seed=1))
    assert result.groupby("group")["fold"].nunique().max() == 1


def test_shares_are_stratified_by_class():
    index = index_of({"A": 50, "B": 100})
    result = joined(index, assigned(index, folds=5, test_share=0.2, seed=1))
    per_class = result.groupby("class_name")
    assert per_class["assigned"].apply(lambda part: (part == "test").mean()).tolist() == [0.2, 0.2]
    training = result[result["assigned"] == "train"]
    counts = pd.crosstab(training["class_name"], training["fold"])
    assert counts.loc["A"].tolist() == [32] * 5  # 40 groups of 4 images over 5 folds
    assert counts.loc["B"].tolist() == [64] * 5


def test_an_official_test_part_is_left_alone():
    training = index_of({"A": 10, "B": 10}, part="train")
    testing = index_of({"A": 3}, part="test").assign(
        group=lambda t: "t" + t["group"], filename=lambda t: "t" + t["filename"]
    )
    index = pd.concat([training, testing], ignore_index=True)
    index["record"] = range(len(index))
    table = assigned(index, folds=2, test_share=0.5, seed=0)
    assert (table["part"] == index["part"]).all()
    assert (table["fold"][index["part"] == "test"] == -1).all()


def in_parts(**classes):
    """An index of parts with 10 groups per class, or of others, each part with its own groups."""
    tables = [index_of(counts, part=part) for part, counts in classes.items()]
    for table, part in zip(tables, classes, strict=True):
        table[["group", "filename"]] = part + table[["group", "filename"]]
    return pd.concat(tables, ignore_index=True).assign(record=lambda rows: range(len(rows)))


BOTH = {"A": 10, "B": 10}


def test_an_official_validation_part_is_fold_0():
    index = in_parts(train=BOTH, validation={"A": 3, "B": 2}, test={"A": 2})
    table = assigned(index, folds=3, test_share=0.5, seed=0)
    counts = pd.crosstab(index["part"], table["fold"])
    # 20 groups of 4 frames over folds 1 and 2; 5 groups in the validation part, 2 in the test part.
    assert counts.to_dict("index") == {
        "train": {-1: 0, 0: 0, 1: 40, 2: 40},
        "validation": {-1: 0, 0: 20, 1: 0, 2: 0},
        "test": {-1: 8, 0: 0, 1: 0, 2: 0},
    }
    assert (table["part"] == index["part"].replace("validation", "train")).all()
    two = assigned(index, folds=2, test_share=0.5, seed=0)
    assert (two["fold"][index["part"] == "train"] == 1).all()


def test_the_test_part_is_sampled_outside_the_validation_part():
    index = in_parts(train=BOTH, validation=BOTH)
    table = assigned(index, folds=3, test_share=0.2, seed=0)
    counts = pd.crosstab(index["part"], table["part"])
    assert counts.to_dict("index") == {
        "train": {"test": 16, "train": 64},
        "validation": {"test": 0, "train": 80},
    }


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"train": BOTH, "validation": {"A": 3}},
            "not hold the same classes: B. .*set split",
        ),
        ({"train": {"A": 9}, "validation": BOTH, "test": BOTH}, "not hold the same classes: B"),
        ({"train": {"A": 9, "B": 1}, "validation": BOTH}, r"fewer groups than folds: B \(1\)"),
    ],
)
def test_a_validation_part_that_cannot_be_a_fold_is_refused(parts, message):
    with pytest.raises(UserError, match=message):
        assigned(in_parts(**parts), folds=3, test_share=0.5, seed=0)


def test_a_group_in_train_and_validation_is_refused():
    index = in_parts(train=BOTH, validation=BOTH)
    index.loc[0, "group"] = index["group"].iloc[-1]
    with pytest.raises(UserError, match="1 groups stand in both the train and the validation part"):
        assigned(index, folds=3, test_share=0.5, seed=0)


def test_the_order_of_the_rows_does_not_matter():
    index = index_of({"A": 15, "B": 15})
    mixed = index.sample(frac=1, random_state=3)
    straight = assigned(index, folds=3, test_share=0.2, seed=5)
    turned = assigned(mixed, folds=3, test_share=0.2, seed=5).sort_values("record")
    pd.testing.assert_frame_equal(straight, turned.reset_index(drop=True))


def test_another_seed_draws_other_folds():
    index = index_of({"A": 15, "B": 15})
    first, second = (assigned(index, 3, 0.2, seed)["fold"].to_numpy() for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_images_without_groups_are_stratified_one_by_one():
    index = index_of({"A": 50, "B": 30}, frames=1)
    result = joined(index, assigned(index, folds=4, test_share=0.2, seed=0))
    counts = pd.crosstab(result["class_name"], result["fold"])
    assert counts.loc["A"].tolist() == [10, 10, 10, 10, 10]
    assert counts.loc["B"].tolist() == [6, 6, 6, 6, 6]


def test_a_class_with_fewer_groups_than_folds_is_refused():
    index = index_of({"A": 20, "B": 4})
    with pytest.raises(UserError, match=r"fewer groups than folds: B \(4\).*test_share.* needs 5"):
        assigned(index, folds=3, test_share=0.2, seed=0)
    official = index.assign(part=np.where(index["group"].str.endswith("000"), "test", "train"))
    with pytest.raises(UserError, match=r"B \(3\); split.folds is 5"):
        assigned(official, folds=5, test_share=0.2, seed=0)


def test_a_group_in_both_official_parts_is_refused():
    index = index_of({"A": 6, "B": 6})
    index["part"] = np.where(index["filename"].str.endswith("_0.png"), "test", "train")
    with pytest.raises(UserError, match="12 groups stand in both the train and the test part"):
        assigned(index, folds=2, test_share=0.2, seed=0)


def test_an_impossible_share_is_refused_and_not_rounded():
    index = index_of({"A": 50, "B": 50}, frames=1)
    with pytest.raises(UserError, match=r"split.test_share: 0.06 cannot be drawn"):
        assigned(index, folds=2, test_share=0.06, seed=0)
    table = assigned(index, folds=2, test_share=0.35, seed=0)
    assert (table["part"] == "test").mean() == pytest.approx(1 / 3, abs=0.02)


def test_a_sampled_test_part_without_a_class_is_refused():
    # Groups are never divided: the half of the images that becomes the test part is one group
    # of class A, and the other half would be fine to train on.
    groups = {"g0": "A" * 20, "g1": "A" * 5 + "B" * 2, "g2": "A", "g3": "A" * 5 + "B" * 20}
    rows = [
        {"filename": f"{group}_{frame}.png", "class_name": name, "group": group, "part": ""}
        for group, names in groups.items()
        for frame, name in enumerate(names)
    ]
    index = pd.DataFrame(rows).assign(record=range(len(rows)))
    index["label"] = (index["class_name"] == "B").astype(int)
    with pytest.raises(UserError, match="would hold no image of B: too unequal groups"):
        assigned(index, folds=2, test_share=0.5, seed=0)


def test_a_few_groups_change_the_other_folds_little():
    alone = index_of({"A": 300, "B": 200}, frames=1)
    pairs = alone.assign(group=alone["group"].replace({"A/007": "A/003", "B/150": "B/100"}))
    before, after = (assigned(index, folds=5, test_share=0.2, seed=0) for index in (alone, pairs))
    assert 0 < (before["fold"] != after["fold"]).sum() <= 20
    assert after.groupby("group")["fold"].nunique().max() == 1


def test_groups_beside_single_images_are_stratified():
    index = pd.concat(
        [index_of({"A": 8, "B": 8}, 20), index_of({"C": 80, "D": 80}, 1)], ignore_index=True
    )
    index = index.assign(record=range(len(index)))
    index["label"] = index["class_name"].map("ABCD".index)
    table = assigned(index, folds=4, test_share=0.2, seed=0)
    assert 0.1 < (table["part"] == "test").mean() < 0.3
    training = index[(table["part"] == "train").to_numpy()]
    counts = pd.crosstab(training["class_name"], table["fold"][table["part"] == "train"].to_numpy())
    assert (counts.max(axis=1) - counts.min(axis=1)).loc[["C", "D"]].max() <= 1


def test_a_class_with_joined_groups_is_named_with_the_key():
    index = index_of({"A": 20, "B": 20, "C": 20}).assign(named_group=lambda t: t["group"])
    index.loc[index["class_name"] == "B", "group"] = "B/000"
    with pytest.raises(
        UserError, match=r"B \(1\).*joined \(B 20 into 1; .* set split.join_distance"
    ):
        assigned(index, folds=3, test_share=0.2, seed=0)


def test_shares_of_folds_and_test_part_by_hand():
    index = index_of({"A": 50, "B": 100})
    table = assigned(index, folds=5, test_share=0.2, seed=1)
    found = shares(index, table, 0.2).set_index(["side", "class_name"])
    assert found.index.get_level_values("side").unique().tolist() == [
        "test",
        *(f"fold {number}" for number in range(5)),
    ]
    row = found.loc["test", "B"]
    assert (row["images"], row["of"], row["even"]) == (80, 400, 80)
    row = found.loc["fold 3", ""]
    assert (row["images"], row["of"], row["even"]) == (96, 480, 96)
    assert not found["missed"].any()
    assert share_warning(found.reset_index()) == ""
    assert fold_sizes(found.reset_index()) == {
        **{"smallest_fold": 96, "largest_fold": 96, "missed_shares": 0}
    }


def test_a_group_of_much_of_a_class_makes_uneven_folds():
    index = index_of({"A": 150, "B": 150})
    index.loc[index["filename"] < "A/075", "group"] = "A/000"  # half of class A
    found = shares(index, assigned(index, folds=5, test_share=0.2, seed=0), 0.2)
    missed = found[found["missed"]]
    assert set(missed["class_name"]) >= {"A"}
    worst = missed.loc[(missed["images"] / missed["of"]).idxmax()]
    assert worst["images"] >= 300
    warning = share_warning(found)
    assert f"{worst['side']} has {worst['images']:,} of {worst['of']:,} images" in warning
    assert "data/groups/shares.csv" in warning


def test_few_groups_of_equal_size_are_no_miss():
    index = index_of({"A": 7, "B": 60}, frames=30)  # 6 groups of A in 5 folds
    found = shares(index, assigned(index, folds=5, test_share=0.15, seed=0), 0.15)
    of_class = found[(found["class_name"] == "A") & (found["side"] != "test")]
    assert sorted(of_class["images"]) == [30, 30, 30, 30, 60]
    assert not found["missed"].any()


def test_nothing_is_expected_of_official_parts():
    index = index_of({"A": 12, "B": 12})
    number = index["group"].str[2:].astype(int)
    index["part"] = np.select([number < 1, number < 2], ["test", "validation"], "train")
    found = shares(index, assigned(index, folds=3, test_share=0.2, seed=0), 0.2)
    assert found["side"].unique().tolist() == ["fold 1", "fold 2"]
    assert found[found["class_name"] == ""]["even"].tolist() == [40, 40]
    one = shares(index, assigned(index, folds=2, test_share=0.2, seed=0), 0.2)
    assert fold_sizes(one) == {"smallest_fold": 80, "largest_fold": 80, "missed_shares": 0}
