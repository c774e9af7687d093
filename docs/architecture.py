"""Draw docs/images/architecture.svg: `python docs/architecture.py`."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "neurodyn", "svg.fonttype": "none", "font.family": "sans-serif"})

import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.patches import FancyBboxPatch  # noqa: E402

COLOURS = {"user": "#dbe9f6", "core": "#fde9c9", "runner": "#dcefdc", "file": "#ecdff1", "side": "#eeeeee"}

# name: (x, y, width, height, colour, heading, lines)
BOXES = {
    "describe": (0.0, 5.6, 3.3, 3.1, "user", "what a user writes",
                 ["circuit.py, parts.py, session.py", "models/  cells and networks", "plasticity/  rules, learners", "tasks/  sessions of trials", "", "text with units, numbers, a seed"]),
    "lower": (4.1, 7.3, 3.3, 1.4, "core", "lowering/", ["text to statements, once", "(Brian2's integrators included)"]),
    "numbers": (4.1, 5.6, 3.3, 1.2, "core", "network.py", ["sizes, values, wiring", "drawn from the seed"]),
    "program": (8.2, 5.6, 3.3, 3.1, "core", "program.py",
                ["one step, for every runner:", "arrays with named axes,", "operations, blocks by phase", "", "evaluate.py: what they mean", "hash: keys caches, in files"]),
    "runners": (12.3, 4.3, 3.9, 4.4, "runner", "backends/  (seam: engine.py)",
                ["interpreter  the definition", "numba  compiled, in threads", "torch  a batch as tensors,", "    CPU or GPU (fused kernels)", "brian2  the original text", "", "kernels/  Philox, emitters,", "    least squares, cache", "conformance/  are they the same?"]),
    "run": (8.2, 2.2, 3.3, 2.5, "core", "running/",
            ["run.py  one loop over trials", "    and chunks: asks", "drive.py  serves: alone, in", "    threads, as a batch", "recorder.py  what goes where"]),
    "simulate": (0.0, 2.9, 3.3, 1.8, "user", "simulate.py, cli.py", ["nd.simulate, @nd.simulation,", "neurodyn run, rerun, info, plot,", "conformance"]),
    "file": (4.1, 0.0, 3.3, 2.4, "file", "recording/", ["HDF5, whole or not at all", "segments, checkpoints, resume", "trees/  circuits, sessions", "    and runs as arrays"]),
    "training": (12.3, 0.0, 3.9, 2.5, "core", "training/", ["torch modules of models/, by gradient", "trainer.py  one loop: curricula,", "    checkpoints, the same file", "kernels/rnn_scan.py  the products", "net.circuit(): a circuit again"]),
    "results": (0.0, 0.0, 3.3, 2.1, "side", "analysis/, plots/", ["arrays in, numbers out,", "each with its null;", "results in, figures out"]),
}  # fmt: skip

# from, to, label, start and end as fractions of the boxes' widths and heights
ARROWS = [
    ("describe", "lower", "", (1, 0.75), (0, 0.5)),
    ("describe", "numbers", "", (1, 0.2), (0, 0.5)),
    ("lower", "program", "", (1, 0.5), (0, 0.78)),
    ("program", "runners", "", (1, 0.42), (0, 0.62)),
    ("numbers", "program", "", (1, 0.5), (0, 0.2)),
    ("simulate", "run", "", (1, 0.5), (0, 0.6)),
    ("run", "runners", "begin, advance, end", (1, 0.5), (0.5, 0)),
    ("run", "file", "chunks", (0.3, 0), (1, 0.6)),
    ("training", "file", "history, snapshots", (0, 0.4), (1, 0.25)),
    ("file", "results", "", (0, 0.45), (1, 0.5)),
    ("file", "describe", "nd.load(f).network()", (0.3, 1), (0.95, 0)),
]


def main() -> None:
    """Draw the picture."""
    figure, axes = plt.subplots(figsize=(15.5, 8))
    axes.set(xlim=(-0.2, 16.4), ylim=(-0.3, 9.5))
    axes.axis("off")
    axes.set_title("neurodyn: from a line of the user to the file and back", fontsize=15, loc="left")
    for x, y, width, height, colour, heading, lines in BOXES.values():
        axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.02,rounding_size=0.12", fc=COLOURS[colour], ec="#555555", lw=1))  # fmt: skip
        axes.text(x + 0.14, y + height - 0.2, heading, fontsize=11, weight="bold", va="top")
        axes.text(x + 0.14, y + height - 0.62, "\n".join(lines), fontsize=9, va="top", linespacing=1.4)
    for start, end, label, (fx, fy), (tx, ty) in ARROWS:
        a, b = BOXES[start], BOXES[end]
        tail = (a[0] + fx * a[2], a[1] + fy * a[3])
        head = (b[0] + tx * b[2], b[1] + ty * b[3])
        axes.annotate(
            "", head, tail, arrowprops={"arrowstyle": "-|>", "color": "#333333", "lw": 1.3, "shrinkA": 3, "shrinkB": 3}
        )
        if label:
            share = 0.1 if end == "describe" else 0.45
            at = [t + share * (h - t) for t, h in zip(tail, head, strict=True)]
            axes.text(at[0] + 0.15, at[1] + 0.12, label, fontsize=9, style="italic", backgroundcolor="white")
    target = Path(__file__).parent / "images" / "architecture.svg"
    figure.savefig(target, bbox_inches="tight", metadata={"Date": None})
    print(target)


if __name__ == "__main__":
    main()
