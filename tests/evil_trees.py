"""Sources that are wrong as a whole, or look so: name, how to write them, what is expected."""

import gzip
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import evil
from evil_files import ACCEPTED

NOT_REGULAR = "rejected: not a regular file"
Tree = tuple[str, Callable[[Path], object], str | tuple[str, ...]]


def trees() -> list[Tree]:
    """All cases, each with a name of its own."""
    return [*folders(), *manifests(), *records()]


def lay(root: Path, *names: str | bytes) -> None:
    """Two classes, and pictures of these names; with a slash at the end, folders."""
    for number, name in enumerate(("A/1.png", "A/2.png", "B/1.png", "B/2.png", *names)):
        path = root / (name if isinstance(name, str) else os.fsdecode(name))
        if str(name).endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(evil.saved(evil.picture(number), "PNG"))


def _laid(*names: str | bytes) -> Callable[[Path], object]:
    return lambda root: lay(root, *names)


def folders() -> Iterator[Tree]:
    """Class folders."""
    pattern = ("refused: has an unusable name",)
    yield "plain classes", _laid(), ACCEPTED
    yield "empty class", _laid("C/"), ("refused: raw: no picture of class 'C'",)
    yield "class of clutter alone", _laid("C/Thumbs.db"), ("refused: raw: no picture of class 'C'",)
    for name in (
        "a\nb",
        "\x1b[2J",
        "SARG\u202e",
        " A",
        "A ",
        "x" * 101,
        "x" * 255,
        "\u3000",
        "a\u00a0b",
    ):
        yield f"class {name[:20]!r} of {len(name)}", _laid(f"{name}/1.png"), pattern
    yield "class not UTF-8", _laid(b"caf\xe9/1.png"), pattern
    yield (
        "class =cmd|' /C calc'!A0",
        _laid("=cmd|' !A0/1.png"),
        pattern,
    )
    yield "file ;=SUM(A1)", _laid("A/x;=SUM(A1).png"), ("refused: raw: a spreadsheet",)
    yield (
        "classes that differ in case",
        _laid("a/1.png"),
        ("refused: raw: the classes 'A' and 'a'",),
    )
    twins = _laid("\u00e9/1.png", "e\u0301/1.png")
    yield "classes in NFC and NFD", twins, ("refused: raw: the classes",)
    wide = _laid("\uff21/1.png")
    yield "class in wide letters", wide, ("refused: raw: the classes 'A' and",)
    yield "parts and classes", _laid("train/A/1.png"), ("refused: raw: ambiguous",)
    yield "records and classes", _laid("x.tfrecord"), ("refused: raw: ambiguous",)
    yield "nothing", lambda root: root.mkdir(), ("refused: raw: no class",)
    yield "no folder", lambda root: None, ("refused: raw: no such folder",)
    yield "a file", lambda root: root.write_bytes(b""), ("refused: raw: not a folder",)
    yield "a pipe", os.mkfifo, ("refused: raw: not a folder",)
    yield "a link to itself", lambda root: root.symlink_to(root.name), ("refused: raw: cannot be",)
    yield "links alone in a class", _links, ("refused: all pictures of C are rejected",)


def _links(root: Path) -> None:
    lay(root, "C/")
    (root / "C/1.png").symlink_to("../A/1.png")


