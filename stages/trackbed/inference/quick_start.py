"""A process that starts only to predict: what it can leave out while it loads its libraries.

Imports nothing but the standard library.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# OpenBLAS, which NumPy uses, starts a thread for every core when it is loaded. All products of
# prediction are computed in one thread (see novelty.MAX_PRODUCTS).
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


@contextmanager
def loading() -> Iterator[None]:
    """In this block libraries are imported and models loaded, which stay until the process ends.

    Nothing of that is garbage, so that the collector neither looks for it meanwhile nor goes
    through it at the end of the process. Where NumPy is loaded already nothing happens: the
    process has other work, too.
    """
    if "numpy" in sys.modules or not gc.isenabled():
        yield
        return
    os.environ.update({name: os.environ.get(name, one) for name, one in ONE_THREAD.items()})
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
