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
    "describe": (0.0, 6.4, 3.6, 2.65, "user", "what a user writes",
                 ["circuit.py, parts.py, session.py:", "text with units, numbers, a seed", "models/: cells and networks", "plasticity/: rules, learners", "tasks/: sessions of trials"]),
    "lower": (4.8, 7.85, 3.5, 1.2, "core", "lowering/", ["text to statements, once", "(Brian2's integrators included)"]),
    "numbers": (4.8, 6.4, 3.5, 1.2, "core", "network.py", ["sizes, values, wiring", "drawn from the seed"]),
    "program": (9.5, 6.4, 3.5, 2.65, "core", "program.py",
                ["one step, for every runner:", "arrays with named axes,", "operations, blocks by phase", "its hash: keys caches, in files", "evaluate.py: what they mean"]),
    "simulate": (0.0, 3.7, 3.6, 1.5, "user", "simulate.py, cli.py", ["nd.simulate, @nd.simulation", "neurodyn run, rerun, info,", "plot, conformance, ..."]),
    "run": (4.8, 3.3, 3.5, 2.3, "core", "running/",
            ["run.py: one loop over trials", "and chunks, which asks", "drive.py: who answers (alone,", "in threads, as a batch)", "recorder.py: what goes where"]),
    "runners": (9.5, 2.8, 3.5, 2.8, "runner", "backends/",
                ["engine.py: the seam", "interpreter: the definition", "numba: compiled, in threads", "torch: a batch, CPU or GPU", "brian2: the original text", "kernels/: Philox, emitters", "conformance/: the same bits?"]),
    "results": (0.0, 0.0, 3.6, 1.7, "side", "analysis/, plots/", ["arrays in, numbers out,", "each with its null;", "results in, figures out"]),
    "file": (4.8, 0.0, 3.5, 1.9, "file", "recording/", ["HDF5, whole or not at all:", "segments, checkpoints;", "trees/: circuits, sessions", "and runs as arrays"]),
    "training": (9.5, 0.0, 3.5, 1.9, "core", "training/", ["torch modules of models/", "loop.py: curricula, checkpoints,", "in the same file", "net.circuit(): a circuit again"]),
}  # fmt: skip

# points of a line, the last at the arrow's head; label, and where it stands
ARROWS = [
    ([(3.6, 8.45), (4.8, 8.45)], "", (0, 0)),
    ([(3.6, 7.0), (4.8, 7.0)], "", (0, 0)),
    ([(8.3, 8.45), (9.5, 8.45)], "", (0, 0)),
    ([(8.3, 7.0), (9.5, 7.0)], "", (0, 0)),
    ([(11.25, 6.4), (11.25, 5.6)], "executed by", (11.4, 6.0)),
    ([(3.6, 4.45), (4.8, 4.45)], "", (0, 0)),
    ([(8.3, 4.45), (9.5, 4.45)], "begin,\nadvance,\nend", (8.42, 5.05)),
    ([(6.55, 3.3), (6.55, 1.9)], "chunks", (6.7, 2.6)),
    ([(9.5, 0.8), (8.3, 0.8)], "history,\nsnap-\nshots", (8.42, 1.35)),
    ([(4.8, 0.8), (3.6, 0.8)], "", (0, 0)),
    ([(5.2, 1.9), (5.2, 2.5), (4.2, 2.5), (4.2, 5.8), (3.0, 5.8), (3.0, 6.4)], "nd.load(f).network()", (1.95, 2.75)),
]


def main() -> None:
    """Draw the picture."""
    figure, axes = plt.subplots(figsize=(9.6, 6.9))
    axes.set(xlim=(-0.1, 13.1), ylim=(-0.1, 9.1))
    axes.axis("off")
    for x, y, width, height, colour, heading, lines in BOXES.values():
        axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.12", fc=COLOURS[colour], ec="#555555", lw=1))  # fmt: skip
        axes.text(x + 0.12, y + height - 0.14, heading, fontsize=10, weight="bold", va="top")
        axes.text(x + 0.12, y + height - 0.52, "\n".join(lines), fontsize=8.5, va="top", linespacing=1.35)
    for points, label, (x, y) in ARROWS:
        axes.plot(*zip(*points, strict=True), color="#333333", lw=1.3, solid_joinstyle="round")
        axes.annotate("", points[-1], points[-2], arrowprops={"arrowstyle": "-|>", "color": "#333333", "shrinkA": 0, "shrinkB": 0})  # fmt: skip
        axes.text(x, y, label, fontsize=8.5, style="italic", va="center")
    target = Path(__file__).parent / "images" / "architecture.svg"
    figure.savefig(target, bbox_inches="tight", metadata={"Date": None})
    print(target)


if __name__ == "__main__":
    main()
