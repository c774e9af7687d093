"""The library of single cells by name: what each is, whom to cite, what it does to the currents of its figure.

A name is form and type: "2003/RS", "2007/FS", "adex/tonic", "lif". A type alone means the first form that has it, in this
order; so "RS" is "2003/RS", and "RTN" is "2007/RTN".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from neurodyn import units
from neurodyn.models.adaptive_exponential import TYPES_ADEX, adaptive_exponential
from neurodyn.models.integrate_and_fire import DEFAULTS, leaky_integrate_and_fire
from neurodyn.models.izhikevich_2003 import TYPES_2003, izhikevich_2003
from neurodyn.models.izhikevich_2007 import TYPES_2007, izhikevich_2007
from neurodyn.models.naming import nearest
from neurodyn.models.protocols import PROTOCOLS, Protocol

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neurodyn.models.responses import Response
    from neurodyn.parts import Population

_SUMMARIES = {
    "2003/RS": "regular spiking: pyramidal cells that adapt",
    "2003/IB": "intrinsically bursting: a burst, then single spikes",
    "2003/CH": "chattering: bursts of closely spaced spikes",
    "2003/FS": "fast spiking: interneurons without adaptation",
    "2003/TC": "thalamocortical: tonic when depolarized, a burst on release from inhibition",
    "2003/RZ": "resonator: subthreshold oscillations, fires to pulses at its own rhythm",
    "2003/LTS": "low-threshold spiking: interneurons that adapt",
    "2007/RS": "regular spiking pyramidal cell of layer 5",
    "2007/IB": "intrinsically bursting pyramidal cell of layer 5",
    "2007/CH": "chattering cell of cat primary visual cortex",
    "2007/LTS": "low-threshold spiking interneuron; threshold and reset move with u, which is capped",
    "2007/FS": "fast spiking interneuron of layer 5; recovery grows with the third power of v",
    "2007/TC": "thalamocortical relay cell of cat LGN; b depends on v, threshold and reset move with u",
    "2007/RTN": "cell of the reticular thalamic nucleus; b depends on v",
    "2007/weakly_adapting": "weakly adapting cell of Open Source Brain",
    "2007/strongly_adapting": "strongly adapting cell of Open Source Brain",
    "2007/LS": "low-threshold spiking cell of Open Source Brain",
    "2007/nicola_clopath": "cell of the FORCE-trained networks; its rheobase is 1000 pA",
    "adex/regular_spiking": "the adaptive exponential cell of Brette & Gerstner",
    "adex/tonic": "tonic spiking",
    "adex/adapting": "spike frequency adaptation",
    "adex/initial_bursting": "a burst, then single spikes",
    "adex/regular_bursting": "bursts",
    "adex/delayed_accelerating": "spikes that begin late and become faster",
    "adex/irregular": "irregular spikes to a constant current: chaos",
    "lif": "leaky integrate-and-fire",
}
_FORMS = {
    "2003": "v' = 0.04 v^2 + 5 v + 140 - u + I, u' = a (b v - u); v >= 30: v = c, u += d",
    "2007": "C v' = k (v - v_r)(v - v_t) - u + I, u' = a (b (v - v_r) - u); v >= v_peak: v = c, u += d",
    "adex": "C v' = -g_L (v - E_L) + g_L delta_T exp((v - v_T)/delta_T) - w + I, tau_w w' = a (v - E_L) - w; v > v_peak: v = v_reset, w += b",
    "lif": "tau v' = v_rest - v + R I; v > v_threshold: v = v_reset",
}
_CITATIONS = {
    "2003": "Izhikevich (2003) IEEE Trans. Neural Netw. 14:1569, figure 2; ModelDB 39948",
    "2007": "Izhikevich (2007) Dynamical Systems in Neuroscience, MIT Press, chapter 8; ModelDB 39948",
    "2007/weakly_adapting": "OpenSourceBrain/IzhikevichModel, Izh2007Cells.net.nml",
    "2007/strongly_adapting": "OpenSourceBrain/IzhikevichModel, Izh2007Cells.net.nml",
    "2007/LS": "OpenSourceBrain/IzhikevichModel, Izh2007Cells.net.nml",
    "2007/nicola_clopath": "Nicola & Clopath (2017) Nat. Commun. 8:2208; ModelDB 190565",
    "adex": "Naud et al. (2008) Biol. Cybern. 99:335, table 1",
    "adex/regular_spiking": "Brette & Gerstner (2005) J. Neurophysiol. 94:3637",
    "lif": "Lapicque (1907); Gerstner et al. (2014) Neuronal Dynamics, eq. 1.5",
}


@dataclass(frozen=True)
class Cell:
    """A published single cell.

    Attributes
    ----------
    name : str
        Form and type, "2007/FS".
    form : str
        "2003", "2007", "adex" or "lif".
    equations : str
        The equations of the form, on one line.
    parameters : mapping of name to number or text with unit
    citation : str
    summary : str
    protocols : tuple of Protocol
        The currents of its published figure.
    """

    name: str
    form: str
    equations: str
    parameters: Mapping[str, Any]
    citation: str
    summary: str
    protocols: tuple[Protocol, ...] = field(default=(), repr=False)

    def population(self, name: str, size: int, **options: Any) -> Population:
        """Return a population of this cell.

        In every form the current is bias + I_syn + I_in: ``bias`` is a parameter, I_syn takes spikes and decays with
        ``tau_syn`` (5 ms), I_in takes weighted sums. In the 2003 form they are pseudo-units, elsewhere pA.

        Parameters
        ----------
        name, size
            As of :class:`neurodyn.Population`.
        **options
            Those of the form's function: :func:`neurodyn.izhikevich_2003`, :func:`neurodyn.izhikevich_2007`,
            :func:`neurodyn.adaptive_exponential`, :func:`neurodyn.leaky_integrate_and_fire`.
        """
        return _MAKERS[self.form](self.name.rpartition("/")[2], name, size, **options)

    def respond(self, protocol: int = 0, *, dt_ms: float | None = None, backend: str = "numba") -> list[Response]:
        """Run one of the cell's protocols and return a response for each of its currents.

        Parameters
        ----------
        protocol : int
            Which one, from 0.
        dt_ms : float
            Step in ms; that of the protocol by default.
        backend : str
            Runner.
        """
        from neurodyn.models.responses import respond

        chosen = self.protocols[protocol]
        count = len(chosen.courses)
        return respond(
            self.population("cells", count, **chosen.options),
            chosen.courses,
            [chosen.duration_ms] * count,
            dt_ms=chosen.dt_ms if dt_ms is None else dt_ms,
            unit=chosen.unit,
            backend=backend,
            states={"adex": ("v", "w"), "lif": ("v",)}.get(self.form, ("v", "u")),
        )

    def plot(self, protocol: int = 0, *, dt_ms: float | None = None, backend: str = "numba") -> Figure:
        """Run one of the cell's protocols and return a figure: membrane potentials, a panel for each current."""
        from neurodyn.plots.cells import responses

        chosen = self.protocols[protocol]
        step = chosen.dt_ms if dt_ms is None else dt_ms
        return responses(
            self.respond(protocol, dt_ms=dt_ms, backend=backend),
            labels=[f"{label} {chosen.unit}".removesuffix(" 1") for label in chosen.labels],
            title=f"{self.name}, {chosen.title}, steps of {step:g} ms",
            unit=chosen.unit,
            peak_mv=self._peak_mv,
        )

    @property
    def _peak_mv(self) -> float:
        """How high its spikes are drawn."""
        if "v_peak" in self.parameters:
            return float(units.quantity(self.parameters["v_peak"]).value) * 1e3
        return {"2003": 30.0, "lif": 0.0}[self.form]


