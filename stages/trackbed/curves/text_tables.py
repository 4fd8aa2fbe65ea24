"""Tables of text as programs and spreadsheets write them: their cells, and the numbers in these."""

import codecs
import io
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from trackbed.curves import columns
from trackbed.pipeline.errors import UserError

MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
SEPARATORS = ",;\t"


def text_of(path: Path) -> str:
    """The text of a file, UTF-8 or with a byte order mark. Raises UserError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except OSError as error:
        raise columns.refuse(str(path), f"not readable: {error.strerror}") from None
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise columns.refuse(str(path), f"not readable as text: {error}") from None
    if "\0" in text:
        raise columns.refuse(str(path), "not readable as text: it holds bytes of value 0")
    return text


def cells_of(text: str, path: str) -> pd.DataFrame:
    """The cells of a table with a header: str, '' where empty, rows numbered as in the file.

    The separator is the comma, semicolon or tab that the header has most of, else blanks. Lines
    that begin with # are comments; the last of them is the header where none follows. A header that
    occurs again (of a program that appends) begins rows of its own columns. Raises UserError.
    """
    lines = _lines(text)
    if not lines:
        raise columns.refuse(path, "no row of values")
    separator = max(SEPARATORS, key=lines[0].count)
    if not lines[0].count(separator):
        blanks = len(lines) > 1 and len(lines[0].split()) == len(lines[1].split()) > 1
        separator = r"\s+" if blanks else ","
    tables = [_parsed(block, separator, path) for block in _blocks(lines, separator)]
    table = pd.concat(tables, ignore_index=True).fillna("")
    table = table.apply(lambda cells: cells.str.strip())
    if not table.columns.is_unique:
        raise columns.refuse(path, "two columns of one name")
    table = table[(table != "").any(axis=1)].reset_index(drop=True)
    if table.empty:
        raise columns.refuse(path, "no row of values")
    return table


def _lines(text: str) -> list[str]:
    """Records without comments; one that quotes a line break has several lines."""
    records, comments, open_quote = [], [], False
    for line in text.splitlines():
        if open_quote:
            records[-1] += "\n" + line
        elif line.lstrip().startswith("#") and not re.match(r"\s*#\s*[,;\t]", line):
            comments.append(line)
            continue
        elif line.strip() and not re.fullmatch(r"sep=.\s*", line):  # for a spreadsheet
            records.append(line)
        else:
            continue
        open_quote ^= line.count('"') % 2 == 1
    if records and comments and _numbers_only(records[0]):
        header = comments[-1].lstrip("# ")
        if len(re.split(r"[,;\s]+", header.strip())) == len(
            re.split(r"[,;\s]+", records[0].strip())
        ):
            records.insert(0, header)
    return records


def _numbers_only(line: str) -> bool:
    cells = [cell for cell in re.split(r"[,;\s]+", line.strip()) if cell]
    return bool(cells) and all(
        re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?|nan|inf", c, re.I) for c in cells
    )


def _blocks(lines: list[str], separator: str) -> list[list[str]]:
    """The lines from every header up to the next one."""
    first = _names(lines[0], separator)
    blocks: list[list[str]] = []
    for line in lines:
        names = _names(line, separator)
        again = names == first or (
            len(names) > 1
            and names[0] == first[0]
            and not any(re.match(r"[-+.]?\d", n) for n in names)
        )
        if again or not blocks:
            blocks.append([line])
        else:
            blocks[-1].append(line)
    return [block for block in blocks if len(block) > 1] or blocks[:1]


def _names(line: str, separator: str) -> list[str]:
    return [part.strip().strip('"').strip() for part in re.split(separator, line.strip("\r\n"))]


def _parsed(lines: list[str], separator: str, path: str) -> pd.DataFrame:
    if not lines[0].endswith(separator) and all(line.endswith(separator) for line in lines[1:]):
        lines = [line.removesuffix(separator) for line in lines]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
            table = pd.read_csv(
                io.StringIO("\n".join(lines)),
                sep=separator,
                dtype=str,
                keep_default_na=False,
                skipinitialspace=True,
                index_col=False,
            )
    except (ValueError, pd.errors.ParserWarning) as error:  # ValueError of pandas' parser, too
        why = str(error).strip().replace("Error tokenizing data. C error: ", "")
        if isinstance(error, pd.errors.ParserWarning):
            why = "rows have more cells than the header"
        raise UserError(f"{path}: broken ({why}). {columns.EXPECTED}") from None
    return table.rename(columns=lambda name: str(name).strip())


EMPTY = {"", "na", "n/a", "#n/a", "null", "none", "-", "--", "<na>", "nat", "no log"}
LIST = re.compile(r'\s*"?\[(.*)\]"?\s*', re.DOTALL)
WRAPPED = re.compile(r"(?:tensor|array|np\.float\d+)\(([^,)]+).*\)", re.DOTALL)
CLOCK = re.compile(r"(?:(\d+) days?,? )?(?:(\d+):)?(\d+):(\d\d(?:\.\d+)?)")
UNITS = re.compile(r"(?=\d)(?:(\d+) ?h(?:ours?)?)? ?(?:(\d+) ?m(?:in)?)? ?(?:([\d.]+) ?s(?:ec)?)?")
FROM_LETTERS = re.compile(r"\D{0,8}?(\d+) ?/ ?\d+\D?|epoch[ :#]*(\d+)", re.IGNORECASE)


def logged(cells: pd.DataFrame) -> pd.DataFrame:
    """Whether a cell holds anything: `nan` does, an empty one, `NA` and `None` do not."""
    return ~cells.apply(lambda column: column.str.lower().isin(EMPTY))


def numeric(cells: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """All columns as float64, and notes about cells that hold no numbers.

    Read are decimal commas, percent (as shares), durations such as 04:39 or 1h 2m (as seconds),
    dates with a time (as seconds since 1970), and what PyTorch and NumPy print around a number. A
    column of lists (a score per class in Keras' CSVLogger) becomes a column per place, `f1[0]`.
    """
    found, left_out, notes = {}, [], []
    for name, column in cells.items():
        if (lists := _lists(column)) is not None:
            found |= {f"{name}[{place}]": lists[:, place] for place in range(lists.shape[1])}
            continue
        there = ~column.str.lower().isin(EMPTY)
        numbers = numbers_of(column)
        wrong = there & numbers.isna() & (column.str.lower() != "nan")
        if there.any() and wrong[there].all():
            left_out.append(str(name))
            continue
        if wrong.any():
            row = int(wrong.idxmax())
            notes.append(
                f"`{name}`: {wrong.sum()} of {len(cells)} cells hold no number, such as "
                f"'{column[row][:20]}' in row {row + 1}; they count as missing."
            )
        found[name] = numbers.to_numpy()
    if left_out:
        notes.append(f"Left out, no numbers: {', '.join(left_out)}.")
    return pd.DataFrame(found, index=cells.index), tuple(notes)


def numbers_of(column: pd.Series) -> pd.Series:
    """The numbers in cells of text, float64; NaN where there is none."""
    text = column.str.strip().str.replace(WRAPPED, r"\1", regex=True)
    percent = text.str.endswith("%")
    text = text.str.rstrip("% ")
    if (there := text != "").any() and text[there].str.fullmatch(
        r"[-+]?\d*,?\d+(e[-+]?\d+)?"
    ).all():
        text = text.str.replace(",", ".")
    numbers = pd.to_numeric(text, errors="coerce").astype(float)
    numbers = numbers.mask(percent, numbers / 100)
    unread = numbers.isna() & ~text.str.lower().isin(EMPTY | {"nan"})
    if unread.any():
        numbers[unread] = text[unread].map(_seconds)
    return numbers


def _seconds(text: str) -> float:
    """The seconds of a duration, or since 1970 of a date with a time; NaN of anything else."""
    if clock := CLOCK.fullmatch(text):
        days, hours, minutes, rest = (float(part or 0) for part in clock.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + rest
    if units := UNITS.fullmatch(text):
        hours, minutes, rest = (float(part or 0) for part in units.groups())
        return (hours * 60 + minutes) * 60 + rest
    if counted := FROM_LETTERS.fullmatch(text):
        return float(counted[1] or counted[2])
    if re.match(r"\d{4}-\d\d-\d\d[ T]\d", text):
        date = pd.to_datetime(text, errors="coerce", utc=True)
        return date.timestamp() if not pd.isna(date) else np.nan
    return np.nan


def _lists(cells: pd.Series) -> np.ndarray | None:
    """float, shape (rows, places), if every cell is a list of as many numbers."""
    found = [LIST.fullmatch(str(cell)) for cell in cells]
    if not found or not all(found):
        return None
    try:
        rows = [[float(part) for part in re.split(r"[,\s]+", one[1].strip())] for one in found]
        return np.array(rows)
    except ValueError:
        return None
