from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from indexes import DRIVES_OF_JOINING, HASHES, THUMBNAIL, drives, thumbnail

import split
from trackbed.pipeline import index
from trackbed.pipeline.errors import UserError
from trackbed.splitting import joining

RANDOM = np.random.default_rng(1)
OTHER = thumbnail(RANDOM.integers(0, 256, (12, 12)))
PIXELS = RANDOM.integers(50, 200, (12, 12))


def joined(rows, near=4, consecutive=None):
    """The groups by name, each as the sorted names of its images."""
    result, _ = joining.join_groups(rows, near, consecutive)
    return {name: sorted(images) for name, images in result.groupby("group")["filename"]}


def test_drives_join_first_and_then_take_single_pictures():
    assert joined(DRIVES_OF_JOINING) == {"a": ["a1", "a2", "b1", "b2", "c1", "d1"]}
    assert joined(DRIVES_OF_JOINING, 0) == joined(DRIVES_OF_JOINING, None)
    assert len(joined(DRIVES_OF_JOINING, None)) == 4


def test_nothing_is_joined_without_distances():
    result, joins = joining.join_groups(DRIVES_OF_JOINING, None, None)
    assert result["group"].equals(DRIVES_OF_JOINING["group"])
    assert joins.empty


@pytest.mark.parametrize("part", ["test", "validation"])
def test_nothing_is_joined_across_the_official_parts(part):
    two = drives(("a", "a", HASHES[0]), ("b", "b", HASHES[0]))
    assert len(joined(two)) == 1
    for same in ({}, {"pixel_hash": "x"}):
        assert len(joined(two.assign(part=["train", part], **same))) == 2


def test_a_chain_of_near_duplicates_is_no_group():
    bits = [sum(1 << bit for bit in range(4 * n)) for n in range(16)]  # 4 bits from one to the next
    chain = drives(*[(f"{n:02d}", f"{n:02d}", HASHES[0] ^ bits[n]) for n in range(16)])
    names = joined(chain)
    hashes = dict(zip(chain["filename"], chain["perceptual_hash"], strict=True))
    assert max(len(images) for images in names.values()) == 3
    for images in names.values():
        values = [int(hashes[name], 16) for name in images]
        assert max((a ^ b).bit_count() for a in values for b in values) <= 8


def test_a_picture_and_all_its_copies_are_one_group():
    copies = [HASHES[0] ^ (0b1111 << 4 * n) for n in range(12)]  # 8 bits from one another
    names = [f"{n:02d}" for n in range(13)]
    rows = drives(*[(n, n, h) for n, h in zip(names, [*copies, HASHES[0]], strict=True)])
    assert joined(rows) == {"00": names}


def test_classes_are_joined_by_equal_pixels_alone():
    two = drives(("a", "a", HASHES[0]), ("b", "b", HASHES[0])).assign(class_name=["A", "B"])
    assert len(joined(two)) == 2
    assert len(joined(two.assign(pixel_hash="x"))) == 1
    assert len(joined(two.assign(pixel_hash="x"), None)) == 2


def test_equal_pixels_of_a_uniform_picture_join_nothing():
    two = drives(("a", "a", 0), ("b", "b", 0)).assign(pixel_hash="x")
    assert len(joined(two)) == 1  # smooth, but no surface without any detail
    assert len(joined(two.assign(contrast=1.5))) == 2


def tracks(correlated, bits=0):
    """Two groups of two pictures, of which two look alike, and what they look like."""
    rows = drives(
        ("a1", "a", HASHES[0]),
        ("a2", "a", HASHES[1]),
        ("b1", "b", HASHES[0] ^ bits),
        ("b2", "b", HASHES[2]),
    )
    noise = RANDOM.normal(0, PIXELS.std(), (12, 12)) * np.sqrt(1 / correlated**2 - 1)
    alike = thumbnail(np.clip(PIXELS + noise, 0, 255))
    return rows.assign(thumbnail=[thumbnail(PIXELS), OTHER, alike, OTHER])


def test_groups_of_the_source_are_joined_by_the_same_picture_alone():
    assert len(joined(tracks(0.999))) == 1
    assert len(joined(tracks(0.999, bits=0b1111))) == 1
    assert len(joined(tracks(0.999, bits=0b11111))) == 2
    alike = tracks(0.96)
    assert len(joined(alike)) == 2
    assert joined(alike.assign(group=alike["filename"]))["a1"] == ["a1", "b1"]


def test_a_single_picture_does_not_join_two_groups():
    rows = drives(
        *(("a1", "a", HASHES[0] ^ 0b111), ("a2", "a", HASHES[1])),
        *(("b1", "b", HASHES[0] ^ 0b111000), ("b2", "b", HASHES[2])),
        ("single", "single", HASHES[0]),
    )
    assert sorted(map(len, joined(rows).values())) == [2, 3]


