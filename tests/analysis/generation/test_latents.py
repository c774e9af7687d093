"""Latents and layers whose contents are known."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn import analysis

STATES = np.array([[0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, -1]])


def rollout(models=2) -> Any:
    """Sigma is 0.1 times the state plus one, times the model plus one; mu is minus that; 9 at the first step."""
    sigma = 0.1 * (np.abs(STATES) + 1)[None, :, :, None] * np.arange(1, models + 1)[:, None, None, None]
    sigma = np.repeat(sigma, 2, axis=3)
    sigma[:, :, 0] = 9
    values = torch.from_numpy(sigma)
    nothing = torch.full_like(values, np.nan)
    return SimpleNamespace(prior_sigma=values, prior_mean=-values, posterior_sigma=2 * values, posterior_mean=nothing)


def test_means_by_state():
    found = analysis.latent_profile(rollout(), STATES)
    assert found.prior_sigma.shape == (2, 2, 3, 2)
    np.testing.assert_allclose(found.mean("prior_sigma"), [[0.1, 0.2, 0.3], [0.2, 0.4, 0.6]])
    np.testing.assert_allclose(found.mean("prior_size"), found.mean("prior_sigma"))
    np.testing.assert_allclose(found.mean("posterior_sigma"), 2 * found.mean("prior_sigma"))
    assert np.isnan(found.posterior_size).all()
    np.testing.assert_array_equal(found.count, [[2, 4, 3]] * 2)
    np.testing.assert_array_equal(found.peak, [2, 2])
    np.testing.assert_allclose(found.contrast(2), 2)
    assert "0.6000" in str(found)
    lost = analysis.latent_profile(rollout(), np.stack([STATES, np.full_like(STATES, -1)]))
    np.testing.assert_array_equal(lost.peak, [2, -1])
    assert np.isnan(lost.contrast(2)[1])
    every = analysis.latent_profile(rollout(), np.stack([STATES] * 2), skip=0)
    assert every.mean("prior_sigma")[0, 0] > 4
    with pytest.raises(ValueError, match="state = 7: there are"):
        found.contrast(7)


def test_states_that_do_not_fit():
    with pytest.raises(ValueError, match="states has dtype int64, shape"):
        analysis.latent_profile(rollout(), STATES[:, :3])
    with pytest.raises(ValueError, match="states has dtype float64"):
        analysis.latent_profile(rollout(), STATES.astype(float))
    with pytest.raises(ValueError, match="all negative"):
        analysis.latent_profile(rollout(), np.full_like(STATES, -1))
    with pytest.raises(ValueError, match="skip = 6"):
        analysis.latent_profile(rollout(), STATES, skip=6)


def test_parts_of_primitives():
    sample = nd.tasks.Primitives().sample(3, 100, seed=1)
    phases = analysis.primitive_phases(sample, bins=3)
    for row, labels, onsets in zip(phases, sample.labels, sample.onsets, strict=True):
        assert (row[onsets[-1] :] == -1).all() and (row[: onsets[-1]] // 3 == labels[: onsets[-1]]).all()
        assert (row[onsets[:-1]] % 3 == 0).all() and (row[onsets[1:] - 1] % 3 == 2).all()
    whole = analysis.primitive_phases(sample, bins=1)
    assert (whole[whole >= 0] == sample.labels[whole >= 0]).all()


def network(**options):
    return nd.PVRNN(
        [nd.Layer(d=4, z=1, tau=2), nd.Layer(d=3, z=1, tau=4)], output=nd.SymbolCoding(symbols=2), **options
    )


def test_a_layer_that_holds_the_label():
    rng = np.random.default_rng(0)
    labels = np.repeat(rng.integers(0, 3, size=(4, 10)), 8, axis=1)
    d = 0.3 * rng.normal(size=(2, 4, 80, 7))
    centres = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    d[0, :, :, 4:] += centres[labels]  # the top layer of the first model alone
    given: Any = SimpleNamespace(d=torch.from_numpy(d))
    net = network(seed=[1, 2])
    top = analysis.layer_pca(net, given, labels)
    assert top.scores.shape == (2, 4, 80, 2) and top.explained_ratio.shape == (2, 2)
    assert top.separation.observed[0] > 0.6 and top.separation.p[0] < 0.01
    assert top.separation.observed[1] < 0.1 and top.separation.p[1] > 0.01
    below = analysis.layer_pca(net, given, labels, layer=0, components=3)
    assert below.scores.shape[-1] == 3 and (below.separation.observed < 0.1).all()
    hidden = np.where(np.arange(80) < 40, labels, -1)
    np.testing.assert_array_equal(analysis.layer_pca(net, given, hidden).labels[0], hidden)
    with pytest.raises(ValueError, match="layer = 2: the network has layers 0 to 1"):
        analysis.layer_pca(net, given, labels, layer=2)
    with pytest.raises(ValueError, match="fewer than two"):
        analysis.layer_pca(net, given, 0 * labels)


def test_with_a_network():
    net = network(meta_prior=[0.1, 0.2])
    made = net.generate(40, sequences=3)
    machine = nd.tasks.FiniteState.cycle()
    states = np.stack([machine.track(each, from_start=False) for each in made.values.numpy()])
    found = analysis.latent_profile(made, states)
    known = found.mean("prior_sigma")
    assert np.isfinite(known[found.count > 0]).all() and np.isnan(found.mean("posterior_sigma")).all()
    labels = np.arange(40) % 3 * np.ones((3, 1), dtype=int)
    assert np.isfinite(analysis.layer_pca(net, made, labels, samples=5).separation.observed).all()
