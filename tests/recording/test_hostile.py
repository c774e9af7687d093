"""Files made to do harm: reading them executes nothing, reads no other file, and takes no more memory than they have."""

import contextlib
import os
import pickle
import resource
import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest

from neurodyn.recording import Recording, annotate, load
from neurodyn.recording.layout import dataset_at, group_at


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, sentinel):
        self.sentinel = sentinel

    def __reduce__(self):
        return os.system, (f"touch {self.sentinel}",)


@pytest.fixture
def sentinel(tmp_path):
    path = tmp_path / "sentinel"
    assert os.system(pickle.loads(pickle.dumps(f"true {path}"))) == 0  # the bait works: a shell is there
    yield path
    assert not path.exists()


def hostile(path, build):
    with h5py.File(path, "w") as file:
        file.attrs["neurodyn_format"] = "1"
        build(file)
    return path


def touch(recording):
    """Read everything that can be read; errors other than a refusal are passed on."""
    for read in (
        lambda: recording.attrs,
        lambda: recording.info(),
        lambda: repr(recording),
        lambda: recording.trials,
        lambda: recording.config,
        lambda: recording.results,
        lambda: recording.checks,
        lambda: recording.weights,
        lambda: recording.network(),
        lambda: recording.tree("network"),
        *(lambda key=key: recording[key] for key in [*recording.keys(), "spikes", "rate", "state", "network/x"]),
    ):
        with contextlib.suppress(ValueError, KeyError):
            read()


def test_pickled_objects_stay_bytes(tmp_path, sentinel):
    evil = pickle.dumps(Evil(sentinel))
    opaque, numbers = np.void(evil), np.frombuffer(evil, "u1")
    lists = h5py.vlen_dtype("u1")

    def build(file):
        for group in (
            file,
            file.create_group("network"),
            file.create_group("state/cells"),
            file.create_group("trials"),
        ):
            group.attrs["opaque"] = opaque
            group.attrs["bytes"] = numbers
            group.attrs["text"] = evil.decode("latin-1").replace("\0", "")
            group.create_dataset("void", data=opaque)
            group.create_dataset("array", data=np.array([opaque, opaque]))
            group.create_dataset("objects", (1,), dtype=lists)[0] = numbers
            group.create_dataset("compound", data=np.zeros(2, dtype=[("a", "f8"), ("b", "V8")]))
            group.create_dataset("reference", data=file.ref, dtype=h5py.ref_dtype)
            group.create_dataset("nothing", data=h5py.Empty("f8"))
            for member in list(group.values()):
                if isinstance(member, h5py.Dataset):
                    member.attrs["dims"] = f"json:{['x'][: len(member.shape or ())]}".replace("'", '"')
        file.create_dataset("data/times", data=np.array([5], "i8").view(h5py.opaque_dtype("M8[s]")))

    recording = load(hostile(tmp_path / "a.h5", build))
    touch(recording)
    assert isinstance(recording.attrs["opaque"], str)
    for key in ("state/cells/objects", "state/cells/array", "state/cells/compound", "state/cells/reference"):
        with pytest.raises(ValueError, match="which no recording holds"):
            recording[key]
    with pytest.raises(ValueError, match="which no recording holds"):
        recording.network()


def test_names_with_a_meaning_in_python_are_only_names(tmp_path, sentinel):
    names = ["__class__", "__reduce__", "__init__", "__getattr__", "__dict__", "self", "path", "open", "@kind"]
    text = f"__import__('os').system('touch {sentinel}')"

    def build(file):
        for where in ("/", "network", "state/cells", "spikes/cells", "trials"):
            group = file.require_group(where)
            for name in names:
                group.attrs[name] = text
                dataset = group.create_dataset(name, data=[1.0])
                dataset.attrs[name] = text
                dataset.attrs["dims"] = 'json:["__class__"]'

    recording = load(hostile(tmp_path / "a.h5", build))
    touch(recording)
    assert type(recording) is Recording
    assert recording["state/cells/__init__"].dims == ("__class__",)
    assert recording.attrs["__class__"] == text
    with pytest.raises(ValueError, match="the file describes no circuit"):
        recording.network()


def test_text_that_is_code_stays_text(tmp_path, sentinel):
    text = f"__import__('os').system('touch {sentinel}')"

    def build(file):
        for key in ("config_json", "results_json", "checks_json", "versions", "stopped", "duration_ms", "complete"):
            file.attrs[key] = text
        file.attrs["list"] = f"json:[{text}]"
        file.attrs["deep"] = "json:" + "[" * 100_000
        dataset = file.create_dataset("state/cells/v", data=[1.0])
        dataset.attrs["dims"] = f"json:[{text}]"
        dataset.attrs["units"] = text
        file.create_dataset("spikes/cells/timestamps", data=[1.0])
        file.create_dataset("spikes/cells/node_ids", data=[0])
        for key in ("size", "dt_ms"):
            group_at(file, "spikes/cells").attrs[key] = text

    recording = load(hostile(tmp_path / "a.h5", build))
    touch(recording)
    assert recording.attrs["list"] == f"json:[{text}]"
    with pytest.raises(ValueError, match="has dims"):
        recording["state/cells/v"]
    with pytest.raises(ValueError, match="doesn't hold spikes as SONATA has them"):
        recording["spikes/cells"]


