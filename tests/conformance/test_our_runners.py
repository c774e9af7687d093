"""Our runners, through the tests that other people's runners are put through (neurodyn/conformance/test_runner.py)."""

from neurodyn.conformance.test_borders import *  # noqa: F403
from neurodyn.conformance.test_runner import *  # noqa: F403
