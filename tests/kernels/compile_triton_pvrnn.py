"""Compile the kernel of the PV-RNN for a GPU without having one, and print what came out as JSON (a script)."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

import neurodyn as nd
from neurodyn.kernels.pvrnn_launch import LARGEST, OPTIONS, arguments, rows_of
from neurodyn.kernels.triton_pvrnn import free_energy

CUOBJDUMP = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
NETS = {
    "one layer": ([nd.Layer(d=10, z=1, tau=2)], nd.SymbolCoding(symbols=2), {}),
    "two layers": ([nd.Layer(d=20, z=2, tau=2), nd.Layer(d=10, z=1, tau=8)], nd.SoftmaxCoding(dims=2), {}),
    "current": (
        [nd.Layer(d=20, z=2, tau=2), nd.Layer(d=10, z=1, tau=8)],
        nd.AnalogCoding(dims=2),
        {"top_down": "current"},
    ),
    "largest": (
        [nd.Layer(d=LARGEST // 2, z=LARGEST // 4, tau=2), nd.Layer(d=LARGEST // 2, z=LARGEST // 4, tau=8)],
        nd.SoftmaxCoding(dims=LARGEST // 16, bins=16),
        {"top_down": "current"},
    ),
}


def report(name, dtype):
    """Return registers, bytes spilled, shared memory and warps of a kernel."""
    layers, output, options = NETS[name]
    net = nd.PVRNN(layers, output=output, dtype=dtype, **options)
    one = [0] * 4 if isinstance(output, nd.SymbolCoding) else [[0.0] * output.dims] * 4
    encoded = output.encode([one], dtype=dtype)
    adaptive = net.adaptive(1, 4)
    rows = rows_of(net)
    row = torch.cat([value.flatten(1) for value in net.parameters()], 1)
    noise = torch.zeros(1, 1, 4, net.latents, dtype=dtype)
    given = arguments(net, rows, encoded, row, adaptive["mean"], adaptive["log_sigma"], noise) | rows.constants
    signature, constants, aligned = {}, {}, {}
    for number, argument in enumerate(free_energy.arg_names):
        value = given[argument]
        if argument in rows.constants:
            signature[argument], constants[argument] = "constexpr", value
        elif isinstance(value, torch.Tensor):
            signature[argument] = triton.runtime.jit.mangle_type(value)
            aligned[(number,)] = [["tt.divisibility", 16]]
        else:
            signature[argument] = "i32"
    made = ASTSource(free_energy, signature, constexprs=constants, attrs=aligned)
    product = triton.compile(made, target=GPUTarget("cuda", 90, 32), options={"num_warps": rows.warps, **OPTIONS})
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(product.asm["cubin"])
        file.flush()
        usage = subprocess.run([CUOBJDUMP, "-res-usage", file.name], capture_output=True, text=True, check=True).stdout
    registers, stack = (int(re.search(rf"{word}:(\d+)", usage)[1]) for word in ("REG", "STACK"))  # type: ignore[index]
    return {
        "net": name,
        "dtype": str(dtype),
        "warps": rows.warps,
        "registers": registers,
        "stack": stack,
        "shared": product.metadata.shared,
        "tf32": "tf32" in product.asm["ptx"],
    }


if __name__ == "__main__":
    print(json.dumps([report(name, dtype) for name in NETS for dtype in (torch.float32, torch.float64)]))
