import csv
import re

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from neurodyn import plots


def table(path):
    text = path.read_text()
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    return [line for line in text.splitlines() if line.startswith("#")], rows


def numbers(rows, column, element="line 1"):
    return [float(row[column]) for row in rows if row["element"] == element]


def box(pdf):
    (found,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf.read_bytes())
    return [float(points) / 72 * 25.4 for points in found]


def test_the_page_has_the_size_that_was_asked_for(tmp_path):
    figure, ax = plots.panel(width_mm=85, height_mm=61.5)
    plots.traces(np.arange(5.0), np.arange(5.0), ["v"], "mV", ax=ax)
    with mpl.rc_context({"savefig.bbox": "tight", "pdf.fonttype": 3, "svg.fonttype": "path"}):
        plots.save_panels(figure, tmp_path / "a.pdf")
        plots.save_panels(figure, tmp_path / "a.svg", data=False)
    assert np.allclose(box(tmp_path / "a.pdf"), [85, 61.5], atol=1e-6)
    text = (tmp_path / "a.svg").read_text()
    width = re.search(r'width="([\d.]+)pt"', text)
    assert width is not None and abs(float(width[1]) / 72 * 25.4 - 85) < 1e-4
    assert ">Traces</text>" in text


def test_type_is_embedded_truetype_and_stays_text(tmp_path):
    figure, ax = plots.panel()
    plots.traces(np.arange(5.0), np.arange(5.0), ["v"], "mV", ax=ax)
    plots.save_panels(figure, tmp_path / "a.pdf")
    pdf = (tmp_path / "a.pdf").read_bytes()
    assert b"/Subtype /CIDFontType2" in pdf and b"/FontFile2" in pdf
    assert b"/Subtype /Type3" not in pdf


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for name in ("a.pdf", "b.pdf", "a.svg", "b.svg"):
        figure = plots.traces(np.arange(5.0), np.arange(5.0), ["v"], "mV")
        plots.save_panels(figure, tmp_path / name, data=False)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_tables_hold_what_was_drawn_to_the_last_bit(tmp_path):
    random = np.random.default_rng(1)
    x, rows = np.sort(random.random(7)), random.normal(size=(3, 7))
    figure = plots.line_with_band(
        x, {"rule": rows}, xlabel="time (s)", ylabel="error", title="Errors", reference={"chance": 0.1}
    )
    written = plots.save_panels(figure, tmp_path / "fig1.pdf")
    assert written == [tmp_path / "fig1.pdf", tmp_path / "fig1.a.csv"]
    head, found = table(written[1])
    assert head[1:] == ["# title: Errors", "# x: time (s)", "# y: error"]
    assert numbers(found, "x") == x.tolist()
    assert numbers(found, "y") == rows.mean(axis=0).tolist()
    assert {row["label"] for row in found} == {"rule", "", "chance"}
    spread = rows.std(axis=0, ddof=1)
    assert np.allclose(numbers(found, "y_low", "band 1"), rows.mean(axis=0) - spread)
    assert np.allclose(numbers(found, "y_high", "band 1"), rows.mean(axis=0) + spread)
    assert numbers(found, "x", "band 1") == x.tolist()
    assert numbers(found, "y", "horizontal line 1") == [0.1]


def test_every_panel_has_its_letter(tmp_path, texts):
    figure, axes = plots.panels(2, 2, width_mm=180)
    assert figure.get_size_inches() == pytest.approx([180 / 25.4, 110 / 25.4])
    for k, ax in enumerate(axes.flat):
        ax.plot([0, 1], [k, k])
    figure.colorbar(axes[0, 0].imshow([[0.0, 1.0]]), ax=axes[0, 0])
    assert [t for t in texts(figure) if t in "abcd" and t] == ["a", "b", "c", "d"]
    paths = plots.save_panels(figure, tmp_path / "f.svg")
    assert [path.name for path in paths[1:]] == ["f.a.csv", "f.b.csv", "f.c.csv", "f.d.csv"]
    assert numbers(table(paths[3])[1], "y") == [2.0, 2.0]


def test_nothing_is_overwritten_or_half_written(tmp_path, monkeypatch):
    figure = plots.traces(np.arange(5.0), np.arange(5.0), ["v"], "mV")
    (tmp_path / "f.a.csv").write_text("mine")
    with pytest.raises(FileExistsError, match=r"f\.a\.csv"):
        plots.save_panels(figure, tmp_path / "f.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["f.a.csv"]

    def fail(*arguments, **options):
        raise OSError("the disk is full")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr(Figure, "savefig", fail)
        plots.save_panels(figure, tmp_path / "g.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["f.a.csv"]


def test_tables_of_panels_that_are_gone_are_gone_too(tmp_path):
    figure, axes = plots.panels(1, 2)
    for ax in axes.flat:
        ax.plot([0, 1])
    plots.save_panels(figure, tmp_path / "f.pdf")
    (tmp_path / "f.c.csv").write_text("of somebody else")
    plots.save_panels(figure, tmp_path / "f.svg", data=False)
    assert (tmp_path / "f.a.csv").exists()
    for name in ("f.pdf", "f.svg", "f.a.csv"):
        (tmp_path / name).unlink()
    with pytest.raises(FileExistsError, match=r"f\.b\.csv"):
        plots.save_panels(plots.traces([0.0, 1], [0.0, 1], ["v"], "mV"), tmp_path / "f.pdf")
    plots.save_panels(plots.traces([0.0, 1], [0.0, 1], ["v"], "mV"), tmp_path / "f.pdf", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.a.csv", "f.c.csv", "f.pdf"]


def test_bad_input_is_named(tmp_path):
    figure = Figure()
    with pytest.raises(ValueError, match=r"out = 'a.png' has to end in .pdf or .svg"):
        plots.save_panels(figure, "a.png")
    with pytest.raises(ValueError, match=r"width_mm = -3: give a size in mm"):
        plots.panel(width_mm=-3)
    with pytest.raises(ValueError, match=r"height_mm = nan"):
        plots.panel(height_mm=float("nan"))
    with pytest.raises(ValueError, match=r"rows = 0: give a whole number"):
        plots.panels(0, 2)
    with pytest.raises(ValueError, match=r"letters for 26 panels"):
        plots.panels(9, 3)
    figure.add_subplot(projection="polar").plot([0, 1], [0, 1])
    with pytest.raises(ValueError, match="data of 'polar' axes"):
        plots.save_panels(figure, tmp_path / "a.pdf")
    assert list(tmp_path.iterdir()) == []
