import pandas as pd
import pytest

from trackbed.dataset import sources
from trackbed.dataset.sources import Grouping
from trackbed.pipeline.errors import UserError

TWO = "a.png,A\nb.png,B\n"


@pytest.fixture
def scan(tmp_path):
    """sources.scan for the content of a manifest and names of empty files."""

    def scan(content, *names, grouping=None, classes=None, parts=None):
        for name in names or ("a.png", "b.png", "sub/c.png"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "manifest.csv").write_bytes(data)
        return sources.scan(tmp_path, classes, grouping or Grouping(None, False), parts)

    return scan


def test_columns_in_any_order(scan, tmp_path):
    listing = scan("label,part,filename\nB,test,sub/c.png\nA,train,a.png\nB,train,b.png\n")
    assert [(e.filename, e.class_name, e.part, e.box) for e in listing.entries] == [
        ("a.png", "A", "train", None),
        ("b.png", "B", "train", None),
        ("sub/c.png", "B", "test", None),
    ]
    assert listing.entries[2].path == tmp_path / "sub/c.png"
    assert listing.classes == ["A", "B"]


def test_labels_are_text(scan):
    listing = scan("filename,label\na.png,012\nb.png,NO\nsub/c.png,NA\n")
    assert listing.classes == ["012", "NA", "NO"]


def test_several_boxes_of_one_picture_are_one_group(scan):
    listing = scan(
        "filename,label,left,top,right,bottom\n"
        "a.png,B,10,0,20,10\na.png,A,0,0,10,10\na.png,A,,,,\nb.png,B,0,0,1,1\n"
    )
    assert [(e.class_name, e.group, e.box) for e in listing.entries] == [
        ("A", "a.png", None),
        ("A", "a.png", (0, 0, 10, 10)),
        ("B", "a.png", (10, 0, 20, 10)),
        ("B", "b.png", (0, 0, 1, 1)),
    ]


def test_the_group_column(scan):
    content = "filename,label,group\na.png,A,walk\nb.png,B,walk\nsub/c.png,B,\n"
    assert [e.group for e in scan(content).entries] == ["walk", "walk", "sub/c.png"]
    with pytest.raises(UserError, match="the manifest has a column 'group'"):
        scan(content, grouping=Grouping("a", False))


def test_files_that_it_does_not_name_are_ignored(scan):
    listing = scan("filename,label\n" + TWO, "a.png", "b.png", "c.png", ".hidden", "README.md")
    assert listing.ignored == [".hidden", "README.md", "c.png"]
    assert listing.strays == []


def test_how_programs_write_it_does_not_matter(scan):
    plain = scan("filename,label\n" + TWO).entries
    assert scan(b"\xef\xbb\xbffilename,label\r\na.png,A\r\nb.png,B").entries == plain
    assert scan('"filename","label"\n\n"a.png","A"\n./b.png,B\n\n').entries == plain


