"""A training that was recorded: its history, and the networks it kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from neurodyn.models.naming import nearest
from neurodyn.recording import Recording, load
from neurodyn.recording.layout import children, group_at
from neurodyn.recording.values import decode

if TYPE_CHECKING:
    import pandas

    from neurodyn.models.recurrent import RecurrentNetwork
    from neurodyn.tasks.digits import DigitTask


class TrainingRun:
    """What :func:`neurodyn.train` returns and :func:`neurodyn.load_training` reads.

    Attributes
    ----------
    recording : Recording
        The file, or what was kept in memory: ``/training`` by epoch, ``/model`` with all snapshots.
    net : network or None
        The network that was trained, as it was at the end.
    """

    def __init__(self, recording: Recording, net: RecurrentNetwork | None = None) -> None:
        self.recording = recording
        if "network" not in recording.config:
            raise ValueError(
                f"{recording!r} is no training; nd.train(..., out=...) writes one, and nd.load reads all other recordings"
            )
        self.net = net

    def __repr__(self) -> str:
        config = self.config
        name, task = config["network"]["network"], config["task"]["task"]
        stages = ", ".join(map(str, self.snapshots)) or "none"
        return f"<training of {name} on {task}, {config['training']['curriculum']['curriculum']}; N solved: {stages}>"

    @property
    def config(self) -> dict[str, Any]:
        """Configuration of network, task and training."""
        return self.recording.config

    @property
    def history(self) -> pandas.DataFrame:
        """One row for each epoch: N, loss, accuracy (mean over heads), gradient_norm, seconds and, where it is learnt, tau."""
        import pandas

        with self.recording.open() as file:
            found = children(group_at(file, "training")) if "training" in file else ()
            columns = {k: v[()] for k, v in found if isinstance(v, h5py.Dataset) and v.ndim == 1}
        epochs = columns.pop("epoch", np.zeros(0)).astype(int)
        columns = {name: values for name, values in columns.items() if values.shape == epochs.shape and name != "head"}
        return pandas.DataFrame(columns, index=pandas.Index(epochs, name="epoch"))

    @property
    def accuracy_of_heads(self) -> np.ndarray:
        """Accuracy of each head after each epoch, (epoch, head); NaN for heads that had no task."""
        return self.recording["training/accuracy_of_head"].values

    @property
    def snapshots(self) -> list[int]:
        """The N at which the network was kept: the largest of each stage that was solved, increasing."""
        return sorted(self.epochs_to_solve)

    @property
    def epochs_to_solve(self) -> dict[int, int]:
        """Epochs until each of :attr:`snapshots` was solved, from the beginning."""
        epochs = {k: epoch for k, epoch in self._kept().items() if k.startswith("N=")}
        return dict(sorted((int(k.removeprefix("N=")), epoch) for k, epoch in epochs.items()))

    def _kept(self) -> dict[str, int]:
        """Labels of all snapshots and their epochs, without reading any array."""
        with self.recording.open() as file:
            return {label: int(decode(group.attrs["epoch"])) for label, group in children(group_at(file, "model"))}

    def snapshot(self, at: int | str = "last") -> dict[str, Any]:
        """Return what was kept at N, "initial" or "last": stage (all N trained then), epoch, and arrays by name.

        Raises KeyError for an N at which nothing was kept.
        """
        label = f"N={at}" if isinstance(at, int) else at
        try:
            return self.recording.tree(f"model/{label}")
        except KeyError:
            others = [repr(k) for k in self._kept() if not k.startswith("N=")]
            kept = ", ".join([*map(str, self.snapshots), *sorted(others)])
            raise KeyError(f"no snapshot {at!r} in {self.recording!r}; there are {kept}") from None

    def network(self, at: int | str = "last", *, device: Any = "cpu") -> Any:
        """Return a network of its own (LeakyRNN, GRU, LSTM) as it was kept at N, "initial" or "last"."""
        from neurodyn.models.gated import GRU, LSTM
        from neurodyn.models.leaky import LeakyRNN

        config = dict(self.config["network"])
        known = {"LeakyRNN": LeakyRNN, "GRU": GRU, "LSTM": LSTM}
        made = self._known(config.pop("network"), known)(**config, dtype=self._dtype(), device=device)
        self.restore(made, at)
        return made

    def restore(self, net: RecurrentNetwork, at: int | str = "last") -> None:
        """Give a network the parameters kept at N, "initial" or "last".

        Raises ValueError if they are those of another network.
        """
        import torch

        arrays = self.snapshot(at)["arrays"]
        wanted = {name: tuple(value.shape) for name, value in net.state_dict().items()}
        found = {name: np.shape(value) for name, value in arrays.items()}
        if wanted != found:
            other = sorted(k for k in {*wanted, *found} if wanted.get(k) != found.get(k))
            raise ValueError(
                f"{self.recording!r} holds another network than this {type(net).__name__} of {net.units} units: "
                + "; ".join(f"{k} is {found.get(k, 'absent')}, not {wanted.get(k, 'absent')}" for k in other[:3])
            )
        net.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})

    def task(self) -> DigitTask:
        """Return the task as it was trained."""
        from neurodyn.tasks.digits import DelayedMatch, Parity

        config = dict(self.config["task"])
        return self._known(config.pop("task"), {"Parity": Parity, "DelayedMatch": DelayedMatch})(**config)

    def _dtype(self) -> Any:
        import torch

        return self._known(self.recording.attrs["dtype"], {"float32": torch.float32, "float64": torch.float64})

    def _known(self, name: str, known: Mapping[str, Any]) -> Any:
        """Look up what a file names: it may be anybody's, so that only what stands here can be meant."""
        if name not in known:
            raise ValueError(
                f"{self.recording!r} names {name!r}{nearest(name, known)}; this version knows {list(known)}"
            )
        return known[name]


def load_training(path: str | Path) -> TrainingRun:
    """Open a training for reading.

    Raises FileNotFoundError, or ValueError if the file is no training.
    """
    return TrainingRun(load(path))
