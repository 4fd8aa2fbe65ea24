import pytest

from trackbed.dataset import sources
from trackbed.dataset.sources import Grouping
from trackbed.pipeline.errors import UserError

TWO = "a.png,A\nb.png,B\n"


@pytest.fixture
def scan(tmp_path):
    """sources.scan for the content of a manifest and names of empty files."""

    def scan(content, *names, grouping=None):
        for name in names or ("a.png", "b.png", "sub/c.png"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "manifest.csv").write_bytes(data)
        return sources.scan(tmp_path, None, grouping or Grouping(None, False))

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
