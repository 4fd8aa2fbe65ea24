"""What a column of a history holds, told from its name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

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
        Column(name, "other", "", name) if name in steps and name.endswith("_step") else told(name)
        for name in names
    )


def told(name: str) -> Column:
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
