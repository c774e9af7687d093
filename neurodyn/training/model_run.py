"""One model of a training of many, read as if it had been trained alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurodyn.recording.layout import children, group_at
from neurodyn.recording.values import decode
from neurodyn.training.run import TrainingRun

if TYPE_CHECKING:
    import pandas

_OWN_AXES = {"tau": 1, "tau_initial": 1}  # of settings, before that of models


class ModelRun(TrainingRun):
    """See :meth:`TrainingRun.select`; ``recording`` is that of all models."""

    def __init__(self, whole: TrainingRun, model: int) -> None:
        super().__init__(whole.recording)
        models = len(whole.config["network"]["seed"])
        if isinstance(model, bool) or not isinstance(model, (int, np.integer)) or not -models <= model < models:
            raise ValueError(f"model = {model!r}; the training has models 0 to {models - 1}")
        self._model = int(model) % models
        self.net = None if whole.net is None else whole.net.select(self._model)  # type: ignore[operator]

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}; model {self._model}>"

    @property
    def config(self) -> dict[str, Any]:
        """Configuration of network, task and training, as for this model alone."""
        found = dict(super().config)
        for part in ("network", "training"):
            found[part] = {name: self._own(name, value) for name, value in found[part].items()}
        return found

    def _own(self, name: str, value: Any) -> Any:
        several = name in ("seed", "gain", "noise", "learning_rate", "meta_prior", *_OWN_AXES)
        return value[self._model] if several and np.ndim(value) > _OWN_AXES.get(name, 0) else value

    @property
    def history(self) -> pandas.DataFrame:
        """One row for each epoch of this model; see :attr:`TrainingRun.history`."""
        found: Any = super().history
        own: list[str] = []
        with self.recording.open() as file:
            rows: dict[str, Any] = dict(children(group_at(file, "training")))
            for name in found:
                if f"{name}_of_model" in rows:
                    found[name] = rows[f"{name}_of_model"][:, self._model]
                    own.append(name)
        found = found[~found[own].isna().all(axis=1)]
        return found.astype({name: int for name in ("smallest_N", "N") if name in own})

    @property
    def accuracy_of_heads(self) -> np.ndarray:
        """Accuracy of each head after each epoch of this model, (epoch, head); NaN for heads that had no task."""
        with self.recording.open() as file:
            rows: dict[str, Any] = dict(children(group_at(file, "training")))
            return rows["accuracy_of_head"][: len(self.history), self._model]

    def _kept(self) -> dict[str, int]:
        found = super()._kept()
        with self.recording.open() as file:
            path = f"models/{self._model}"
            own = children(group_at(file, path)) if path in file else ()
            return found | {label: int(decode(group.attrs["epoch"])) for label, group in own}

    def snapshot(self, at: int | str = "last") -> dict[str, Any]:
        """Return what was kept of this model; see :meth:`TrainingRun.snapshot`."""
        label = self._numbered().get(at, str(at)) if isinstance(at, int) else str(at)
        with self.recording.open() as file:
            own = f"models/{self._model}/{label}" in file
        if own:
            return self.recording.tree(f"models/{self._model}/{label}")
        found = super().snapshot(at)
        found["arrays"] = {name: value[self._model] for name, value in found["arrays"].items()}
        if "stages" in found:
            found["stage"] = found.pop("stages")[str(self._model)]
            found["epoch"] = int(found.pop("epochs")[self._model])
        return found
