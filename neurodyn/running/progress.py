"""How far a run, a training or a scan is: a bar where somebody watches, a line a minute in the log of a batch job."""

from __future__ import annotations

import html
import os
import sys
import threading
import time
from typing import Any, Self

_LINE_S = 60.0  # between lines in a log
_DRAW_S = 0.5  # between drawings in a notebook; what is quicker leaves nothing there

clock = time.monotonic


def progress_bar(
    total: int, progress: bool | None = None, unit: str = "trial", *, parts: float | None = None, stages: int = 1
) -> Bar:
    """Return what shows how many of ``total`` units are done, to be closed at the end.

    Parameters
    ----------
    total : int
        Units, such as trials; of a stage, where there are several.
    progress : bool, optional
        False: nothing. Otherwise a bar on a terminal and in a notebook. Elsewhere, as in the log of a batch job, one line
        a minute on the standard error output, so that what takes less than a minute says nothing; with True also a line
        at the end.
    unit : str
    parts : float, optional
        What the time left is reckoned from where a unit takes long: steps, of which :meth:`Bar.update` tells.
    stages : int
        Stages, such as epochs, one after the other; they may end before the last one.
    """
    if progress is False:
        return Bar(total, unit, parts, stages)
    if sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return _Terminal(total, unit, parts, stages)
    if _in_notebook():
        return _Notebook(total, unit, parts, stages)
    return _Log(total, unit, parts, stages, last=bool(progress))


def duration(seconds: float) -> str:
    """A duration in words: "12 s", "2 min 10 s", "3 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    larger, smaller = divmod(whole, 60) if whole < 3600 else divmod(round(whole / 60), 60)
    names = ("min", "s") if whole < 3600 else ("h", "min")
    return f"{larger} {names[0]}" + (f" {smaller} {names[1]}" if smaller else "")


class Bar:
    """What is done, counted; this one shows nothing. Threads may share it."""

    every = 10.0  # seconds in which a look at it is worth while

    def __init__(self, total: int, unit: str, parts: float | None, stages: int) -> None:
        self.total, self.unit, self.stages = total, unit, stages
        self._parts = parts
        self._stage = self._count = 0
        self._done = 0.0  # parts, or units
        self._note = ""
        self._begun, self._first = clock(), 0.0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def update(self, count: int = 1, parts: float = 0.0) -> None:
        """So many more units are done, or parts of one."""
        with self._lock:
            self._count += count
            self._done += count if self._parts is None else parts
            self._show()

    def stage(self, number: int, done: int = 0) -> None:
        """Begin a stage (from 0), of which so many units were done by an earlier process."""
        with self._lock:
            if not self._count and not self._stage:
                self._first = (number + done / max(self.total, 1)) / self.stages
            self._stage, self._count, self._done = number, done, float(done)
            self._show()

    def note(self, text: str) -> None:
        """Show a few words behind the count from now on."""
        with self._lock:
            self._note = text
            self._show()

    def say(self, line: str) -> None:
        """Print a line on the standard error output, beside the bar."""
        print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Take the bar away."""

    def _show(self) -> None: ...

    @property
    def _part(self) -> float:
        """The part of this stage that is done, 0 to 1."""
        return min(1.0, self._done / max(self._parts or self.total, 1))

    def _where(self) -> str:
        """``trial 120 of 400``, with the stage before it."""
        text = f"{self.unit} {self._count} of {self.total}"
        if self.stages > 1:
            text = f"epoch {self._stage + 1} of {self.stages}, {text}"
        return f"{text}, {self._note}" if self._note else text

    def _times(self) -> str:
        """``2 min 10 s, 5 min left``."""
        spent = clock() - self._begun
        done = (self._stage + self._part) / self.stages
        text = duration(spent)
        if self._first < done < 1:
            left = spent * (1 - done) / (done - self._first)
            left = round(left / 60) * 60 if left > 90 else left  # it is no better known
            text += f", {'at most ' if self.stages > 1 else ''}{duration(left)} left"
        return text


class _Terminal(Bar):
    every = 1.0
    _bar: Any = None

    def _show(self) -> None:
        if self._bar is None:
            from tqdm import tqdm  # it takes a while to import

            look = "{desc} {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}]"
            self._bar = tqdm(
                desc=self._where(), total=1.0, leave=False, dynamic_ncols=True, bar_format=look, file=sys.stderr
            )
            self._seen = self._stage
        self._bar.set_description_str(self._where(), refresh=False)
        if self._stage != self._seen:
            self._bar.reset()
            self._seen = self._stage
        self._bar.update(self._part - self._bar.n)

    def note(self, text: str) -> None:
        super().note(text)
        self._bar.refresh()

    def say(self, line: str) -> None:
        if self._bar is None:
            super().say(line)
        else:
            self._bar.write(line, file=sys.stderr)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _Notebook(Bar):
    """Drawn by the browser: no widgets to install, and none left behind in a saved notebook."""

    every = 1.0
    _handle: Any = None
    _drawn = 0.0

    def _show(self) -> None:
        now = clock()
        if now - max(self._drawn, self._begun) < _DRAW_S:
            return
        from IPython.display import display

        self._drawn = now
        text = f"{self._where()}, {self._times()}"
        bar = f'<progress max="1" value="{self._part:.4f}" style="width: 16em"></progress> {html.escape(text)}'
        bundle = {"text/plain": text, "text/html": bar}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": "", "text/html": ""}, raw=True)


class _Log(Bar):
    def __init__(self, total: int, unit: str, parts: float | None, stages: int, *, last: bool) -> None:
        super().__init__(total, unit, parts, stages)
        self._last, self._due = last, self._begun + _LINE_S

    def _show(self) -> None:
        if clock() >= self._due:
            self._due = clock() + _LINE_S
            self._line()

    def _line(self) -> None:
        # Of a few long trials the count says little.
        part = f", {100 * self._part:.0f} %" if self._parts is not None and self.total < 10 else ""
        self.say(f"neurodyn: {self._where()}{part}, {self._times()}")

    def close(self) -> None:
        if self._last and self.total:
            self._line()


def _in_notebook() -> bool:
    """Whether this is the kernel of a notebook."""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None
