"""What the columns of a training log hold, by name."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from trackbed.pipeline.errors import UserError

PARTS = dict.fromkeys(("train", "training", "trn", "tr", "learn"), "train")
PARTS |= dict.fromkeys(("val", "valid", "validation", "vali", "vld", "vl"), "validation")
PARTS |= dict.fromkeys(("dev", "devel", "eval", "evaluation", "cv"), "validation")
PARTS |= dict.fromkeys(("va", "holdout"), "validation")
PARTS |= dict.fromkeys(("test", "testing", "tst", "te", "ts"), "test")
ALTERNATIVES = "|".join(sorted(PARTS, key=len, reverse=True))
# XGBoost numbers its evaluation sets: validation_0.
PART = re.compile(rf"(^|[^a-zA-Z0-9])({ALTERNATIVES})(?:_(\d+))?(?=[^a-zA-Z0-9]|$)", re.IGNORECASE)
JOINED = re.compile(
    r"^(train|valid|val|dev|eval|test)(?=(loss|acc|accuracy|err|error|f1|auc|m?ap|m?iou|dice|score)$)",
    re.IGNORECASE,
)
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=\d)(?=[A-Z][a-z])|(?<=[A-Z])(?=[A-Z][a-z])")

LOSSES = {"loss", "losses", "cost", "error", "errors", "err", "mse", "mae", "rmse", "rmsle", "mape"}
LOSSES |= {"smape", "nll", "perplexity", "ppl", "bce", "ce", "kl", "kld", "hinge", "huber"}
LOSSES |= {"poisson", "logcosh", "deviance", "divergence", "brier", "ece", "eer", "wer", "cer"}
LOSSES |= {"fid", "kid", "multiclass", "merror", "cosh", "l1", "l2", "hausdorff", "hd95", "assd"}
LOSSES |= {"nme", "epe", "bpc", "bpb"}
METRICS = {"accuracy", "acc", "f1", "f2", "f1score", "fbeta", "precision", "prec", "recall"}
METRICS |= {"kappa", "mcc", "specificity", "sensitivity", "fitness", "score", "r2", "psnr", "ssim"}
METRICS |= {"bleu", "ndcg", "mrr", "jaccard", "uar", "gini", "ar", "auroc", "auprc", "aucpr"}
METRICS |= {"elbo", "correct", "reward", "correlation", "pearson", "spearman", "similarity"}
METRICS |= {"accuracies", "pck", "mota", "hota"}
ERRORS = {"error", "errors", "err", "eer", "wer", "cer"}  # scores that fall
SCORE = re.compile(r"m?ap\d*|top\d+|prec\d+|acc\d+|rouge\w*|\w*(acc|accuracy|auc|iou|dice|f1)")
DETECTION = re.compile(r"m?ap\d*|ar")  # of detections, which nobody takes on training images
# A word that makes another quantity of it: the best so far, a spread, a setting.
OTHER = {"best", "std", "stddev", "var", "scale", "lossscale", "weight", "weights", "grad", "norm"}
OTHER |= {"momentum", "decay", "count", "num", "patience", "min", "iterations"}
FILLERS = {"total", "avg", "average", "mean", "running", "overall", "all"}
FILLERS |= {"curve", "history", "value", "values"}
PERIODS = {"epoch", "step", "batch"}
SECONDS = {"seconds", "second", "secs", "sec", "time", "duration", "elapsed", "runtime"}
SECONDS |= {"timestamp", "date", "datetime"}
NO_EPOCH_TIME = {"eta", "data", "step", "iter", "batch", "val", "eval", "inference", "left"}
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
    """The columns of these names, in their order; what a name leaves open the others decide.

    A value logged both per step and per epoch (Lightning's `loss_step` beside `loss_epoch`) is
    analysed per epoch; the other is kept as 'other'. A score without a part is one of validation
    where other columns name the training part (fastai), or where it is a score of detections. Of
    XGBoost's `validation_0` and `validation_1` the first is the training set.
    """
    names = list(names)
    found = [_logged_per_epoch(name, names) or parsed_name(name) for name in names]
    numbered = {place: match[3] for place, name in enumerate(names) if (match := PART.search(name))}
    if {"0", "1"} <= set(numbered.values()) and not any(_says(one, "train") for one in found):
        for place, number in numbered.items():
            if number == "0":
                found[place] = replace(found[place], part="train")
    if any({"data", "time"} <= set(words(name)) for name in names):  # of MMDetection, per iteration
        found = [
            replace(one, role="other") if words(one.name) == ["time"] else one for one in found
        ]
    return tuple(_total_loss(_unlabelled(column, found), found) for column in found)


def parsed_name(name: str) -> Column:
    """The column that a name tells; what it does not tell is of role 'other'.

    A name without a part is Keras' way to say training, `metrics/` Ultralytics' to say validation.
    """
    role = _role(name)
    if role not in ("loss", "metric"):
        return Column(name, role, "", name)
    part, quantity = _part(name)
    return Column(name, role, part, quantity)


def same(first: str, second: str) -> bool:
    """Whether two names differ in case and separators only: `val_loss` and `val/loss`."""
    return _plain(first) == _plain(second)


def words(name: str) -> list[str]:
    """The words of a name in lower case: `trainLoss`, `train/loss` and `Train loss` have two."""
    for whole, plain in (("mAP", "map"), ("mIoU", "miou"), ("IoU", "iou"), ("io_u", "iou")):
        name = name.replace(whole, plain)
    spaced = "_".join(CAMEL.split(_spaced(name)))
    return [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]


def labelled(name: str) -> bool:
    """Whether a name tells its part."""
    return bool(PART.search(_spaced(name)))


def _spaced(name: str) -> str:
    """With a separator where `trainLoss`, `lossVal` and `valacc` have none around the part."""
    if PART.search(name):
        return name
    name = JOINED.sub(lambda found: found[1] + "_", name)
    parts = CAMEL.split(name)
    if parts[0].lower() in PARTS:
        return "_".join((parts[0], name[len(parts[0]) :].lstrip("_"))).rstrip("_")
    if parts[-1].lower() in PARTS:
        return "_".join((name[: -len(parts[-1])], parts[-1]))
    return name


def _says(column: Column, part: str) -> bool:
    found = PART.search(_spaced(column.name))
    return column.role in ("loss", "metric") and bool(found) and PARTS[found[2].lower()] == part


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or name


def _role(name: str) -> str:
    plain, parts = name.lower(), words(name)
    if plain in SPEEDS:
        return "speed"
    if plain in WAITING:
        return "waiting"
    if OTHER & set(parts):
        return "other"
    if any(re.fullmatch(r"lr\d*", word) for word in parts) or "learning_rate" in "_".join(parts):
        return "rate"
    joined, negative = "_".join(parts), {"neg", "negative"} & set(parts)
    if {"l1", "l2"} & set(parts) and {"reg", "penalty", "regularization"} & set(parts):
        return "other"
    if negative or "likelihood" in parts:  # neg_log_loss of scikit-learn rises
        return "loss" if negative and "likelihood" in parts else "metric"
    single = parts + [word.removesuffix("s") for word in parts]
    if any(word in LOSSES or word.endswith(("loss", "entropy")) for word in single):
        return "loss"
    if any(word in METRICS or SCORE.fullmatch(word) for word in single):
        return "metric"
    ends = [word for word in parts if word != "s"][-1:]
    if set(ends) & SECONDS or joined in ("seconds_per_epoch", "time_elapsed"):
        return "other" if NO_EPOCH_TIME & set(parts) or joined == "train_runtime" else "seconds"
    return "other"


def _part(name: str) -> tuple[str, str]:
    spaced, part = _spaced(name), "train"
    if found := PART.search(spaced):
        part = PARTS[found[2].lower()]
        before, after = spaced[: found.start()], spaced[found.end() :]
        after = after.lstrip(")]") if found[1] in ("(", "[") else after
        spaced = before + after if before else after[1:].lstrip(" _/.-") or after
    elif spaced.lower().startswith("metrics/"):
        part, spaced = "validation", spaced[len("metrics/") :]
    else:
        spaced = name
    pattern = "|".join(PERIODS)
    spaced = re.sub(rf"(?<=.)[_/]({pattern})$|^({pattern})[_/](?=.)", "", spaced, flags=re.I)
    quantity = spaced.strip(" _/.:-") or spaced
    plain = quantity.lower()
    return part, plain if plain in LOSSES | METRICS else quantity


def _logged_per_epoch(name: str, names: list[str]) -> Column | None:
    """The column of a step's value where the epoch's is there, too; else None."""
    for step in ("step", "batch"):
        others = (re.sub(rf"([_/]){step}$", r"\1epoch", name), name.replace(step, "epoch", 1))
        if step in words(name) and any(other != name and other in names for other in others):
            return Column(name, "other", "", name)
    return None


def _unlabelled(column: Column, found: Sequence[Column]) -> Column:
    """A column whose name has no part, placed by what the names of the others say."""
    if column.role not in ("loss", "metric") or column.part != "train":
        return column
    if PART.search(_spaced(column.name)):
        return column
    there = {
        part: [one for one in found if _says(one, part)] for part in ("train", "validation", "test")
    }
    held_out = [*there["validation"], *there["test"]]
    if any(one.quantity == column.quantity for one in held_out):
        return column
    parts = words(column.name)
    twice = any(one.quantity == column.quantity for one in there["train"])
    scored = column.role == "metric" or bool(ERRORS & set(parts))
    if twice or any(map(DETECTION.fullmatch, parts)) or (scored and there["train"]):
        return replace(column, part="validation")
    return column


def _total_loss(column: Column, found: Sequence[Column]) -> Column:
    """`total_loss` is the loss where its part has no other of that name."""
    if column.role != "loss" or set(words(column.quantity)) - FILLERS not in ({"loss"}, {"losses"}):
        return column
    taken = any(one.part == column.part and one.quantity == "loss" for one in found)
    return column if taken else replace(column, quantity="loss")


EXPECTED = "Expected one row per epoch with losses or scores."


def refuse(path: str, why: str) -> UserError:
    """The UserError of a file that is no history."""
    return UserError(f"{path}: no training history ({why}). {EXPECTED}")
