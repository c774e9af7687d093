import math

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from neurodyn.recording.layout import dataset_at, group_at
from neurodyn.recording.tree import MANY, freeze, read_tree, write_tree

keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1).filter(
    lambda s: s != "."
)
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters()),
    st.just("json:null"),
    st.just("json:"),
)
lists = st.recursive(plain, lambda inner: st.lists(inner, max_size=4), max_leaves=10)
shapes = nps.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
dtypes = st.one_of(
    nps.boolean_dtypes(), nps.integer_dtypes(), nps.unsigned_integer_dtypes(), nps.floating_dtypes(sizes=(16, 32, 64)),
    nps.complex_number_dtypes(sizes=(64, 128)),
)  # fmt: skip
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
arrays = st.one_of(nps.arrays(dtypes, shapes), nps.arrays("U5", shapes, elements=words))
trees = st.recursive(
    st.dictionaries(keys, st.one_of(lists, arrays), max_size=4),
    lambda inner: st.dictionaries(keys, st.one_of(lists, arrays, inner), max_size=3),
    max_leaves=8,
)


def through_a_file(tree):
    with h5py.File("tree", "w", driver="core", backing_store=False) as file:
        write_tree(file, "tree", freeze(tree, "tree"))
        return read_tree(group_at(file, "tree"))


def same(a, b):
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray):
        if a.dtype.kind == "U":
            return isinstance(b, np.ndarray) and b.dtype.kind == "U" and a.shape == b.shape and a.tolist() == b.tolist()
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (list, tuple)):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    return type(a) is type(b) and a == b


@settings(deadline=None, max_examples=150)
@given(trees)
def test_what_is_read_is_what_was_written(tree):
    assert same(tree, through_a_file(tree))


def test_order_of_groups_and_arrays_is_kept():
    tree = {
        "populations": {name: {"size": 1} for name in "qwertz"},
        "arrays": {name: np.zeros(2) for name in "zxy"},
    }
    back = through_a_file(tree)
    assert list(back["populations"]) == list("qwertz")
    assert list(back["arrays"]) == list("zxy")


def test_numpy_scalars_and_tuples_come_back_plain():
    back = through_a_file({"a": np.float32(0.5), "b": np.int8(3), "c": np.bool_(True), "d": (1, ("x", 2.0))})
    assert same({"a": 0.5, "b": 3, "c": True, "d": [1, ["x", 2.0]]}, back)


def test_long_text_and_many_values():
    tree = {"text": "x" * 200_000, "list": list(range(30_000)), "many": {f"key {i}": i for i in range(300)}}
    assert same(tree, through_a_file(tree))


def test_frozen_arrays_do_not_follow_the_original():
    weights = np.zeros(3)
    frozen = freeze({"w": weights}, "tree")
    weights[:] = 1
    assert not frozen["w"].any()


def test_large_arrays_are_compressed_in_chunks_of_at_most_a_mebibyte():
    with h5py.File("tree", "w", driver="core", backing_store=False) as file:
        write_tree(file, "tree", freeze({"big": np.zeros((1000, 1000)), "small": np.zeros(10)}, "tree"))
        big, small = dataset_at(file, "tree/big"), dataset_at(file, "tree/small")
        assert (big.compression, big.compression_opts, big.shuffle) == ("gzip", 1, True)
        assert 2**19 <= math.prod(big.chunks or ()) * 8 <= 2**20
        assert small.chunks is None


@pytest.mark.parametrize("key", ["a/b", "", ".", "nul\0", "\ud800"])
def test_keys_that_hdf5_cannot_hold_are_refused(key):
    with pytest.raises(ValueError, match="network/cells: the key"):
        freeze({"cells": {key: 1}}, "network")


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({1: 2}, "network/a"),
        (object(), "network/a"),
        ([np.zeros(2)], r"network/a\[0\]"),
        (np.array([object()]), "network/a"),
        (np.array(["2020-01-01"], "M8[D]"), "network/a"),
        ({1, 2}, "network/a"),
        (lambda: 0, "network/a"),
    ],
)
def test_what_cannot_be_stored_is_named(value, place):
    with pytest.raises(TypeError, match=place):
        freeze({"a": value}, "network")


def test_text_arrays_with_nul_are_refused():
    with pytest.raises(ValueError, match="network/a holds the text"):
        freeze({"a": np.array(["a\0b"])}, "network")


def test_one_number_seen_as_many_is_stored_once(tmp_path):
    many = np.broadcast_to(np.int32(7), 100_000)
    with h5py.File(tmp_path / "tree.h5", "w") as file:
        write_tree(file, "network", freeze({"delays": many, "none": many[:0], "one": many[:1]}, "network", copy=False))
        assert dataset_at(file, "network/delays").id.get_storage_size() == 0
        read = read_tree(group_at(file, "network"))
    np.testing.assert_array_equal(read["delays"], many)
    assert read["delays"].dtype == np.int32 and read["none"].size == 0 and read["one"].tolist() == [7]


def test_many_floats_are_stored_as_they_are(tmp_path):
    values = np.zeros(MANY)
    with h5py.File(tmp_path / "tree.h5", "w") as file:
        write_tree(file, "network", {"many": values, "fewer": values[1:]})
        assert dataset_at(file, "network/many").compression is None
        assert dataset_at(file, "network/fewer").compression == "gzip"
        np.testing.assert_array_equal(read_tree(group_at(file, "network"))["many"], values)
