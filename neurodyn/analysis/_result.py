"""What results have in common: a figure of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Result:
    """A result that ``neurodyn.plots`` can draw: ``class Found(Result, figure="name of the function there")``."""

    _figure: ClassVar[str]

    def __init_subclass__(cls, *, figure: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        if figure:
            cls._figure = figure

    def plot(self, **options: Any) -> Figure:
        """Draw the result; options are those of the function of ``neurodyn.plots`` that does it."""
        from neurodyn import plots

        return getattr(plots, self._figure)(self, **options)
