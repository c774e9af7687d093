from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from neurodyn import plots
from neurodyn.plots.base import caption
from neurodyn.plots.styles import CYCLE, PRINT, SLIDE

# Machado, Oliveira & Fernandes 2009, table 1, severity 1: linear RGB as others see it.
SEEN = {
    "trichromat": np.eye(3),
    "protanope": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranope": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanope": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def cielab(colour: str, seen: np.ndarray) -> np.ndarray:
    """L*, a*, b* under D65 of a colour as somebody sees it."""
    srgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    x = XYZ @ np.clip(seen @ linear, 0, 1) / [0.95047, 1.0, 1.08883]
    f = np.where(x > (6 / 29) ** 3, np.cbrt(x), x / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("reader", SEEN)
def test_colours_of_the_cycle_stay_apart_for_all_readers(reader):
    seen = [cielab(colour, np.asarray(SEEN[reader])) for colour in CYCLE]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 16


def lines() -> Figure:
    return plots.line_with_band(
        np.arange(3.0),
        {"a": np.arange(6.0).reshape(2, 3)},
        xlabel="time (s)",
        ylabel="v (mV)",
        title="V",
        reference={"limit": 1.0},
    )


def test_a_slide_has_larger_type_and_thicker_lines_on_the_same_figure(sound):
    small = lines()
    with plots.style("slide"):
        large = lines()
    sound(large)
    assert tuple(large.get_size_inches()) == tuple(small.get_size_inches())
    a, b = small.axes[0], large.axes[0]
    for one, other in zip(a.lines, b.lines, strict=True):
        assert other.get_linewidth() == pytest.approx(1.6 * one.get_linewidth())
    assert b.xaxis.label.get_fontsize() == 1.125 * 9
    assert b.get_xticklabels()[0].get_fontsize() == 1.125 * 8
    thin, thick = (legend.get_lines()[0].get_linewidth() for ax in (a, b) if (legend := ax.get_legend()) is not None)
    assert thick == pytest.approx(1.6 * thin)


def test_a_caption_on_a_slide_stays_on_its_page(sound):
    @plots.style("slide")
    def captioned() -> Figure:
        figure = lines()
        caption(figure, "grey lines join the same seed; diamonds: mean with its interval; " * 5)
        return figure

    figure = captioned()
    assert figure.texts[0].get_fontsize() == 1.125 * 7.5
    sound(figure)


def test_nothing_is_enlarged_twice():
    with plots.style("slide"):
        figure = plots.traces(np.arange(5.0), np.arange(5.0), ["v"], "mV")
        width = figure.axes[0].lines[0].get_linewidth()
        plots.traces(np.arange(5.0), np.arange(5.0), ["w"], "mV", ax=figure.axes[0])
    assert [line.get_linewidth() for line in figure.axes[0].lines] == [width, width]


def test_lines_of_ones_own_are_thick_on_a_slide_too():
    with plots.style("slide"):
        assert mpl.rcParams["lines.linewidth"] == pytest.approx(1.6 * 1.3)
        assert mpl.rcParams["figure.figsize"] == pytest.approx([20 / 3, 3.75])


def test_the_inner_kind_counts_and_the_outer_one_comes_back():
    with plots.style("slide"):
        with plots.style("print"):
            assert mpl.rcParams["font.size"] == 9
        with plots.style():
            assert mpl.rcParams["font.size"] == 9 * 1.125
    with plots.style():
        assert mpl.rcParams["font.size"] == 9
    assert set(SLIDE) - set(PRINT) == {"figure.figsize"}


def test_a_figure_is_saved_in_the_style_it_was_made_in(tmp_path, monkeypatch):
    with plots.style("slide"):
        figure = lines()
    sizes = []
    monkeypatch.setattr(Figure, "savefig", lambda *arguments, **options: sizes.append(mpl.rcParams["font.size"]))
    figure.savefig(tmp_path / "a.svg")
    assert sizes == [9 * 1.125]


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="kind = 'poster'; there are 'print', 'slide'"):
        plots.style("poster")  # type: ignore[arg-type]
