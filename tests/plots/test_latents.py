from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn import analysis, plots

STATES = np.tile([0, 1, 2], (3, 10))


def profile(posterior):
    rng = np.random.default_rng(0)
    sigma = torch.from_numpy(rng.uniform(0.1, 0.2, size=(3, 3, 30, 2)) * (STATES + 1)[None, :, :, None])
    other = sigma / 2 if posterior else torch.full_like(sigma, np.nan)
    given: Any = SimpleNamespace(prior_sigma=sigma, prior_mean=-sigma, posterior_sigma=other, posterior_mean=other)
    return analysis.latent_profile(given, STATES)


@pytest.mark.parametrize(("posterior", "panels"), [(True, 4), (False, 2)])
def test_profile(sound, texts, xy, posterior, panels):
    found = profile(posterior)
    figure = plots.latent_profile(found, ["w = 1", "w = 0.1", "w = 1"], names=["one", "two", "three"])
    sound(figure)
    assert len(figure.axes) == panels and {"w = 1", "w = 0.1", "one", "three"} <= set(texts(figure))
    sigma = found.mean("prior_sigma")
    np.testing.assert_allclose(xy(figure.axes[0].lines[2])[1], sigma[[0, 2]].mean(0))
    with pytest.raises(ValueError, match="conditions has 1 entries; give 3"):
        plots.latent_profile(found, ["w = 1"])
    with pytest.raises(ValueError, match="names has 2 entries; give 3"):
        plots.latent_profile(found, ["a", "b", "c"], names=["one", "two"])


def test_components(sound, texts):
    net = nd.PVRNN([nd.Layer(d=4, z=1, tau=2)], output=nd.SymbolCoding(symbols=2), seed=[1, 2])
    labels = STATES.copy()
    labels[:, -3:] = -1
    made = net.generate(30, sequences=3)
    found = analysis.layer_pca(net, made, labels, samples=5)
    figure = plots.layer_pca(found, ["first", "second"], names="ABC")
    sound(figure)
    shown = texts(figure)
    assert {"A", "B", "C"} <= set(shown) and any(text.startswith("second") for text in shown)
    with pytest.raises(ValueError, match="conditions has 1 entries and found 2 models"):
        plots.layer_pca(found, ["first"])
    with pytest.raises(ValueError, match="two components"):
        plots.layer_pca(analysis.layer_pca(net, made, labels, components=1, samples=5), ["first", "second"])
    with pytest.raises(ValueError, match="names has 2 entries"):
        plots.layer_pca(found, ["first", "second"], names="AB")
