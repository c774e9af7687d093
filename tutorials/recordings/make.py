"""Make the recordings that tutorials load because they take longer than a tutorial may.

``python tutorials/recordings/make.py NAME ...`` makes those again, without a name all of them; each lies beside this file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import neurodyn as nd

HERE = Path(__file__).parent


def hidden_markov(out: Path) -> None:
    """Train a noise-driven network on the chain of two hidden states for 900 updates (1 minute on one core)."""
    net = nd.HMMRNN(50, noise_inputs=10, seed=12)
    target = nd.tasks.HiddenMarkov.chain(2)
    nd.emulate(net, target, batch=512, updates=900, test_every=25, keep_every=75, seed=12, out=out, overwrite=True)


def pvrnn(out: Path) -> None:
    """Train PV-RNNs at four meta-priors, three seeds each, for 40 000 updates (two minutes on one core)."""
    machine = nd.tasks.FiniteState.cycle(p=0.7)
    symbols = machine.sample(20, 48, seed=11)[1]
    meta_priors, seeds = [0.3, 0.1, 0.01, 1e-4], [11, 12, 13]
    net = nd.PVRNN(
        [nd.Layer(d=10, z=1, tau=2)],
        output=nd.SymbolCoding(symbols=2),
        meta_prior=[w for w in meta_priors for _ in seeds],
        seed=seeds * len(meta_priors),
    )
    nd.fit(net, symbols, updates=40_000, test_every=1000, out=out, overwrite=True, config={"machine": machine.config})


RECORDINGS: dict[str, Callable[[Path], None]] = {
    "05_hidden_markov": hidden_markov,
    "06_pvrnn": pvrnn,
}


def main(names: list[str]) -> None:
    """Make the recordings of these names."""
    unknown = sorted({*names} - {*RECORDINGS})
    if unknown:
        sys.exit(f"no recording is called {', '.join(unknown)}; there are {', '.join(RECORDINGS)}")
    for name in names or RECORDINGS:
        RECORDINGS[name](HERE / f"{name}.h5")
        print(f"{name}.h5: {(HERE / f'{name}.h5').stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
