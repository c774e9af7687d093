"""python table.py TABLE.csv RECORDING.h5 ...: parameters and results of recordings, a line for each."""

import csv
import sys

import neurodyn as nd

runs = [nd.load(path) for path in sys.argv[2:]]
rows = [{**run.config["parameters"], **run.results} for run in runs]
with open(sys.argv[1], "w", newline="") as file:
    writer = csv.DictWriter(file, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
