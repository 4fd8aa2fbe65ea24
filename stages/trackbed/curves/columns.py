"""What the columns of a training log hold, by name, and their numbers by epoch."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trackbed.pipeline.errors import UserError

PARTS = {"train": "train", "training": "train", "val": "validation", "valid": "validation"}
PARTS |= {"validation": "validation", "test": "test", "metrics": "validation"}
PART = "|".join(sorted(PARTS, key=len, reverse=True))
PREFIX = re.compile(rf"^({PART})[/_.\- ]+(?=.)", re.IGNORECASE)
SUFFIX = re.compile(rf"(?<=.)[/_.\- ]+({PART})$", re.IGNORECASE)

LOSSES = {"loss", "error", "mse", "mae", "rmse", "nll", "logloss", "perplexity", "crossentropy"}
METRICS = {"accuracy", "acc", "f1", "precision", "recall", "auc", "iou", "miou", "dice", "kappa"}
METRICS |= {"mcc", "specificity", "sensitivity", "fitness", "top1", "top5"}
MAP = re.compile(r"map\d*")
RATES = re.compile(r"(learning_rate|lr|x/lr\d+|lr/pg\d+|lr[-/].+|.*/learning_rate)")
SECONDS = {"seconds", "epoch_seconds", "epoch_time", "time_seconds", "seconds_per_epoch"}
SECONDS |= {"duration", "time"}
SPEEDS = {"images_per_second", "samples_per_second", "images/s"}
WAITING = {"waiting_share", "data_share"}


@dataclass(frozen=True)
class Column:
    """A column by its name in the file.

    role: 'loss', 'metric', 'rate', 'seconds', 'speed', 'waiting' or 'other'. part: 'train',
    'validation', 'test' or ''. quantity: the name without its part, the same for training and
    validation.
    """

    name: str
    role: str
    part: str
    quantity: str

    @property
    def lower_is_better(self) -> bool:
        """Whether the best value is the lowest; of losses and metrics only."""
        return self.role == "loss"

    @property
    def sign(self) -> int:
        """1 where a fall is good, -1 where a rise is."""
        return 1 if self.lower_is_better else -1


def known(names: Iterable[str]) -> tuple[Column, ...]:
    """The columns of these names, in their order.

    A value logged both per step and per epoch (Lightning's `loss_step` beside `loss_epoch`) is
    analysed per epoch; the other is kept as 'other'.
    """
    names = list(names)
    steps = {name for name in names if f"{name.removesuffix('_step')}_epoch" in names}
    return tuple(
        Column(name, "other", "", name)
        if name in steps and name.endswith("_step")
        else parsed_name(name)
        for name in names
    )


def parsed_name(name: str) -> Column:
    """The column that a name tells; what it does not tell is of role 'other'."""
    role = _role(name)
    if role not in ("loss", "metric"):
        return Column(name, role, "", name)
    part, quantity = _part(name)
    return Column(name, role, part, re.sub(r"(?<=.)_(epoch|step)$", "", quantity))


def same(first: str, second: str) -> bool:
    """Whether two names differ in case and separators only: `val_loss` and `val/loss`."""
    return _plain(first) == _plain(second)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or name


def _role(name: str) -> str:
    plain = name.lower()
    for role, names in (("seconds", SECONDS), ("speed", SPEEDS), ("waiting", WAITING)):
        if plain in names:
            return role
    if RATES.fullmatch(plain):
        return "rate"
    words = [word for word in re.split(r"[^a-z0-9]+", plain) if word]
    if any(word in LOSSES or word.endswith("loss") for word in words):
        return "loss"
    if any(word in METRICS or MAP.fullmatch(word) for word in words):
        return "metric"
    return "other"


def _part(name: str) -> tuple[str, str]:
    """A name without a part is Keras' way to say training."""
    for pattern in (PREFIX, SUFFIX):
        if found := pattern.search(name):
            return PARTS[found[1].lower()], pattern.sub("", name)
    return "train", name


LIST = re.compile(r'\s*"?\[(.*)\]"?\s*', re.DOTALL)
EXPECTED = "Expected one row per epoch with losses or scores."


def cleaned(raw: pd.DataFrame) -> pd.DataFrame:
    """Without blanks around the headers, rows that repeat the header, and rows without a value."""
    table = raw.rename(columns=lambda name: str(name).strip())
    header = (table.astype(str).apply(lambda cells: cells.str.strip()) == table.columns).all(axis=1)
    return table[~header].dropna(how="all").reset_index(drop=True)


def numeric(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """All columns as float64, and notes about those that hold no numbers.

    A column of lists (a score per class in Keras' CSVLogger) becomes a column per place, `f1[0]`.
    """
    columns, left_out = {}, []
    for name, cells in table.items():
        if (lists := _lists(cells)) is not None:
            columns |= {f"{name}[{place}]": lists[:, place] for place in range(lists.shape[1])}
            continue
        numbers = pd.to_numeric(cells, errors="coerce").astype(float)
        if numbers.notna().any() or cells.isna().all() or _not_a_number(cells):
            columns[name] = numbers.to_numpy()
        else:
            left_out.append(str(name))
    notes = (f"Left out, no numbers: {', '.join(left_out)}.",) if left_out else ()
    return pd.DataFrame(columns, index=table.index), notes


def by_epoch(
    path: str, table: pd.DataFrame, epochs: pd.Series
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table indexed by epoch from 1, and notes about what was changed for it.

    Raises UserError for epochs that are no whole numbers.
    """
    if not len(table):
        raise refuse(path, "no row of values")
    numbers = pd.to_numeric(epochs, errors="coerce").astype(float)
    if not np.isfinite(numbers).all() or (numbers % 1 != 0).any():
        raise refuse(path, "the column of epochs holds other things than whole numbers")
    notes = []
    if (numbers.diff().iloc[1:] <= 0).any():
        notes.append("Epochs are not in increasing order (a resumed run?): rows were numbered.")
        numbers = pd.Series(np.arange(1.0, len(table) + 1))
    if numbers.iloc[0] == 0:
        notes.append("The file counts epochs from 0; here they count from 1.")
        numbers = numbers + 1
    index = pd.Index(numbers.astype(int).to_numpy(), name="epoch")
    return table.set_axis(index, axis=0), tuple(notes)


def refuse(path: str, why: str) -> UserError:
    """The UserError of a file that is no history."""
    return UserError(f"{path}: no training history ({why}). {EXPECTED}")


def _not_a_number(cells: pd.Series) -> bool:
    return cells.dropna().astype(str).str.strip().str.lower().eq("nan").all()


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
