import mmap
import resource
import sys

import numpy as np
import pytest

from trackbed.records import pixel_memory

LARGE = (100, 200, 200, 3)  # 12 MB


def page_faults(write):
    """How often the kernel had to find a page while a function wrote."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    write()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.parametrize("shape", [(0, 8, 8, 3), (2, 8, 9, 3), LARGE])
def test_an_array_of_the_shape_can_be_written(shape):
    memory = pixel_memory.allocated(shape)
    memory.populate(0, len(memory.array))
    assert (memory.array.shape, memory.array.dtype) == (shape, np.uint8)
    memory.array[:] = 7
    memory.populate(0, len(memory.array))
    assert (memory.array == 7).all()


@pytest.mark.skipif(sys.platform != "linux", reason="needs madvise(2) of Linux")
def test_populated_rows_are_written_without_page_faults():
    memory = pixel_memory.allocated(LARGE)
    memory.populate(10, 60)
    pages = 50 * memory.array.strides[0] // mmap.PAGESIZE
    try:
        mmap.mmap(-1, mmap.PAGESIZE).madvise(pixel_memory.MADV_POPULATE_WRITE)
    except OSError:
        pytest.skip("the kernel is older than 5.14")
    assert page_faults(lambda: memory.array[10:60].fill(1)) < pages / 10


def test_the_array_outlives_what_made_it():
    array = pixel_memory.allocated(LARGE).array
    array[:] = 3
    assert array[-1].min() == 3