@overload
def cells() -> tuple[str, ...]: ...
@overload
def cells(name: str) -> Cell: ...
def cells(name: str | None = None) -> tuple[str, ...] | Cell:
    """Return the names of all cells, or the cell of that name.

    Parameters
    ----------
    name : str, optional
        Form and type ("2003/RS", "2007/FS", "adex/tonic", "lif"). A type alone means the first form that has it, in the
        order of the list: "RS" is "2003/RS".

    Returns
    -------
    tuple of str, or Cell

    Raises
    ------
    ValueError
        For a cell that isn't there, with the nearest name.

    Examples
    --------
    >>> cells("2007/FS").parameters["C"]
    '20 pF'
    >>> cells("RTN").name
    '2007/RTN'
    """
    if name is None:
        return tuple(_SUMMARIES)
    full = name if name in _SUMMARIES else next((n for n in _SUMMARIES if n.rpartition("/")[2] == name), None)
    if full is None:
        known = [*_SUMMARIES, *dict.fromkeys(n.rpartition("/")[2] for n in _SUMMARIES)]
        raise ValueError(f"cell {name!r}: cells are {', '.join(_SUMMARIES)}{nearest(name, known)}")
    form, _, kind = full.partition("/")
    return Cell(
        name=full,
        form=form,
        equations=_FORMS[form],
        parameters=_parameters(form, kind),
        citation=_CITATIONS.get(full, _CITATIONS[form]),
        summary=_SUMMARIES[full],
        protocols=PROTOCOLS[full],
    )


def _parameters(form: str, kind: str) -> Mapping[str, Any]:
    if form == "2003":
        return dict(zip("abcd", TYPES_2003[kind], strict=True))
    if form == "2007":
        return TYPES_2007[kind].parameters
    return dict(TYPES_ADEX[kind]) if form == "adex" else dict(DEFAULTS)


def _form_2003(kind: str, name: str, size: int, **options: Any) -> Population:
    return izhikevich_2003(name, size, cells=kind, **options)


def _form_2007(kind: str, name: str, size: int, **options: Any) -> Population:
    given = {"bias": "0 pA", "tau_syn": "5 ms", **options.pop("parameters", {})}
    synapse = "dI_syn/dt = -I_syn/tau_syn : amp\nI_in : amp\n"
    extra = synapse + options.pop("equations", "")
    current = options.pop("current", "bias + I_syn + I_in")
    return izhikevich_2007(name, size, cell=kind, current=current, equations=extra, parameters=given, **options)


def _adex(kind: str, name: str, size: int, **options: Any) -> Population:
    return adaptive_exponential(name, size, cell=kind, **options)


def _lif(kind: str, name: str, size: int, **options: Any) -> Population:
    return leaky_integrate_and_fire(name, size, **options)


_MAKERS: Mapping[str, Callable[..., Population]] = {
    "2003": _form_2003,
    "2007": _form_2007,
    "adex": _adex,
    "lif": _lif,
}
