"""Start TensorFlow without its start-up messages, and make what follows deterministic."""

import gc
import math
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STARTUP_MESSAGES = re.compile(rb"I\d{4} |WARNING: All log messages before absl::InitializeLog|^$")
# Reported as an error on every machine without an NVIDIA GPU.
NO_GPU = re.compile(rb"E\d{4} .*failed call to cuInit")
NVIDIA_DRIVER = Path("/dev/nvidiactl")
# Imported by TensorFlow and Keras if they are installed, for parts that are not used here:
# keras.wrappers, keras.visualization, and sparse input of the Keras before this one.
OPTIONAL = ("matplotlib", "scipy", "sklearn")


def start(beside: int = 1) -> None:
    """Import TensorFlow and look for its devices; errors still reach stderr.

    beside: how many parts of a computation shall run at once; the cores are shared among them.

    A GPU's memory is taken as it is needed, so that others can use the rest.
    TF_CPP_MIN_LOG_LEVEL alone does not silence what is logged during the import. An operation is
    cut into parts for as many threads as the machine has cores, which decides how its sums are
    rounded. By default TensorFlow counts only the cores that this process may use, so `taskset` or
    a container would change the model.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with filtered_stderr():
        with hidden(OPTIONAL), without_garbage_collection():
            import keras  # noqa: F401
            import tensorflow as tf

        with suppress(RuntimeError):  # it is running already, with the threads it began with
            cores = os.cpu_count() or 1
            tf.config.threading.set_intra_op_parallelism_threads(math.ceil(cores / beside))
            if beside > 1:
                tf.config.threading.set_inter_op_parallelism_threads(min(beside, cores))
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)


@contextmanager
def hidden(packages: Iterable[str]) -> Iterator[None]:
    """Let the import of packages fail as if they were not installed; afterwards it works again.

    A package that is imported already stays.
    """
    absent = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Do not look for garbage among the objects of an import, neither now nor ever after.

    An import makes hundreds of thousands of objects that stay. Looking through them again and
    again takes a fifth of TensorFlow's start, and as long once more at the end of the process.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def is_important(line: bytes) -> bool:
    """Whether a line of TensorFlow's start-up log is a warning or an error that matters."""
    if NO_GPU.match(line) and not NVIDIA_DRIVER.exists():
        return False
    return not STARTUP_MESSAGES.match(line)


@contextmanager
def filtered_stderr(keep: Callable[[bytes], bool] | None = None) -> Iterator[None]:
    """Hold back what is written to file descriptor 2; pass on the lines to keep at the end.

    keep: `is_important`, if it is left out.
    """
    keep = keep or is_important
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            held.seek(0)
            os.write(2, b"".join(line for line in held if keep(line)))


def make_deterministic(seed: int, precision: str = "float32") -> None:
    """Seed Python, NumPy and TensorFlow, and let TensorFlow use deterministic operations only.

    precision: 'float32', or 'mixed_bfloat16' or 'mixed_float16' for the layers built from now on.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    keras.mixed_precision.set_global_policy(precision)
