"""The simulation of the case "scan_tiny": a loop of so many steps and one number."""

import neurodyn as nd


def work(gain: float, loops: int) -> float:
    """Where a leaky integrator is after so many steps."""
    x = gain
    for _ in range(loops):
        x = 0.999 * x + 0.1
    return x


@nd.simulation
def tiny(*, gain: float = 1.0, loops: int = 100_000, seed: int = 1):
    """A leaky integrator."""
    return {"end": work(gain, loops), "seed": seed}
