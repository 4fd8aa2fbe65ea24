import itertools

import numpy as np
import pytest

from trackbed.learning import batches

ROWS = np.arange(10, dtype=np.uint8)
LABELS = np.eye(10, dtype=np.float32)


def epochs(seed, count=2):
    drawn = batches.shuffled(ROWS, LABELS, batch=4, seed=seed).as_numpy_iterator()
    return [
        [rows.tolist() for rows, _ in itertools.islice(drawn, batches.steps(10, 4))]
        for _ in range(count)
    ]


def test_every_epoch_holds_every_row_once_in_an_order_of_its_own():
    first, second = epochs(seed=3)
    assert [len(batch) for batch in first] == [4, 4, 2]
    assert sorted(itertools.chain(*first)) == sorted(itertools.chain(*second)) == list(range(10))
    assert first != second


def test_the_seed_decides_the_order():
    assert epochs(seed=3) == epochs(seed=3)
    assert epochs(seed=3) != epochs(seed=4)


def test_rows_and_labels_stay_together():
    drawn = batches.shuffled(ROWS, LABELS, batch=4, seed=0).take(6).as_numpy_iterator()
    for rows, labels in drawn:
        np.testing.assert_array_equal(labels.argmax(axis=1), rows)


def test_in_order_gives_every_row_once():
    dataset = batches.in_order(ROWS, batch=4)
    assert [rows.tolist() for (rows,) in dataset.as_numpy_iterator()] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert dataset.cardinality() == 3


def test_rows_with_a_share_are_drawn_that_often():
    share = np.array([0.5] + [0.5 / 9] * 9)
    drawn = batches.shuffled(ROWS, batch=10, seed=0, share=share).take(300).as_numpy_iterator()
    rows = np.concatenate([batch for (batch,) in drawn])
    assert len(rows) == 3000
    assert np.mean(rows == 0) == np.clip(np.mean(rows == 0), 0.47, 0.53)


def test_a_run_that_begins_later_goes_on_with_the_order_of_that_epoch():
    late = batches.shuffled(ROWS, batch=4, seed=3, first_epoch=1).take(3).as_numpy_iterator()
    assert [rows.tolist() for (rows,) in late] == epochs(seed=3)[1]


def test_one_view_of_every_row_is_drawn_in_every_epoch():
    views = 100 * np.arange(10)[:, None] + np.arange(5)  # row 3, view 2 is 302
    drawn = batches.shuffled(views, LABELS, batch=4, seed=0, views=True).as_numpy_iterator()
    epochs = [np.concatenate([next(drawn)[0] for _ in range(3)]) for _ in range(20)]
    assert all(sorted(epoch // 100) == list(range(10)) for epoch in epochs)
    seen = np.concatenate(epochs)
    assert set(seen % 100) == {0, 1, 2, 3, 4}
    assert all(len(set(seen[seen // 100 == row])) > 1 for row in range(10))


@pytest.mark.parametrize("views", [False, True])
@pytest.mark.parametrize("share", [None, np.arange(10) / 45])
def test_resident_arrays_give_the_same_batches(views, share):
    first = np.arange(40).reshape(10, 4) if views else ROWS
    options = {"batch": 4, "seed": 2, "first_epoch": 3, "share": share, "views": views}
    drawn = [
        batches.shuffled(first, LABELS, **options, resident=resident).take(7)
        for resident in (False, True)
    ]
    for one, other in zip(*drawn, strict=True):
        for expected, found in zip(one, other, strict=True):
            np.testing.assert_array_equal(found, expected)
