"""The option that names a runner, for ``pytest --pyargs neurodyn.conformance --neurodyn-runner package.module:Class``.

pytest loads this module in every run of everybody who has neurodyn installed: it imports nothing, and does nothing but
declare the option.
"""

from __future__ import annotations


def pytest_addoption(parser) -> None:
    parser.getgroup("neurodyn").addoption(
        "--neurodyn-runner",
        action="append",
        default=[],
        metavar="NAME",
        help="runner that neurodyn.conformance tests: package.module:Class, or the name of a backend (default: all of them)",
    )
