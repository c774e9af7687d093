"""``neurodyn doctor``: which backends, compilers and devices work here, what is cached, what to install."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT_S = 120

_COMPILER_REMEDY = "Debian/Ubuntu: sudo apt install g++ make python3-dev; macOS: xcode-select --install"


@dataclass(frozen=True)
class Probe:
    """One thing to try in a process of its own: a broken installation can crash the interpreter.

    ``code`` is Python that prints a line of detail, or raises.
    """

    name: str
    code: str
    remedy: str
    required: bool = True


@dataclass(frozen=True)
class Finding:
    """What came of a probe."""

    probe: Probe
    works: bool
    detail: str


_COMPILE = """
import os, shutil, subprocess, sys, sysconfig, tempfile
def compiled_by(suffix, source, command):
    name = shutil.which(command)
    if name is None:
        raise SystemExit(f"there is no compiler {command!r}")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "probe" + suffix)
        open(path, "w").write(source)
        done = subprocess.run([name, "-c", path, "-o", path + ".o", "-I" + sysconfig.get_path("include")],
                              capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command}: {(done.stderr.strip().splitlines() or ['failed'])[0]}")
    return subprocess.run([name, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
"""

PROBES = (
    Probe(
        "numba",
        """
import numba
add = numba.njit(lambda x: x + 1)
assert add(1) == 2
print(numba.__version__, "with", numba.config.NUMBA_NUM_THREADS, "threads")
""",
        "python -m pip install --upgrade numba",
    ),
    Probe(
        "brian2, numpy",
        """
import brian2 as b2
b2.prefs.codegen.target = "numpy"
group = b2.NeuronGroup(2, "dv/dt = -v/(10*ms) : 1", threshold="v > 2", method="euler")
group.v = 1
b2.Network(group).run(1 * b2.ms)
assert 0 < group.v[0] < 1
print(b2.__version__)
""",
        'python -m pip install "brian2>=2.9" "numpy<2.4"   (Brian2 2.9 does not import with NumPy 2.4)',
    ),
    Probe(
        "brian2, cython",
        _COMPILE
        + """
import Cython
compiler = compiled_by(".c", "#include <Python.h>", os.environ.get("CC", "cc"))
print("Cython", Cython.__version__ + ",", compiler)
""",
        _COMPILER_REMEDY,
        required=False,
    ),
    Probe(
        "brian2, C++",
        _COMPILE
        + """
if os.name == "posix" and shutil.which("make") is None:
    raise SystemExit("there is no 'make'")
print(compiled_by(".cpp", "#include <vector>\\nint f() { return 0; }", os.environ.get("CXX", "c++")))
""",
        _COMPILER_REMEDY,
        required=False,
    ),
    Probe(
        "torch, CPU",
        """
import torch
assert float(torch.ones(3) @ torch.ones(3)) == 3
print(torch.__version__, "with", torch.get_num_threads(), "threads")
""",
        "python -m pip install --upgrade torch   (https://pytorch.org/get-started has the smaller CPU build)",
    ),
    Probe(
        "torch, CUDA",
        """
import torch
if torch.version.cuda is None:
    raise SystemExit("this torch was built without CUDA")
if not torch.cuda.is_available():
    raise SystemExit("torch finds no NVIDIA GPU or driver")
assert float(torch.ones(3, device="cuda") @ torch.ones(3, device="cuda")) == 3
devices = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
names = [f"{device.name} {device.total_memory / 2**30:.0f} GiB" for device in devices]
print("CUDA", torch.version.cuda + ":", ", ".join(names))
""",
        "only with an NVIDIA GPU: its driver, and torch built for CUDA (https://pytorch.org/get-started)",
        required=False,
    ),
    Probe(
        "triton",
        """
import torch
import triton
if not torch.cuda.is_available():
    raise SystemExit(f"triton {triton.__version__} finds no GPU")
print(triton.__version__)
""",
        "only with an NVIDIA GPU; torch built for CUDA brings it. Without, torch computes with tensors",
        required=False,
    ),
)


def examine(probe: Probe) -> Finding:
    """Try one probe; a crash or a hang is a finding, not an error."""
    command = [sys.executable, "-W", "ignore", "-c", probe.code]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return Finding(probe, works=False, detail=f"no answer within {_TIMEOUT_S} s")
    said = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    silent = "" if done.returncode == 0 else f"the process ended with code {done.returncode}"
    return Finding(probe, works=done.returncode == 0, detail=said[-1] if said else silent)


def report(probes: tuple[Probe, ...] = PROBES) -> int:
    """Print what works; return 1 if something that neurodyn needs does not, else 0."""
    from neurodyn import __version__
    from neurodyn.outcome import table

    print(f"neurodyn {__version__} in {Path(__file__).parent}")
    print(f"Python {platform.python_version()} ({sys.executable})")
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores{_memory()}\n")
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        findings = list(pool.map(examine, probes))
    words = {(True, True): "works", (True, False): "works", (False, True): "BROKEN", (False, False): "no"}
    print(
        table(
            ("backend", "", ""),
            [(f.probe.name, words[f.works, f.probe.required], f.detail) for f in findings],
        )
    )
    for finding in findings:
        if not finding.works:
            print(f"\nfor {finding.probe.name}:\n  {finding.probe.remedy}")
    rows = [(name, str(path), _size_text(path), how) for name, path, how in _caches()]
    print("\n" + table(("cache of", "folder", "size", "to clear it"), rows))
    return 1 if any(f.probe.required and not f.works for f in findings) else 0


def clear_cache() -> str:
    """Delete neurodyn's cache of compiled kernels and say so.

    Raises
    ------
    ValueError
        If ``NEURODYN_CACHE_DIR`` names a folder that is plainly not a cache: one that holds the home folder,
        the current one, or the package.
    """
    from neurodyn.kernels import cache

    folder = cache.folder().resolve()
    for precious in (Path.home(), Path.cwd(), Path(__file__).parent):
        if precious.resolve().is_relative_to(folder):
            raise ValueError(f"the cache folder {folder} holds {precious}; set NEURODYN_CACHE_DIR to one of its own")
    size = _size_text(folder)
    for member in folder.iterdir():
        if member.is_dir() and not member.is_symlink():
            shutil.rmtree(member)
        else:
            member.unlink()
    return f"cleared {folder} ({size}); kernels are compiled again when they are next used"


def _caches() -> list[tuple[str, Path, str]]:
    from neurodyn.kernels import cache

    found = [("compiled kernels", cache.folder(), "neurodyn doctor --clear-cache")]
    # Where Cython (since 3.1 in the platform's cache folder, before in the home) and Triton put theirs.
    cython = os.environ.get("CYTHON_CACHE_DIR")
    candidates = [Path(cython)] if cython else [Path.home() / ".cache" / "cython", Path.home() / ".cython"]
    how = "python -c \"import brian2; brian2.clear_cache('cython')\""
    found += [("Brian2's Cython", p / "brian_extensions", how) for p in candidates if (p / "brian_extensions").is_dir()]
    triton = Path(os.environ.get("TRITON_CACHE_DIR") or Path.home() / ".triton" / "cache")
    if triton.is_dir():
        found.append(("Triton", triton, f"rm -r {triton}"))
    return found


def _size_text(folder: Path) -> str:
    total = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return f"{total / 1e6:.1f} MB"


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not POSIX
        return ""
    return f", {total / 2**30:.0f} GiB memory"
