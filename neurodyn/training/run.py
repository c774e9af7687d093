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

ADAPTIVE = "adaptive."  # begins the names of what is learnt for each sequence

if TYPE_CHECKING:
    import pandas

    from neurodyn.models.seeded import SeededModule


class TrainingRun:
    """What :func:`neurodyn.train`, :func:`neurodyn.emulate` and :func:`neurodyn.fit` return and :func:`neurodyn.load_training` reads.

    Attributes
    ----------
    recording : Recording
        The file, or what was kept in memory: ``/training`` by epoch, ``/model`` with all snapshots.
    net : network or None
        The network that was trained, as it was at the end.

    Raises
    ------
    ValueError
        The recording is no training.
    """

    def __init__(self, recording: Recording, net: SeededModule | None = None) -> None:
        self.recording = recording
        if "network" not in recording.config:
            raise ValueError(
                f"{recording!r} is no training; nd.train(..., out=...) writes one, and nd.load reads all other recordings"
            )
        self.net = net

    def __repr__(self) -> str:
        name, task = self.config["network"]["network"], self.config["task"]["task"]
        kept = ", ".join(self._kept()) or "nothing"
        return f"<training of {name} on {task}; kept: {kept}>"

    @property
    def config(self) -> dict[str, Any]:
        """Configuration of network, task and training."""
        return self.recording.config

    @property
    def history(self) -> pandas.DataFrame:
        """One row for each epoch: loss, gradient_norm, seconds and what the objective notes.

        That is N, accuracy (mean over heads) and, where it is learnt, tau; or see :func:`neurodyn.emulate`,
        :func:`neurodyn.fit`.
        """
        import pandas

        with self.recording.open() as file:
            found = children(group_at(file, "training")) if "training" in file else ()
            vectors = {k: v for k, v in found if isinstance(v, h5py.Dataset) and v.ndim == 1}
            columns = {k: v[()] for k, v in vectors.items() if k == "epoch" or not v.is_scale}  # not heads or symbols
        epochs = columns.pop("epoch", np.zeros(0)).astype(int)
        columns = {name: values for name, values in columns.items() if values.shape == epochs.shape}
        return pandas.DataFrame(columns, index=pandas.Index(epochs, name="epoch"))

    @property
    def accuracy_of_heads(self) -> np.ndarray:
        """Accuracy of each head after each epoch, (epoch, head); NaN for heads that had no task."""
        return self.recording["training/accuracy_of_head"].values

    @property
    def snapshots(self) -> list[int]:
        """The N, or the updates, at which the network was kept, increasing: a stage was solved, or it was asked for."""
        return sorted(self._numbered())

    @property
    def epochs_to_solve(self) -> dict[int, int]:
        """Epochs from the beginning until each of :attr:`snapshots`."""
        kept = self._kept()
        return {number: kept[label] for number, label in sorted(self._numbered().items())}

    def _numbered(self) -> dict[int, str]:
        """Numbers of snapshots and their labels, such as "N=3" or "update=50"."""
        return {int(label.partition("=")[2]): label for label in self._kept() if "=" in label}

    def _kept(self) -> dict[str, int]:
        """Labels of all snapshots and their epochs, without reading any array."""
        with self.recording.open() as file:
            return {label: int(decode(group.attrs["epoch"])) for label, group in children(group_at(file, "model"))}

    def snapshot(self, at: int | str = "last") -> dict[str, Any]:
        """Return what was kept at a number of :attr:`snapshots`, or as "initial", "last" or "best".

        That is epoch, arrays by name and, under a curriculum, stage (all N trained then). Raises KeyError if nothing was
        kept there.
        """
        label = self._numbered().get(at, str(at)) if isinstance(at, int) else at
        try:
            return self.recording.tree(f"model/{label}")
        except KeyError:
            others = [repr(k) for k in self._kept() if "=" not in k]
            kept = ", ".join([*map(str, self.snapshots), *sorted(others)])
            raise KeyError(f"no snapshot {at!r} in {self.recording!r}; there are {kept}") from None

    def network(self, at: int | str = "last", *, device: Any = "cpu") -> Any:
        """Return a network of its own (LeakyRNN, GRU, LSTM, HMMRNN, PVRNN, VRNN) as it was kept; see :meth:`snapshot`."""
        from neurodyn.models.gated import GRU, LSTM
        from neurodyn.models.hmm_rnn import HMMRNN
        from neurodyn.models.leaky import LeakyRNN
        from neurodyn.models.pvrnn import PVRNN
        from neurodyn.models.vrnn import VRNN

        config = dict(self.config["network"])
        known = {kind.__name__: kind for kind in (LeakyRNN, GRU, LSTM, HMMRNN, PVRNN, VRNN)}
        made = self._known(config.pop("network"), known)(**config, dtype=self._dtype(), device=device)
        self.restore(made, at)
        return made

    def select(self, model: int) -> TrainingRun:
        """Return the training of one of many models, which tells what that of the model alone does.

        Raises ValueError if it was of one network, and for a model that it lacks.
        """
        from neurodyn.training.model_run import ModelRun

        if not isinstance(self.config["network"]["seed"], list):
            raise ValueError(f"{self.recording!r} is the training of one network; use it as it is")
        return ModelRun(self, model)

    def restore(self, net: SeededModule, at: int | str = "last") -> None:
        """Give a network the parameters that were kept; see :meth:`snapshot`.

        Raises ValueError if they are those of another network.
        """
        import torch

        arrays = {k: v for k, v in self.snapshot(at)["arrays"].items() if not k.startswith(ADAPTIVE)}
        wanted = {name: tuple(value.shape) for name, value in net.state_dict().items()}
        found = {name: np.shape(value) for name, value in arrays.items()}
        if wanted != found:
            other = sorted(k for k in {*wanted, *found} if wanted.get(k) != found.get(k))
            raise ValueError(
                f"{self.recording!r} holds another network than this {type(net).__name__} of {net.units} units: "
                + "; ".join(f"{k} is {found.get(k, 'absent')}, not {wanted.get(k, 'absent')}" for k in other[:3])
            )
        net.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})

    def adaptive(self, at: int | str = "last") -> dict[str, Any]:
        """Return what was learnt for each sequence by :func:`neurodyn.fit`, tensors (model, sequence, time, latent) by name.

        See :meth:`snapshot`. Raises ValueError if nothing was.
        """
        import torch

        arrays = self.snapshot(at)["arrays"]
        found = {k.removeprefix(ADAPTIVE): torch.from_numpy(np.array(v)) for k, v in arrays.items() if ADAPTIVE in k}
        if not found:
            raise ValueError(f"{self.recording!r} has no adaptive vectors; nd.fit of a PVRNN learns them")
        return found

    def task(self) -> Any:
        """Return the task as it was trained: Parity, DelayedMatch or HiddenMarkov."""
        from neurodyn.tasks.digits import DelayedMatch, Parity
        from neurodyn.tasks.hidden_markov import HiddenMarkov

        config = dict(self.config["task"])
        known = {"Parity": Parity, "DelayedMatch": DelayedMatch, "HiddenMarkov": HiddenMarkov}
        return self._known(config.pop("task"), known)(**config)

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

    Parameters
    ----------
    path : path
        A file that :func:`neurodyn.train`, :func:`neurodyn.emulate` or :func:`neurodyn.fit` wrote.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is no training.
    """
    return TrainingRun(load(path))
