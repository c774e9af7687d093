"""Parameter scans: one simulation at many points, on a laptop, on Slurm, on a Dask cluster."""

from neurodyn.scan.errors import ScanError
from neurodyn.scan.options import RunOptions
from neurodyn.scan.scan import Scan

__all__ = ["RunOptions", "Scan", "ScanError"]