LARGE = """
    import resource, sys
    from neurodyn.recording import load
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, resource.RLIM_INFINITY))
    recording = load(sys.argv[1])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # a child begins with the peak of its parent
    for key in ("state/cells/v", "state/cells/text", "state/cells/scaled", "spikes/cells", "network/w", "network", "trials"):
        try:
            recording.trials if key == "trials" else recording.network() if key == "network" else recording[key]
        except ValueError as error:
            assert "more than the file can hold" in str(error), error
        else:
            raise AssertionError(key)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_sizes_that_are_only_claimed_are_not_allocated(tmp_path):
    def build(file):
        many = (2**40,)
        file.create_dataset("state/cells/v", many, "f8", chunks=(1024,), compression="gzip").attrs["dims"] = (
            'json:["x"]'
        )
        file.create_dataset("state/cells/text", many, h5py.string_dtype()).attrs["dims"] = 'json:["x"]'
        short = file.create_dataset("state/cells/scaled", data=[1.0])
        scale = file.create_dataset("state/cells/x", many, "f8")
        scale.make_scale("x")
        short.dims[0].attach_scale(scale)
        short.attrs["dims"] = 'json:["x"]'
        for name, dtype in (("timestamps", "f8"), ("node_ids", "u8")):
            file.create_dataset(f"spikes/cells/{name}", many, dtype)
        file.create_dataset("network/w", (2**20, 2**20), "f8")
        file.create_dataset("trials/x", many, "i8")

    path = hostile(tmp_path / "a.h5", build)
    assert path.stat().st_size < 10**5
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LARGE), str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 2**19  # KiB


def test_what_compresses_well_is_read(tmp_path):
    def build(file):
        zeros = file.create_dataset("data/zeros", data=np.zeros((2**24, 1)), chunks=(2**17, 1), compression="gzip")
        zeros.attrs["dims"] = 'json:["x", "y"]'
        file.create_dataset("data/unwritten", (1000,), "f8").attrs["dims"] = 'json:["x"]'

    recording = load(hostile(tmp_path / "a.h5", build))
    assert recording["zeros"].shape == (2**24, 1)
    assert recording["unwritten"].shape == (1000,)


def test_nothing_comes_from_other_files(tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = [42.0]
        file["x"].attrs["dims"] = 'json:["x"]'
    (tmp_path / "raw").write_bytes(np.full(4, 42.0).tobytes())

    def build(file):
        state = file.create_group("state/cells")
        for group in (state, file.create_group("network"), file.create_group("spikes/cells")):
            group["external"] = h5py.ExternalLink(str(secret), "/x")
            group["soft"] = h5py.SoftLink("/state/cells/stored")
            group.create_dataset("stored", (4,), "f8", external=[(str(tmp_path / "raw"), 0, 32)])
            layout = h5py.VirtualLayout((1,), "f8")
            layout[:] = h5py.VirtualSource(str(secret), "x", (1,))
            group.create_virtual_dataset("virtual", layout)
        for name in ("stored", "virtual"):
            dataset_at_any(state, name).attrs["dims"] = 'json:["x"]'
        file["spikes/cells/timestamps"] = h5py.ExternalLink(str(secret), "/x")
        file["spikes/cells/node_ids"] = h5py.SoftLink("/state/cells/stored")
        trusted = state.create_dataset("trusted", data=np.zeros(4))
        scale = dataset_at_any(state, "stored")
        scale.make_scale("x")
        trusted.dims[0].attach_scale(scale)  # a reference, not a link
        trusted.attrs["dims"] = 'json:["x"]'

    recording = load(hostile(tmp_path / "a.h5", build))
    assert recording.keys() == ["state/cells/trusted"]
    touch(recording)
    assert recording.tree("network") == {}
    with pytest.raises(ValueError, match="kept in another file"):
        recording["trusted"]
    for key in (
        "state/cells/external",
        "state/cells/soft",
        "state/cells/stored",
        "state/cells/virtual",
        "spikes/cells",
    ):
        with pytest.raises(KeyError):
            recording[key]
    assert recording.path is not None
    kept = load(annotate(recording.path, results={"a": 1}))
    assert kept.results == {"a": 1} and kept.keys() == ["state/cells/trusted"]


def dataset_at_any(group, name):
    """A dataset, wherever its data are."""
    found = group[name]
    assert isinstance(found, h5py.Dataset)
    return found


def test_dimensions_that_do_not_fit_are_refused(tmp_path):
    def build(file):
        for number, dims in enumerate(('json:{"a": 1}', 'json:["x", "y"]', "json:[1]", "x", 7, 'json:["x"]')):
            file.create_dataset(f"data/d{number}", data=[1.0]).attrs["dims"] = dims

    recording = load(hostile(tmp_path / "a.h5", build))
    for number in range(5):
        with pytest.raises(ValueError, match="has dims = "):
            recording[f"d{number}"]
    assert dataset_shape(recording, "data/d5") == recording["d5"].shape == (1,)


def dataset_shape(recording, path):
    with recording.open() as file:
        return dataset_at(file, path).shape


def test_the_test_itself_would_notice(tmp_path):
    path = tmp_path / "sentinel"
    pickle.loads(pickle.dumps(Evil(path)))
    assert path.exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
