import numpy as np

from neurodyn import plots
from neurodyn.recording import Writer


def training(values, models=0, config=None):
    writer = Writer(None, header={"config": config or {}, "seed": 1})
    for name, row in values.items():
        writer.samples(f"training/{name}", np.asarray(row, dtype=float), [1.0, 2.0, 3.0], dims=("epoch",))
    if models:
        rows = np.arange(3.0)[:, None] + np.arange(1.0, models + 1)
        writer.samples("training/loss_of_model", rows, [1.0, 2.0, 3.0], dims=("epoch", "model"))
    return writer.finish()


def test_losses_stand_beside_each_other_and_before_all_else(sound, texts):
    config = {"network": {"network": "HMMRNN"}, "task": {"task": "HiddenMarkov"}, "training": {}}
    values = {
        "gradient_norm": [1, 2, 3],
        "symbol_change": [3, 2, 1],
        "loss": [9, 5, 4],
        "validation_loss": [9, 6, 5],
        "floor": [1, 1, 1],
        "seconds": [1, 1, 1],
        "update": [10, 20, 30],
    }
    figure = plots.overview(training(values, config=config))
    sound(figure)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["training/loss, validation_loss, floor", "training/symbol_change"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["update", "update"]
    assert [line.get_label() for line in figure.axes[0].lines] == ["loss", "validation_loss", "floor"]
    heading = "HMMRNN on HiddenMarkov, seed 1. Not drawn: training/gradient_norm; training/seconds"
    assert heading in [text.replace("\n", " ") for text in texts(figure)]


def test_models_that_learn_apart_are_lines(sound, xy):
    figure = plots.overview(training({"loss": [1, 2, 3], "accuracy": [0.5, 0.6, 0.7]}, models=3))
    sound(figure)
    top, bottom = figure.axes
    assert [line.get_label() for line in top.lines] == ["model 0", "model 1", "model 2"]
    assert xy(top.lines[2])[1].tolist() == [3, 4, 5]
    assert bottom.get_ylabel() == "accuracy" and top.get_xlabel() == "epoch"


def test_losses_over_decades_have_a_logarithmic_axis():
    figure = plots.overview(training({"loss": [100, 10, 1], "accuracy": [0.5, 0.6, 0.7], "tau_mean": [0, 1, 100]}))
    assert [ax.get_yscale() for ax in figure.axes] == ["log", "linear", "linear"]
