import subprocess
import sys

import pytest

import neurodyn.recording


def test_every_public_name_is_there():
    for name in neurodyn.recording.__all__:
        assert getattr(neurodyn.recording, name) is not None
        assert name in dir(neurodyn.recording)
    with pytest.raises(AttributeError, match="no attribute 'Wrtier'"):
        neurodyn.recording.Wrtier  # noqa: B018


def test_functions_stay_functions_when_all_modules_are_imported():
    script = (
        "import sys, pkgutil, importlib, neurodyn.recording as r\n"
        "assert not {'h5py', 'numpy', 'xarray', 'pandas'} & set(sys.modules)\n"
        "[importlib.import_module(f'neurodyn.recording.{m.name}') for m in pkgutil.iter_modules(r.__path__)]\n"
        "assert not {'xarray', 'pandas'} & set(sys.modules)\n"
        "assert all(callable(getattr(r, name)) for name in r.__all__ if name != 'FORMAT')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
