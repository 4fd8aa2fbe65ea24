import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from trackbed.pipeline import tensorflow_setup


def random_numbers(seed):
    tensorflow_setup.make_deterministic(seed)
    return np.asarray(keras.random.normal((4,)))


def test_a_seed_decides_what_follows():
    assert np.array_equal(random_numbers(1), random_numbers(1))
    assert not np.array_equal(random_numbers(1), random_numbers(2))


def test_the_precision_is_that_of_the_layers_built_next():
    tensorflow_setup.make_deterministic(0, "mixed_bfloat16")
    assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    tensorflow_setup.make_deterministic(0)
    assert keras.layers.Dense(1).compute_dtype == "float32"


STAGES = Path(__file__).parents[2] / "stages"


def test_tensorflow_starts_in_silence_and_later_errors_are_seen():
    code = (
        f"import sys; sys.path.insert(0, {str(STAGES)!r})\n"
        "from trackbed.pipeline import tensorflow_setup\n"
        "tensorflow_setup.start()\n"
        "import tensorflow as tf\n"
        "print(int(tf.constant(1) + 1))\n"
        "print('later', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
    assert done.stderr == "later\n"


def test_keras_starts_without_packages_that_work_afterwards():
    code = (
        f"import gc, sys; sys.path.insert(0, {str(STAGES)!r})\n"
        "from trackbed.pipeline import tensorflow_setup\n"
        "tensorflow_setup.start()\n"
        "print([name for name in tensorflow_setup.OPTIONAL if name in sys.modules])\n"
        "import keras, numpy as np\n"
        "from matplotlib.figure import Figure\n"
        "from scipy.stats import rankdata\n"
        "from sklearn.metrics import f1_score\n"
        "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])\n"
        "model.compile('adam', 'mse')\n"
        "model.fit(np.zeros((4, 2)), np.zeros((4, 2)), verbose=0)\n"
        "print(f1_score([0, 1, 1], [0, 1, 1]), *rankdata([3, 1]), len(Figure().axes))\n"
        "print(model.predict(np.zeros((1, 2)), verbose=0).shape, gc.isenabled())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "1.0 2.0 1.0 0", "(1, 2) True"]


def test_what_is_imported_already_is_not_hidden():
    with tensorflow_setup.hidden(["json", "wave"]):
        import json

        with pytest.raises(ImportError):
            import wave
    import wave

    assert json.loads("1") == 1
    assert wave.WAVE_FORMAT_PCM == 1


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs two cores that a process can be kept to",
)
def test_a_process_with_fewer_cores_computes_the_same():
    code = (
        f"import os, sys; sys.path.insert(0, {str(STAGES)!r})\n"
        "os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:int(sys.argv[1])])\n"
        "from trackbed.pipeline import tensorflow_setup\n"
        "tensorflow_setup.start()\n"
        "tensorflow_setup.make_deterministic(0)\n"
        "import hashlib, keras, numpy as np\n"
        "x = np.random.default_rng(0).random((64, 48, 48, 3), dtype='float32')\n"
        "layers = [keras.layers.Conv2D(32, 3), keras.layers.BatchNormalization()]\n"
        "layers += [keras.layers.Conv2D(64, 3), keras.layers.GlobalAveragePooling2D()]\n"
        "model = keras.Sequential([keras.Input(x.shape[1:]), *layers, keras.layers.Dense(2)])\n"
        "model.compile('adam', 'mse')\n"
        "model.fit(x, x.mean((1, 2))[:, :2], batch_size=32, epochs=2, verbose=0)\n"
        "print(hashlib.sha256(b''.join(w.tobytes() for w in model.get_weights())).hexdigest())\n"
    )
    command = [sys.executable, "-c", code]
    one, two = (subprocess.check_output([*command, cores], text=True) for cores in "12")
    assert one == two


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"I0000 00:00:17 port.cc:153] oneDNN custom operations are on.\n", False),
        (b"WARNING: All log messages before absl::InitializeLog() is called\n", False),
        (b"E0000 00:00:17 something.cc:1] cannot load library\n", True),
        (b"Traceback (most recent call last):\n", True),
    ],
)
def test_only_greetings_are_held_back(line, expected):
    assert tensorflow_setup.is_important(line) == expected
