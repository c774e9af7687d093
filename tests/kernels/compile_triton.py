"""Compile kernels for a GPU without having one, and print what came out as JSON (a script: triton must not interpret).

Arguments: names of circuits of the conformance suite. Each is compiled in float64 and float32 for compute capability 9.0.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from neurodyn.backends.engine import SampleSpec
from neurodyn.backends.fused import FusedStep
from neurodyn.backends.layout import Layout
from neurodyn.conformance.harness import case

CUOBJDUMP = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
FORMS = ("fma.rn.f64", "fma.rn.f32", "mul.f64", "add.f64", "mul.f32", "div.full", "div.approx", "sqrt.approx", "call")


def compiled(network, dtype):
    """Compile the step of a network, everything recorded; return the compiler's product, and the text."""
    layout = Layout([network, network], dtype, torch.device("cpu"))
    arrays = [a for a in network.program.arrays if a.role in ("state", "memory") and len(a.axes) < 2]
    samples = [[SampleSpec(a.name, np.arange(1), 2) for a in arrays]] * 2
    step = FusedStep(layout, samples, network.program.spiking)
    inputs = {name: torch.zeros((3, *layout.arrays[f"{name}.value"].shape), dtype=layout.dtype) for name in network.program.inputs}  # fmt: skip
    given = step.arguments(0, 0, 3, inputs, step._samples(0, 3), step._bits(3))
    signature, constants, aligned = {}, {}, {}
    for number, (name, kind) in enumerate(step.text.arguments.items()):
        if kind == "constant":
            signature[name], constants[name] = "constexpr", given[name]
        elif kind == "number":
            signature[name] = "i32"
        else:
            signature[name] = triton.runtime.jit.mangle_type(given[name])
            aligned[(number,)] = [["tt.divisibility", 16]]
    made = ASTSource(step._kernel, signature, constexprs=constants, attrs=aligned)
    return triton.compile(made, target=GPUTarget("cuda", 90, 32), options=step.options), step.text.source()


def report(name, dtype):
    """Return registers, bytes spilled, instructions by form, layouts of tiles in memory, and literals of the PTX."""
    product, text = compiled(case(name).network, dtype)
    ptx, ttgir = product.asm["ptx"], product.asm["ttgir"]
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(product.asm["cubin"])
        file.flush()
        usage = subprocess.run([CUOBJDUMP, "-res-usage", file.name], capture_output=True, text=True, check=True).stdout
    registers, stack = (int(re.search(rf"{word}:(\d+)", usage)[1]) for word in ("REG", "STACK"))  # type: ignore[index]
    tiles = re.findall(r"tt\.(?:load|store) .*?tensor<\d+x!tt\.ptr<\w+>, (#\w+)>", ttgir)
    return {
        "circuit": name,
        "dtype": dtype,
        "registers": registers,
        "stack": stack,
        "quotients": text.count("quotient("),
        "forms": {form: len(re.findall(rf"\b{re.escape(form)}\b", ptx)) for form in FORMS},
        "layouts": sorted(set(tiles)),
        "literals": sorted(set(re.findall(r"0[df][0-9A-F]{8,16}\b", ptx))),
    }


if __name__ == "__main__":
    print(json.dumps([report(name, dtype) for name in sys.argv[1:] for dtype in ("float64", "float32")]))