def manifests() -> Iterator[Tree]:
    """Sources with a manifest.csv; {outside} is a picture beside the source."""
    head = "filename,label\nA/1.png,A\nB/1.png,B\n"
    for name, text, expected in [
        ("plain", head, ACCEPTED),
        ("byte order mark", "\ufeff" + head, ACCEPTED),
        ("hostile labels", "filename,label\nA/1.png,<b>\nB/1.png,=1+1\n", ACCEPTED),
        ("path upwards", head + "../outside.png,A\n", "row 4, filename: must lie in the folder"),
        ("path up and down", head + "A/../../outside.png,A\n", "row 4, filename: must lie in"),
        ("path up and back", head + "A/../A/2.png,A\n", "row 4, filename: must lie in"),
        ("absolute path", head + "/etc/passwd,A\n", "row 4, filename: must lie in the folder"),
        ("drive of Windows", head + "C:/x.png,A\n", "row 4, filename: must lie in the folder"),
        ("backslashes", head + "A\\2.png,A\n", "row 4, filename: folders are separated by"),
        ("address of the web", head + "http://evil.example/x.png,A\n", "rows name no file"),
        ("home", head + "~/.ssh/id_rsa,A\n", "rows name no file"),
        ("duplicate", head + "A/1.png,A\n", "row 4: 'A/1.png' again, as in row 2"),
        ("duplicate otherwise written", head + "./A//1.png,A\n", "row 4: 'A/1.png' again"),
        ("contradiction", head + "A/1.png,B\n", "row 4: 'A/1.png' is labelled 'B' here"),
        ("missing file", head + "A/9.png,A\n", "1 of 3 rows name no file"),
        ("folder", head + "A,A\n", "1 of 3 rows name no file"),
        ("quote without end", head + '"A/2.png,A\n', "row 4: not valid CSV"),
        ("quote inside", head + '"A/2"x.png,A\n', "row 4: not valid CSV"),
        ("too many cells", head + "A/2.png,A,x\n", "row 4: 3 cells, the header has 2"),
        ("no label", head + "A/2.png,\n", "row 4, label: empty"),
        ("no name", head + ",A\n", "row 4, filename: empty"),
        ("line feed in a label", head + 'A/2.png,"A\nB"\n', "row 4, label: control characters"),
        ("zero byte", head + "A/2.png,A\0\n", "row 4"),
        ("direction in a label", head + "A/2.png,A\u202e\n", "row 4, label: control characters"),
        ("blank in a label", head + "A/2.png, A\n", "the class ' A' has an unusable name"),
        ("label too long", head + f"A/2.png,{'x' * 101}\n", "101 characters"),
        ("cell of 200,000 signs", head + f"A/2.png,{'x' * 200_000}\n", "row 4: not valid CSV"),
        ("formula", head + '"A/2.png","=SUM(A1)"\n', "a formula that a spreadsheet would run"),
        ("unknown column", "filename,lable\nA/1.png,A\n", "Did you mean 'label'"),
        ("semicolons", "filename;label\nA/1.png;A\n", "separated by commas"),
        ("empty", "", "empty"),
        ("header alone", "filename,label\n", "no row below the header"),
        ("box upside down", _boxes("9,9,1,1"), "left must be below right"),
        ("box beyond", _boxes("0,0,999,999"), "rejected: box outside"),
        ("box too small", _boxes("0,0,3,30"), "rejected: too small"),
        ("box negative", _boxes("-1,0,9,9"), "must be four whole numbers"),
        ("box of digits of another script", _boxes("\u0660,0,20,20"), "must be four whole numbers"),
        ("box of many digits", _boxes(f"0,0,{'9' * 5000},20"), "must be four whole numbers"),
    ]:
        given = text.encode()
        yield f"manifest, {name}", _manifest(given), _wanted(expected)
    yield "manifest, UTF-16", _manifest(head.encode("utf-16")), _wanted("row 1: not UTF-8")
    yield (
        "manifest, binary",
        _manifest(bytes(range(256))),
        _wanted("manifest.csv, row 2: not UTF-8"),
    )
    yield "manifest that is a link", _linked, _wanted("manifest.csv: not a regular file")
    yield "manifest that is a pipe", _piped, _wanted("manifest.csv: not a regular file")
    yield "manifest that names a link", _names_link, NOT_REGULAR
    yield "manifest through a linked folder", _through_link, _wanted("rows name no file")


def _boxes(box: str) -> str:
    head = "filename,label,left,top,right,bottom\nA/1.png,A,0,0,20,20\nB/1.png,B,0,0,20,20\n"
    return head + f"A/2.png,A,{box}\n"


def _wanted(words: str) -> tuple[str, ...]:
    return (words if words == ACCEPTED or words.startswith("rejected") else f"refused: {words}",)


def _manifest(content: bytes) -> Callable[[Path], object]:
    def write(root: Path) -> None:
        lay(root)
        (root / "manifest.csv").write_bytes(content)
        (root.parent / "outside.png").write_bytes(evil.saved(evil.picture(9), "PNG"))

    return write


def _linked(root: Path) -> None:
    lay(root)
    (root / "manifest.csv").symlink_to("/etc/passwd")


def _piped(root: Path) -> None:
    lay(root)
    os.mkfifo(root / "manifest.csv")


def _names_link(root: Path) -> None:
    _manifest(b"filename,label\nA/1.png,A\nB/1.png,B\nA/link.png,A\n")(root)
    (root / "A/link.png").symlink_to("/etc/passwd")


def _through_link(root: Path) -> None:
    _manifest(b"filename,label\nA/1.png,A\nB/1.png,B\nL/1.png,A\n")(root)
    (root / "L").symlink_to("A")


