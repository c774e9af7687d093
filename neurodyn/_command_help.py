"""Examples and notes under the help texts of the commands."""

from __future__ import annotations

EXAMPLES = """\
examples:
  neurodyn list                                         what can be run in ./simulations
  neurodyn info simulations/what_when.py                its parameters
  neurodyn run simulations/what_when.py --set trials=400 --seed 3 --out runs/a.h5
  neurodyn info runs/a.h5                               what was recorded
  neurodyn plot runs/a.h5                               a first look, as a picture
  neurodyn analyse runs/a.h5                            what can be analysed in it
  neurodyn analyse runs/a.h5 spikes                     one analysis: numbers beside their null, and a figure
  neurodyn rerun runs/a.h5                              the same run again: is it the same?
  neurodyn report runs/a.h5                             configuration, results and figures as one page
  neurodyn export runs/a.h5 --to nwb                    for other tools: NWB, SONATA, CSV
  neurodyn methods runs/a.h5                            the methods table of its network
  neurodyn cite runs/a.h5                               what to cite, as BibTeX
  neurodyn scan simulations/what_when.py --grid trials=50,100 --set experiment=E1 --out scans/trials
  neurodyn scan status scans/trials                     a scan: what is done, what failed and why
  neurodyn doctor                                       what works on this machine
  neurodyn conformance --quick                          do all runners compute the same?
"""

RUN_EXAMPLES = """\
examples:
  neurodyn run simulations/what_when.py
  neurodyn run simulations/what_when.py --set experiment=E1 --set trials=400 --seed 3
  neurodyn run simulations/timescales_parity.py --quick --seeds 3
  neurodyn run simulations/timescale_estimators.py --set timescales=2,10 --set seeds=1
  neurodyn run simulations/izhikevich_patterns.py --set experiment=network --set duration="4 s" --out runs/net.h5
  neurodyn run my_scripts.py:second_one --json --strict

A parameter is given as --set NAME=VALUE, or behind the script as --NAME VALUE; --NAME alone means true.
A script with several simulations needs the name of one after a colon. `neurodyn info SCRIPT` shows the
parameters, their types and defaults. Quantities are written with their unit, lists with commas.

SIGTERM and SIGUSR1 (a cluster's time limit) leave a checkpoint; so does a kill, some minutes old. The same command
with --resume goes on from there.

exit code: 0 done; 1 the simulation failed, or with --strict a check did; 2 the command cannot be carried out;
75 it was told to stop and can be resumed.
"""

RERUN_EXAMPLES = """\
examples:
  neurodyn rerun runs/a.h5
  neurodyn rerun runs/a.h5 --backend interpreter
  neurodyn rerun runs/a.h5 --backend torch --tolerance 1e-9 --out runs/again.h5

The recording holds the circuit, the session and the options of its run; no script is needed. What is compared is
everything recorded over time, and what was learned.

exit code: 0 the runs are the same; 1 they differ; 2 the run cannot be repeated.
"""

EXPORT_EXAMPLES = """\
examples:
  neurodyn export runs/a.h5 --to nwb
  neurodyn export runs/a.h5 --out shared/session.nwb
  neurodyn export runs/a.h5 --to sonata --overwrite
"""

CONFORMANCE_EXAMPLES = """\
examples:
  neurodyn conformance
  neurodyn conformance --quick --runner numba torch
  neurodyn conformance --circuit delays learning --dtype float64 --full
  neurodyn conformance --runner mypackage.engine:MyEngine torch@cuda

A cell says "exact" (the bits of the interpreter), "tolerant 3e-16" (largest deviation after one step from the same
state, relative to the largest magnitude), "parts at step 61 (61 ms)" (float32: first spike that differs), or "refused"
or "FAILED" with the reason below. docs/conformance.md says what is promised.

exit code: 0 no cell failed; 1 one did; 2 the command cannot be carried out.
"""

ANALYSE_EXAMPLES = """\
examples:
  neurodyn analyse runs/a.h5                            which analyses fit what is in it, with their options
  neurodyn analyse runs/a.h5 spikes
  neurodyn analyse runs/a.h5 pca --of state/cells/v --set components=5
  neurodyn analyse runs/a.h5 correlations --set bin="20 ms" --set null=jitter --set jitter="100 ms"
  neurodyn analyse runs/a.h5 resonance --of readout --set frequency=8 --out runs/at_8_hz.h5

Numbers, arrays and the options go to runs/a.analysis.h5, which `neurodyn info` and nd.load read and which keeps the
analyses made before; the figure to runs/a.spikes.png. The recording itself stays as it is. Arrays in the file are read
in pieces: a recording may be larger than memory. docs/analysis.md says what to trust.

exit code: 0 done; 2 the command cannot be carried out.
"""
