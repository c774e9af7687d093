"""Arrays read from a table are those that were put in: same numbers, shape and memory, and no other kind."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from neurodyn.kernels.table import Kind, Table, bytes_of, names_of, reader, room


def read(array: np.ndarray) -> np.ndarray:
    """What compiled code finds where an array lies, behind another one in the table."""
    table = Table.of({"before": np.zeros((2, 3)), "array": array})
    given = {"reader": reader, "njit": njit}
    lines = ["@njit", "def find(table):", *(f"    {line}" for line in table.text(["array"], "table"))]
    exec(names_of(table.kinds.values()) + "\n".join([*lines, "    return array.copy()"]), given)
    return given["find"](table.numbers)


DTYPES = ["float64", "float32", "int64", "int32", "uint64", "uint32", "uint16", "uint8", "bool"]


@pytest.mark.parametrize(
    ("dtype", "shape"), [*((dtype, (3, 5)) for dtype in DTYPES), *(("float64", s) for s in ((7,), (0,), (2, 3, 4)))]
)
def test_numbers_come_back(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.arange(1, np.prod(shape) + 1).reshape(shape).astype(dtype)
    found = read(array)
    assert found.dtype == array.dtype and found.shape == shape
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("cut", [np.s_[:, 1], np.s_[1:, ::2], np.s_[::-1, 0]])
def test_numbers_that_lie_apart(cut) -> None:
    array = np.arange(12.0).reshape(4, 3)[cut]
    assert Kind.of(array).strided
    np.testing.assert_array_equal(read(array), array)


def test_what_compiled_code_writes_is_in_the_array() -> None:
    array, read_it = np.zeros((3, 2)), reader("float64", 2, False)

    @njit
    def write(table):
        read_it(table, 0)[1, 1] = 5.0

    write(Table.of({"array": array}).numbers)
    assert array[1, 1] == 5.0 and array.sum() == 5.0


def test_another_array_takes_the_place_of_the_first() -> None:
    table, read_it = Table({"array": Kind("int64", 1)}), reader("int64", 1, False)
    total = njit(lambda table: read_it(table, 0).sum())
    for size in (3, 8):
        array = np.arange(size)
        table.put({"array": array})
        assert total(table.numbers) == array.sum()


@pytest.mark.parametrize(
    "array", [np.zeros(3, np.float32), np.zeros((3, 1)), np.zeros(6)[::2], np.zeros(3, np.int64)], ids=str
)
def test_an_array_of_another_kind_is_refused(array: np.ndarray) -> None:
    table = Table({"array": Kind("float64", 1)})
    with pytest.raises(TypeError, match="array 'array' is Kind.*made for Kind"):
        table.put({"array": array})
    assert not table.numbers.any()


def test_in_a_piece_is_a_case_of_apart() -> None:
    table = Table({"array": Kind("float64", 1, strided=True)})
    table.put({"array": (array := np.arange(3.0))})
    assert table.numbers.tolist() == [array.ctypes.data, 3, 8]


def test_workspace_and_its_bytes() -> None:
    numbers = room("uint64")

    @njit
    def both(size):
        words = numbers(size)
        for k in range(size):
            words[k] = 257 * k
        return words, bytes_of(words).copy()

    words, parts = both(5)
    assert words.tolist() == [0, 257, 514, 771, 1028]
    np.testing.assert_array_equal(parts, words.view(np.uint8))


def test_workspace_is_given_back() -> None:
    from numba.core.runtime import _nrt_python  # type: ignore[attr-defined]
    from numba.core.runtime.nrt import rtsys

    numbers = room("float64")

    @njit
    def use(size):
        some = numbers(size)
        some[0] = 1.0
        return some[0] + bytes_of(some)[0]

    use(4)
    _nrt_python.memsys_enable_stats()
    before = rtsys.get_allocation_stats()
    for _ in range(10):
        use(4)
    after = rtsys.get_allocation_stats()
    assert after.alloc - before.alloc == after.free - before.free == 10
