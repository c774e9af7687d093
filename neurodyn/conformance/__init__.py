"""One body of checks for every runner: circuits, what a runner promises on them, a table, and tests for pytest.

    neurodyn conformance                                                      the table of our runners
    pytest --pyargs neurodyn.conformance --neurodyn-runner mypackage.engine:MyEngine    the tests, for yours

The circuits are in :mod:`~neurodyn.conformance.circuits`, the checks in :mod:`~neurodyn.conformance.checks`. This module
stays empty: pytest imports it in every run, for the option above.
"""