def records() -> Iterator[Tree]:
    """Sources of TFRecord files."""
    for name, changes, expected in [
        ("plain", {}, ACCEPTED),
        ("label of no class beside a class name", {"label": 99}, ACCEPTED),
        ("negative label without a class name", {"label": -1, "class_name": None}, "must be 0 or"),
        ("class name with escape codes", {"class_name": b"\x1b[2J"}, "class_name must be text"),
        ("class name not UTF-8", {"class_name": b"\xff"}, "class_name must be text"),
        ("class name with markup", {"class_name": b"<b>"}, ACCEPTED),
        ("class name too long", {"class_name": b"x" * 101}, "101 characters"),
        ("class name with a slash", {"class_name": b"../A"}, "a slash"),
        ("file name upwards", {"image_filename": b"../../x.png"}, ACCEPTED),
        ("file name with escape codes", {"image_filename": b"\x1b[2J\n.png"}, ACCEPTED),
        ("pixels too few", {"image_raw": bytes(100)}, "rejected: wrong length"),
        ("pixels too many", {"image_raw": bytes(2000)}, "rejected: wrong length"),
        ("no pixels", {"image_raw": b""}, "rejected: wrong length"),
        ("height 0", {"height": 0}, "rejected: wrong length"),
        ("height negative", {"height": -20, "width": -20}, "rejected: wrong length"),
        ("height of 2 to the 62", {"height": 2**62}, "rejected: too many pixels"),
        ("depth 4", {"depth": 4}, "depth must be 1 or 3, got 4"),
        ("too small", _small(4), "rejected: too small"),
        ("without pixels", {"image_raw": None}, "no feature 'image_raw'"),
        ("without label", {"label": None}, "no feature 'label'"),
        ("height as text", {"height": b"20"}, "no feature 'height'"),
    ]:
        yield f"records, {name}", _records(changes), _wanted(expected)
    for name, damage, words in [
        ("cut", lambda data: data[:-100], "damaged or cut off"),
        ("cut in a length", lambda data: data + data[:5], "damaged or cut off"),
        ("wrong sum of the data", lambda data: data[:-1] + bytes([data[-1] ^ 1]), "damaged or cut"),
        ("wrong sum of a length", lambda data: data[:8] + bytes(4) + data[12:], "damaged or cut"),
        ("length of 2 to the 63", lambda data: struct.pack("<Q", 2**63) + data[8:], "damaged or"),
        ("compressed and cut", lambda data: gzip.compress(data)[:-1], "compressed, and damaged"),
        ("empty", lambda data: b"", "holds no record"),
        ("text", lambda data: b"no records " * 99, "damaged or cut off"),
    ]:
        yield f"records, {name}", _records({}, damage), _wanted(words)
    yield "records, no example", _no_example, _wanted("not a tf.train.Example")
    yield "records that are a link", _linked_records, NOT_REGULAR


def _small(side: int) -> dict[str, object]:
    return {"height": side, "width": side, "image_raw": bytes(side * side * 3)}


def _record(seed: int, **changes: object) -> bytes:
    """A record of 20 x 20 pixels in its frame."""
    from trackbed.records import tfrecord

    pixels = evil.picture(seed).resize((20, 20)).tobytes()
    features = {"image_filename": f"{seed}.png", "image_raw": pixels, "height": 20, "width": 20}
    features |= {"depth": 3, "label": seed % 2, "class_name": "AB"[seed % 2]} | changes
    data = tfrecord.example({k: v for k, v in features.items() if v is not None})
    before, after = tfrecord.frame(data)
    return before + data + after


def _records(
    changes: dict[str, object], damage: Callable[[bytes], bytes] = bytes
) -> Callable[[Path], object]:
    def write(root: Path) -> None:
        root.mkdir()
        (root / "a.tfrecord").write_bytes(b"".join(_record(seed) for seed in range(4)))
        (root / "b.tfrecord").write_bytes(damage(_record(4, **changes)))

    return write


def _no_example(root: Path) -> None:
    from trackbed.records import tfrecord

    _records({})(root)
    before, after = tfrecord.frame(b"\xff\xff\xff")
    (root / "b.tfrecord").write_bytes(before + b"\xff\xff\xff" + after)


def _linked_records(root: Path) -> None:
    _records({})(root)
    (root / "b.tfrecord").rename(root.parent / "elsewhere")
    (root / "b.tfrecord").symlink_to("../elsewhere")
