"""Where the points of a scan run: on this machine, on Slurm, on a Dask cluster.

An executor is a function of the scan's folder, the points to run and the options; it returns what there is to say.
All of them end in :class:`neurodyn.scan.worker.Worker`, so that a point knows no difference.
"""
