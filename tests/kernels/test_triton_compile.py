"""What Triton's compiler makes of the kernels for a GPU: it needs none for that."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = ("heterogeneous", "what_and_when", "delays", "eligibility", "least_squares", "sums", "functions")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """One report for each circuit and precision, all from one process that doesn't interpret."""
    pytest.importorskip("triton", reason="triton comes with Linux on x86-64 only")
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(tmp_path_factory.mktemp("triton"))
    script = Path(__file__).with_name("compile_triton.py")
    run = subprocess.run([sys.executable, script, *NAMES], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-4000:]
    return {(r["circuit"], r["dtype"]): r for r in json.loads(run.stdout.splitlines()[-1])}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NAMES)
def test_kernels_compile_for_a_gpu(name, dtype, reports):
    """Every form is there that the bits rest on, a thread keeps to its unit, and little is spilled."""
    found = reports[name, dtype]
    forms = found["forms"]
    assert forms["mul.f64"] == forms["add.f64"] == forms["mul.f32"] == 0  # these may be fused, those with .rn may not
    assert forms["div.full"] == forms["sqrt.approx"] == 0
    # fused only in divisions by shared numbers and in logarithms (of normals) and other functions of the library
    divisions = 2 * found["quotients"] * (dtype == "float64")
    if name in ("heterogeneous", "least_squares", "sums"):
        assert forms["fma.rn.f64"] == divisions
    elif name != "functions":
        assert forms["fma.rn.f64"] == divisions + 16 * {"what_and_when": 1, "delays": 2, "eligibility": 1}[name]
    assert len(found["layouts"]) == 1, "loads and stores of tiles are laid out in different ways"
    assert found["registers"] <= 255 and found["stack"] <= 256


@pytest.mark.slow
def test_literals_keep_their_precision(reports):
    for value in (0.04, 5.0, 140.0, 2509.0809287301226727, 2.220446049250313e-16):
        assert "0d" + struct.pack(">d", value).hex().upper() in reports["what_and_when", "float64"]["literals"]
    literals = reports["heterogeneous", "float32"]["literals"]
    assert "0f" + struct.pack(">f", 0.04).hex().upper() in literals
    assert not any(text.startswith("0d") for text in literals)
