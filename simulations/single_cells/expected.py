"""Numbers to meet, with where they are from.

MODELDB: the author's scripts for the figures (ModelDB 39948: izhi2003.m, izhi2007.m), run again by an independent stepper in
NumPy, which gave the counts and times below. OSB: spike times stored in OpenSourceBrain/IzhikevichModel, made by octave from
the same scripts; a spike there is v crossing 0 mV. ALGEBRA: closed forms.
"""

from __future__ import annotations

MODELDB = "ModelDB 39948, run again"
OSB = "OpenSourceBrain/IzhikevichModel, .test.2003.mep"
OSB_2007 = "OpenSourceBrain/IzhikevichModel, .test.2007.mep"
ALGEBRA = "algebra"

#: letter: (spikes, first spike in ms) in the scheme and step of the figure, (the same) at 0.01 ms; None: not known
PATTERNS: dict[str, tuple[int, float, int, float | None]] = {
    "A": (5, 13.0, 5, 12.65), "B": (1, 43.75, 1, 42.79), "C": (28, 25.0, 29, None), "D": (6, 39.0, 8, 38.28),
    "E": (6, 20.0, 7, None), "F": (6, 10.25, 6, 10.01), "G": (10, 84.5, 10, 83.97), "H": (14, 105.75, 17, None),
    "I": (1, 26.6, 1, 16.7), "J": (1, 26.5, 1, 25.67), "K": (1, 338.0, 1, 336.4), "L": (1, 20.0, 1, 19.5),
    "M": (1, 68.0, 1, 57.9), "N": (7, 68.0, 14, None), "O": (1, 93.25, 1, 91.9), "P": (5, 45.25, 7, None),
    "Q": (1, 11.3, 5, None), "R": (1, 311.5, 1, 310.5), "S": (3, 94.5, 4, None), "T": (12, 86.5, 16736, None),
}  # fmt: skip

#: letter: (spikes, first spike in ms) at 0.01 ms with the substituted numbers
SUBSTITUTED: dict[str, tuple[int, float | None]] = {
    "I": (1, 22.5),
    "P": (5, None),
    "Q": (1, None),
    "S": (3, None),
    "T": (42, None),
}

#: spike times in ms of the cells of 2003, figure 2: cell, protocol
FIGURE_2003: dict[tuple[str, int], list[float]] = {
    ("2003/RS", 0): [18.25, 24.0, 54.25, 87.5, 120.75],
    ("2003/IB", 0): [18.5, 21.0, 24.75, 58.25, 87.5, 117.25, 146.75],
    ("2003/CH", 0): [18.75, 20.75, 22.5, 24.75, 27.25, 30.25, 34.25, 81.75, 84.25, 87.0, 90.5, 137.25, 139.75, 142.5, 146.0],
    ("2003/FS", 0): [18.75, 23.75, 31.25, 40.25, 48.75, 58.0, 67.25, 77.0, 86.25, 95.5, 105.0, 114.0, 123.25, 131.75, 141.0],
    ("2003/TC", 0): [39.25, 53.25, 82.75, 120.25],
    ("2003/TC", 1): [51.0, 55.75, 61.75, 68.75, 79.5],
    ("2003/RZ", 0): [62.75, 67.25],
    ("2003/LTS", 0): [
        27.75, 31.25, 35.5, 41.25, 50.0, 63.5, 77.75, 92.75, 107.5, 122.25, 136.5, 151.5, 166.25, 180.5, 195.5, 210.5, 225.25, 240.25,
    ],
}  # fmt: skip
TONIC_OSB = [13.0, 17.0, 31.25, 59.0, 86.75]

#: cell of 2007: spikes at each current of the book's figure, in steps of 0.25 ms and of 0.01 ms
COUNTS_2007: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "2007/RS": ((2, 3, 5, 7), (2, 3, 5, 7)),
    "2007/IB": ((0, 3, 8, 9), (0, 3, 8, 10)),
    "2007/CH": ((5, 9, 12, 22), (6, 9, 13, 23)),
    "2007/LTS": ((1, 4, 9, 21), (1, 4, 10, 22)),
    "2007/FS": ((2, 4, 8, 13), (2, 5, 8, 16)),
    "2007/TC": ((3, 11, 17), (3, 11, 17)),
    "2007/RTN": ((4, 6, 11), (4, 6, 11)),
}

#: 2007/RS at 100 pA: OSB's times, of v crossing 0 mV; ours are of v reaching 35 mV
REGULAR_OSB = [47.0325, 120.4975, 196.6175, 272.6525, 348.6875, 424.7225, 500.76]

#: (cell, current): steady rates in Hz, euler at 0.01 ms and half-steps of the 1-ms scheme
RATES_2003: dict[tuple[str, float], tuple[float, float]] = {
    ("RS", 5): (11, 9), ("RS", 10): (23, 20), ("RS", 20): (43, 36), ("RS", 30): (65, 54),
    ("IB", 5): (13, 12), ("IB", 10): (32, 26), ("IB", 20): (80, 55),
    ("CH", 5): (40, 30), ("CH", 10): (85, 41), ("CH", 20): (164, 97),
    ("FS", 4.2): (30, 24), ("FS", 5): (45, 33), ("FS", 10): (136, 64), ("FS", 20): (313, 128),
    ("LTS", 5): (39, 26), ("LTS", 10): (75, 44), ("LTS", 20): (149, 84),
}  # fmt: skip

#: current in pA: steady rate in Hz (RS in steps of 0.01 ms; Nicola and Clopath's cell in steps of 0.04 ms)
RATES_RS: dict[float, float] = {52: 1, 55: 3, 60: 5, 70: 6, 85: 10, 100: 13, 150: 24, 200: 35, 300: 53, 400: 69}
RATES_NICOLA_CLOPATH: dict[float, float] = {1000: 0, 1010: 2, 1050: 4.5, 1100: 6.5, 1200: 10, 1500: 21, 2000: 37}
