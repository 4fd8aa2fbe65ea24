from trackbed.inference.natural_order import sorted_naturally


def test_digits_compare_as_numbers_and_folders_stay_together():
    names = ["b/2.jpg", "10.jpg", "2.jpg", "a/10/x", "a/9/x", "B.jpg", "2b.jpg", "02.jpg", "a-1"]
    assert sorted_naturally(names) == [
        *("02.jpg", "2.jpg", "2b.jpg", "10.jpg", "B.jpg"),
        *("a/9/x", "a/10/x", "a-1", "b/2.jpg"),
    ]


def test_the_order_of_the_names_given_does_not_matter():
    names = ["1", "01", "001", "1a1", "1a01", "a", ""]
    assert sorted_naturally(reversed(names)) == sorted_naturally(names)
