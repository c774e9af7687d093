from typing import Any

import numpy as np
import pandas as pd
import pytest

from neurodyn import plots

W = (1.0, 0.1, 0.01, 1e-3)


def table(**columns):
    rng = np.random.default_rng(0)
    rows = [{"meta_prior": w, "seed": seed} for w in W for seed in range(3)]
    made = pd.DataFrame(rows)
    for name, values in columns.items():
        made[name] = np.repeat(values, 3) * np.exp(0.1 * rng.normal(size=12))
    return made


def everything():
    return table(
        reconstruction=[0.1, 1e-3, 1e-4, 1e-5],
        divergence=[1e-3, 0.1, 0.3, 0.5],
        first_divergence=[6, 5, 3, 2],
        sigma=[0.01, 0.1, 0.2, 0.3],
        divergence_step=[20, 15, 10, 6],
        word_divergence=[3, 0.1, 0.2, 0.3],
        negative_log_likelihood=[0.4, 0.25, 0.24, 0.3],
        illegal=[0.2, 0, 0, 0.01],
        p_branch=[0.9, 0.7, 0.8, 0.8],
        lyapunov_noise_free=[-0.1, 0.05, -0.1, -0.3],
        lyapunov_noisy=[-0.1, 0.03, -0.2, -0.3],
        other=[1, 2, 3, 4],
    )


def test_each_measure_has_a_panel(xy):
    given = everything()
    figure = plots.meta_prior(given, length=24, references={"divergence": 0.2})
    panels = figure.axes
    assert len(panels) == 10 and all(ax.get_xscale() == "log" for ax in panels)
    assert panels[0].get_yscale() == "log" and panels[3].get_yscale() == "linear"
    points, line = (xy(drawn) for drawn in panels[0].lines)
    assert sorted(points[1]) == sorted(given["reconstruction"])
    np.testing.assert_allclose(line[1], given.groupby("meta_prior")["reconstruction"].median())
    levels = [xy(drawn)[1][0] for drawn in (panels[1].lines[-1], panels[4].lines[-1])]
    assert levels == [0.2, 24]


@pytest.mark.slow
def test_all_panels_fit(sound):
    sound(plots.meta_prior(everything(), length=24, references={"divergence": 0.2}))


def test_a_figure_says_what_it_shows(sound, texts):
    given: Any = everything()[["meta_prior", "seed", "divergence_step", "lyapunov_noise_free", "lyapunov_noisy"]]
    figure = plots.meta_prior(given, length=24)
    sound(figure)
    assert {"free-running without noise", "free-running under noise", "reference"} <= set(texts(figure))
    assert any("3 seeds" in text for text in texts(figure))


def test_what_is_missing_is_left_out(sound):
    given: Any = table(word_divergence=[3, 0.1, 0.2, 0.3], p_branch=[0.9, 0.7, 0.8, 0.8])
    given.loc[given["meta_prior"] == 1.0, "p_branch"] = np.nan
    given.loc[0, "word_divergence"] = -1e-4  # below 0 by the floor: no logarithm
    figure = plots.meta_prior(given)
    sound(figure)
    axes: Any = figure.axes
    words, branch = axes
    assert words.get_yscale() == "linear" and len(branch.lines[1].get_xdata()) == 3
    given["p_branch"] = np.nan
    alone: Any = plots.meta_prior(given).axes
    assert [ax.get_title(loc="left") for ax in alone] == ["Words beside the source"]
    sound(plots.meta_prior(given[["meta_prior", "seed", "p_branch"]]))


def test_a_table_that_does_not_fit():
    given = table(sigma=[1, 2, 3, 4])
    with pytest.raises(ValueError, match="needed are meta_prior, seed and measures"):
        plots.meta_prior(given.drop(columns="seed"))
    with pytest.raises(ValueError, match="table has 0 rows"):
        plots.meta_prior(given.iloc[:0])
    with pytest.raises(ValueError, match="give one of reconstruction, divergence"):
        plots.meta_prior(given.drop(columns="sigma"))
    with pytest.raises(ValueError, match="references holds 'divergence', which isn't drawn; there are sigma"):
        plots.meta_prior(given, references={"divergence": 1.0})
    given.loc[0, "meta_prior"] = 0
    with pytest.raises(ValueError, match="above 0"):
        plots.meta_prior(given)
