import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from neurodyn import plots
from neurodyn.plots.base import CYCLE, caption, figure_of, label, legend_below, new_figure, panel_letters, style


def test_style_is_in_force_inside_and_gone_outside():
    before = mpl.rcParams["font.size"], mpl.rcParams["axes.spines.top"]
    with style():
        assert not mpl.rcParams["axes.grid"]
        assert not mpl.rcParams["axes.spines.top"]
        assert mpl.rcParams["font.size"] == 9
    assert (mpl.rcParams["font.size"], mpl.rcParams["axes.spines.top"]) == before


def test_type_is_eight_to_ten_points_even_when_ticks_are_made_after_the_style(texts):
    figure = plots.traces(np.arange(5.0), np.arange(5.0), ["v"], "mV")
    with mpl.rc_context({"xtick.labelsize": 30, "ytick.labelsize": 30, "font.size": 30}):
        texts(figure)
        ax = figure.axes[0]
        sizes = [t.get_fontsize() for t in (*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label)]
    assert sizes
    assert {float(size) for size in sizes} <= {8.0, 9.0, 10.0}


def test_saves_at_300_dpi_with_text_as_text(tmp_path):
    figure = plots.traces(np.arange(5.0), np.arange(5.0), ["v"], "mV", title="A title")
    with mpl.rc_context({"savefig.dpi": 50, "svg.fonttype": "path"}):
        figure.savefig(tmp_path / "a.png")
        figure.savefig(tmp_path / "a.svg")
        figure.savefig(tmp_path / "a.pdf")
    from matplotlib.image import imread

    width, height = figure.get_size_inches()
    assert imread(tmp_path / "a.png").shape[:2] == (round(height * 300), round(width * 300))
    assert ">A title</text>" in (tmp_path / "a.svg").read_text()
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_a_notebook_gets_a_picture():
    figure = plots.traces(np.arange(5.0), np.arange(5.0), ["v"], "mV")
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


def test_draws_in_given_axes_and_returns_their_figure():
    figure = Figure()
    ax = figure.add_subplot()
    assert plots.traces(np.arange(5.0), np.arange(5.0), ["v"], "mV", ax=ax) is figure
    assert len(ax.lines) == 1
    assert not ax.spines["top"].get_visible()


def test_axes_without_a_figure_are_refused():
    figure = Figure()
    ax = figure.add_subplot()
    ax.remove()
    ax.figure = None  # type: ignore[assignment]
    with pytest.raises(ValueError, match="ax belongs to no figure"):
        figure_of(ax, width=3, height=2)


def test_panel_letters_in_order(texts):
    figure = new_figure(4, 3)
    panel_letters(figure.subplots(1, 3))
    assert [t for t in texts(figure) if t in "abc"] == ["a", "b", "c"]


def test_caption_stands_below_the_legend_and_both_below_the_axes():
    figure = new_figure(5, 3)
    ax = figure.add_subplot()
    ax.set_xlabel("time (ms)")
    legend_below(figure, ax.plot([0, 1], label="one"))
    caption(figure, "words " * 60)
    figure.canvas.draw()
    low, high = figure.texts[0].get_window_extent(), figure.legends[0].get_window_extent()
    assert low.y0 >= 0
    assert low.y1 <= high.y0
    assert high.y1 <= ax.xaxis.label.get_window_extent().y0
    assert figure.texts[0].get_text().count("\n") >= 1
    assert low.x1 <= figure.bbox.x1


def test_colours_differ_and_are_okabe_and_ito():
    assert len(set(CYCLE)) == len(CYCLE) == 7
    assert plots.OKABE_ITO["vermillion"] == "#D55E00"


def test_every_public_name_is_there_and_a_wrong_one_is_explained():
    for name in plots.__all__:
        assert getattr(plots, name) is not None
    assert set(plots.__all__) <= set(dir(plots))
    with pytest.raises(AttributeError, match="did you mean 'raster'"):
        plots.rastr  # noqa: B018


def test_importing_the_package_loads_no_matplotlib_and_drawing_no_pyplot():
    code = (
        "import sys, neurodyn.plots as p; assert 'matplotlib' not in sys.modules;"
        "p.raster([1.0], [0], 2).canvas.draw(); assert 'matplotlib.pyplot' not in sys.modules"
    )
    env = {"PYTHONPATH": ":".join(sys.path), "MPLBACKEND": "TkAgg", "HOME": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("units", "text"), [("mV", "v (mV)"), ("1", "v"), ("", "v"), (None, "v"), ("mV (2003 form)", "v, mV (2003 form)")]
)
def test_labels_bear_units(units, text):
    assert label("v", units) == text