def test_the_joins_are_stated():
    rows = tracks(0.999, bits=0b11)
    result, joins = joining.join_groups(rows, 4, None)
    assert result["named_group"].tolist() == ["a", "a", "b", "b"]
    row = joins.iloc[0]
    assert {row["filename"], row["other"]} == {"a1", "b1"}
    assert (row["group"], row["reason"], row["bits"]) == ("a", joining.NEAR, 2)
    assert 0.99 < row["correlation"] <= 1
    assert "2 groups were joined into 1 (1 near-duplicate)" in joining.summary(joins)
    assert joining.summary(joins.head(0)) == "No groups were joined"


def test_the_order_of_the_rows_does_not_matter():
    random = np.random.default_rng(1)
    hashes = random.choice(HASHES, 200).astype(np.uint64)
    for _ in range(3):
        hashes ^= np.uint64(1) << random.integers(0, 64, 200, dtype=np.uint64)
    named = [f"g{number}" for number in random.integers(0, 150, 200)]
    rows = drives(
        *[(f"{n}", g, int(h)) for n, (g, h) in enumerate(zip(named, hashes, strict=True))]
    )
    rows = rows.assign(pixel_hash=[f"{n % 190}" for n in range(200)])
    straight, joins = joining.join_groups(rows, 4, 32)
    mixed, mixed_joins = joining.join_groups(rows.sample(frac=1, random_state=2), 4, 32)
    pd.testing.assert_frame_equal(straight, mixed.sort_values("record"))
    pd.testing.assert_frame_equal(joins, mixed_joins)
    assert straight["group"].nunique() < rows["group"].nunique()
    assert set(joins["reason"]) == {joining.NEAR, joining.SAME_PIXELS, joining.NEIGHBOUR}


def test_neighbours_in_the_order_of_their_names_are_joined():
    film = [HASHES[0] ^ (2**number - 1) for number in range(0, 40, 8)]
    rows = drives(
        ("film_9.png", "1", film[0]),
        ("film_10.png", "2", film[1]),  # follows film_9
        ("film_11.png", "3", HASHES[5]),  # another scene
        ("film_12.png", "4", film[2]),  # like film_10, which is not its neighbour
        ("film_13.png", "5", film[3]),
    )
    assert joined(rows, None, 8) == {
        "1": ["film_10.png", "film_9.png"],
        "3": ["film_11.png"],
        "4": ["film_12.png", "film_13.png"],
    }
    assert len(joined(rows, None, 7)) == 5
    other_class = rows.assign(class_name=["A", "B", "A", "A", "B"])
    assert len(joined(other_class, None, 8)) == 5  # 10 and 13 follow one another, 16 bits apart
    assert len(joined(other_class, None, 16)) == 4
    assert len(joined(rows.assign(part=["train", "test", *["train"] * 3]), None, 8)) == 4


def test_neighbours_of_named_groups_and_plain_frames_are_not_joined():
    named = drives(*[(f"{n}", f"{n // 2}", HASHES[0]) for n in range(6)])
    assert len(joined(named, None, 16)) == 3
    assert len(joined(named.assign(group=named["filename"]), None, 16)) == 1
    black = drives(*[(f"{n}", f"{n}", 0) for n in range(6)])
    assert len(joined(black, None, 16)) == 6


def test_one_picture_and_none():
    one = drives(("a", "a", HASHES[0]))
    assert joined(one, 4, 16) == {"a": ["a"]}
    assert joining.join_groups(one.head(0), 4, 16)[0].empty
    assert THUMBNAIL != OTHER


def test_the_split_states_what_it_joined_also_where_it_fails(tmp_path, monkeypatch):
    alike = drives(*[(f"A/{n}.png", f"A/{n}.png", HASHES[0]) for n in range(20)])
    unlike = drives(*[(f"B/{n}.png", f"B/{n}.png", 0) for n in range(20)], class_name="B")
    records = pd.concat([alike, unlike], ignore_index=True).assign(part="")
    records = records.assign(record=range(40), label=[0] * 20 + [1] * 20)
    records["pixel_hash"] = records["filename"]
    for name, dtype in index.INDEX_COLUMNS.items():
        if name not in records:
            records[name] = "" if dtype == "str" else 0
    (tmp_path / "data/records").mkdir(parents=True)
    index.INDEX_TABLE.write(tmp_path / "data/records", records)
    section = "split: {folds: 2, test_share: 0.5, seed: 0, consecutive_distance: null"
    monkeypatch.chdir(tmp_path)
    for near, fails in ((4, True), ("null", False)):
        Path("params.yaml").write_text(f"{section}, join_distance: {near}}}\n")
        if fails:
            with pytest.raises(UserError, match=r"A \(1\).*data/groups/joins.csv lists"):
                split.main(Path("data"), Path("metrics"))
        else:
            split.main(Path("data"), Path("metrics"))
        joins = index.JOINS_TABLE.read(Path("data/groups"))
        assert len(joins) == (19 if fails else 0)
    assert len(index.SHARES_TABLE.read(Path("data/groups"))) == 9  # test and 2 folds, A, B and both
