import numpy as np

from neurodyn.backends.blocks import Block


def test_what_was_kept_is_never_written_again():
    block = Block(3, np.dtype(float))
    kept = []
    for number in range(400_000):
        rows = block.cut(7)
        rows[:] = number
        if number % 50_000 == 0:
            kept.append((number, rows[2:].T))  # a part of it is enough
    assert len(kept) == 8 and all((rows == number).all() for number, rows in kept)


def test_what_nobody_kept_is_used_again():
    block = Block(4, np.dtype(np.float32))
    first = block.cut(10).ctypes.data
    assert block.cut(10).ctypes.data == first
    kept = block.cut(10)
    assert block.cut(10).ctypes.data == first + kept.nbytes
    del kept
    assert block.cut(10).ctypes.data == first


def test_more_rows_than_a_block_has():
    block = Block(2**20, np.dtype(float))
    assert block.cut(5).shape == (5, 2**20) and block.cut(0).shape == (0, 2**20)
    assert Block(0, np.dtype(float)).cut(3).shape == (3, 0)
