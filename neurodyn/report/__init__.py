"""What goes into a paper and its supplement: one page for a recording, the methods table, what to cite."""

# No module may bear the name of a function here: importing it would replace the function in this namespace.
from neurodyn.report.bibliography import bibtex
from neurodyn.report.description import Methods, methods
from neurodyn.report.page import report

__all__ = ["Methods", "bibtex", "methods", "report"]