def test_a_name_with_a_comma_and_quotes(scan):
    listing = scan('filename,label\n"a, ""b"".png",A\nb.png,B\n', 'a, "b".png', "b.png")
    assert listing.entries[0].filename == 'a, "b".png'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "manifest.csv: empty. Columns are filename, label and"),
        ("\n\n", "manifest.csv: empty"),
        ("filename,label\n", "no row below the header"),
        ("filename,group\na.png,x\n", "column label is missing"),
        ("label,left,top\n", "column filename, right, bottom is missing"),
        ("filename,lable\n" + TWO, "unknown column 'lable'. Did you mean 'label'?"),
        ("filename,label,colour\n", "unknown column 'colour'. Columns are"),
        ("filename;label\na.png;A\n", "separated by commas, got 'filename;label'"),
        ("filename,label,label\n", "twice: filename, label, label"),
        ("filename,label\na.png,A\nb.png\n", "row 3: 1 cells, the header has 2"),
        ("filename,label\na.png,A\n\n\nb.png,B,C\n", "row 5: 3 cells"),
        ('filename,label,group\na.png,A,"x\ny"\nb.png,B,y\n', "row 2, group: control characters"),
        ('filename,label\na.png,A\nb.png,"B\n', "row 3: not valid CSV"),
        (b"filename,label\na.png,A\nb.png,B\xff\n", "row 3: not UTF-8"),
        ("filename,label\na.png,\n", "row 2, label: empty"),
        ("filename,label\n,A\n", "row 2, filename: empty"),
        ("filename,label,part\na.png,A,holdout\n", "row 2, part: must be .*got 'holdout'"),
        ("filename,label\n../a.png,A\n", r"row 2, filename: must lie .*got '../a.png'"),
        ("filename,label\nsub/../a.png,A\n", "must lie in the folder"),
        ("filename,label\n/etc/passwd,A\n", "must lie in the folder"),
        ("filename,label\nC:/a.png,A\n", "must lie in the folder"),
        ("filename,label\nsub\\c.png,A\n", "separated by '/'"),
        ("filename,label\nx.png,A\ny.png,B\na.png,B\n", "2 of 3 rows name no file .*row 2 'x.png'"),
        ("filename,label\nsub,A\n", "name no file"),
        ("filename,label\n" + TWO + "a.png,A\n", "row 4: 'a.png' again, as in row 2"),
        ("filename,label\n" + TWO + "./a.png,A\n", "row 4: 'a.png' again, as in row 2"),
        ("filename,label\n" + TWO + "a.png,B\n", "row 4: 'a.png' is labelled 'B' .*'A' in row 2"),
        ("filename,label,part\na.png,A,train\na.png,A,test\n", "row 3: 'a.png' again"),
        ("filename,label\na.png,A\nb.png,a\n", "'A' and 'a' differ in case"),
        ("filename,label,part\na.png,A,train\nb.png,B,test\n", "no training picture of class 'B'"),
    ],
)
def test_errors_name_their_place(scan, content, message):
    with pytest.raises(UserError, match=message):
        scan(content)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ("1,2,3,", "must be four whole numbers or empty, got 1,2,3,"),
        ("1.5,2,3,4", "must be four whole numbers"),
        ("-1,2,3,4", "must be four whole numbers"),
        ("1,2,1,4", "left must be below right and top below bottom, got 1,2,1,4"),
        ("1,4,2,4", "top below bottom"),
        ("1,2,3,99999999999999999999", "must be four whole numbers"),
    ],
)
def test_a_box_that_is_none_is_refused(scan, box, message):
    with pytest.raises(UserError, match=f"row 2.*{message}"):
        scan(f"filename,label,left,top,right,bottom\na.png,A,{box}\n")


@pytest.mark.parametrize(
    "box",
    ["1.0,2.0,3.0,4.0", " 1 ,2, 3,4 ", "1.,2.00,+3,4", "1e0,2,3,4", '"1,0","2,0","3,00",4'],
)
def test_whole_numbers_as_programs_write_them(scan, box):
    content = f"filename,label,left,top,right,bottom\na.png,A,{box}\nb.png,B,,,,\nsub/c.png,B"
    listing = scan(content + ",nan,NaN,NaN,nan\n")
    assert [entry.box for entry in listing.entries] == [(1, 2, 3, 4), None, None]


def test_pandas_writes_a_manifest_with_an_empty_box(scan):
    table = pd.DataFrame({"filename": ["a.png", "b.png"], "label": ["A", "B"]})
    for number, side in enumerate(("left", "top", "right", "bottom", "width", "height")):
        table[side] = [number, None]
    listing = scan(table.to_csv(index=False))
    assert "0.0,1.0,2.0,3.0" in table.to_csv(index=False)
    assert [(e.box, e.size) for e in listing.entries] == [((0, 1, 2, 3), (4, 5)), (None, None)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.png,A,0,0,5,5,4,9", r"box 0,0,5,5 is not inside of 4 x 9 pixels, its own size"),
        ("a.png,A,0,0,5,5,9,", "width,height must be two whole numbers or empty, got 9,"),
        ("a.png,A,0,0,5,5,0,9", "width and height must be above 0"),
        ('a.png,A,"1,000",0,5,5,,', "must be four whole numbers"),
    ],
)
def test_sizes_that_cannot_be(scan, row, message):
    header = "filename,label,left,top,right,bottom,width,height\n"
    with pytest.raises(UserError, match=f"row 2.*{message}"):
        scan(header + row + "\n")


COMPOSED, DECOMPOSED = "B\u00f6schung.png", "Bo\u0308schung.png"


@pytest.mark.parametrize(
    ("named", "present"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), (COMPOSED, COMPOSED)]
)
def test_names_that_look_the_same_are_the_same_file(scan, tmp_path, named, present):
    listing = scan(f"filename,label\n{named},A\nb.png,B\n", present, "b.png")
    assert [entry.filename for entry in listing.entries] == [present, "b.png"]
    assert all(entry.path.is_file() for entry in listing.entries)
    assert listing.ignored == []


def test_files_that_look_the_same_are_shown_by_characters(scan):
    rows = f"filename,label\n{COMPOSED},A\n{DECOMPOSED},B\n"
    listing = scan(rows, COMPOSED, DECOMPOSED)
    assert sorted(entry.filename for entry in listing.entries) == sorted([COMPOSED, DECOMPOSED])
    third = "\u1e69.png"  # a letter with two marks, as one character
    with pytest.raises(UserError) as refused:
        scan(
            f"filename,label\n{third},A\nb.png,B\n",
            "s\u0323\u0307.png",
            "s\u0307\u0323.png",
            "b.png",
        )
    assert r"'\u1e69.png' could be 's\u0307\u0323.png' or 's\u0323\u0307.png'" in str(refused.value)


def test_two_rows_of_one_file_in_two_forms_are_refused(scan):
    rows = f"filename,label\n{COMPOSED},A\n{DECOMPOSED},B\nb.png,B\n"
    with pytest.raises(UserError, match=r"is labelled 'B' here and 'A' in row 2"):
        scan(rows, DECOMPOSED, "b.png")


def test_a_name_in_another_case_is_shown(scan):
    with pytest.raises(UserError, match=r"There is 'a.png', which differs from 'A.PNG' in case"):
        scan("filename,label\nA.PNG,A\nb.png,B\n")


def test_a_quoted_line_feed_does_not_shift_the_row_numbers(scan):
    content = 'filename,label\n"a\n.png",A\n'
    with pytest.raises(UserError, match="row 2, filename: control characters"):
        scan(content)
    with pytest.raises(UserError, match="row 5: 1 cells"):
        scan('filename,label\n\n"a.png","A"\n\nb.png\n')


def test_a_link_does_not_lead_out_of_the_folder(scan, tmp_path):
    (tmp_path / "out").symlink_to("/etc")
    with pytest.raises(UserError, match="name no file"):
        scan("filename,label\nout/passwd,A\nb.png,B\n")


def test_parts_have_their_usual_names(tmp_path):
    lines = ["filename,label,part", "1,A,Train", "2,B,training", "3,A,VAL", "4,A,dev", "5,A,test"]
    for number in range(1, 6):
        (tmp_path / f"{number}").touch()
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    entries = sources.scan(tmp_path, None, Grouping(None, False)).entries
    parts = ["train", "train", "validation", "validation", "test"]
    assert [entry.part for entry in entries] == parts


def test_other_names_of_parts_are_given(scan):
    content = "filename,label,part\na.png,A,lernen\nb.png,B,val\nsub/c.png,B,2019\nd,A,old\n"
    content += "e,B,lernen\n"
    names = ("a.png", "b.png", "sub/c.png", "d", "e")
    parts = {"lernen": "train", "2019": "test", "old": "ignore"}
    listing = scan(content, *names, parts=parts)
    found = [(entry.filename, entry.part) for entry in listing.entries]
    expected = [("a.png", "train"), ("b.png", "validation"), ("e", "train"), ("sub/c.png", "test")]
    assert (found, listing.ignored) == (expected, ["d"])
    with pytest.raises(UserError, match="the part 2018; its parts are: 2019, lernen, old, val"):
        scan(content, *names, parts={**parts, "2018": "test"})


def test_a_row_without_a_label_is_no_class(scan):
    content = "filename,label\na.png,A\nb.png,B\nsub/c.png,no_label\n"
    listing = scan(content)
    assert (listing.classes, listing.strays) == (["A", "B"], [("sub/c.png", "no label")])
    assert listing.notes == ["left out without a label: 'no_label' (1 rows)"]
    assert scan(content, classes=["A", "B", "no_label"]).strays == []
