"""The benchmarks' own parts: the naive loops compute what they are compared with, the counts and the table are right."""

import json
import re
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.kernels.philox import fill_uniform, stream_number
from neurodyn.network import realize
from neurodyn.program import operations

FOLDER = Path(__file__).parents[1] / "benchmarks"


def test_naive_loop_of_the_speed_network_gives_the_same_spikes(part):
    speed_network, naive = part("speed_network"), part("naive")
    circuit = speed_network.circuit(60, gain=100.0)
    spikes = nd.simulate(circuit, "100 ms")["spikes"]
    steps, units = naive.speed_network(speed_network.numbers(circuit), 2500, speed_network.DT_MS / 1e3)
    assert len(spikes) > 100
    np.testing.assert_array_equal(np.rint(spikes.times / speed_network.DT_MS), steps)
    np.testing.assert_array_equal(spikes.ids, units)


def test_naive_loop_of_the_reservoir_learns_the_same_weights(part):
    naive = part("naive")
    # without noise and over few trials, since rounding grows in a spiking network
    circuit, rule = nd.SpikingReservoir(60, seed=3, noise=0, jitter=0), nd.WhatWhenRule()
    session = nd.tasks.WhatWhen(latencies=("100 ms", "150 ms"), trial="300 ms").session(2, calibration=2, tests=())
    run = nd.simulate(
        circuit, session, learn=rule, record=["spikes", "weights"], backend="interpreter"
    )  # nothing to compile
    reservoir = naive.Reservoir(realize(rule.attach(circuit)), np.random.default_rng(0))
    assert reservoir.run(session) == 4 * 300
    assert reservoir.spikes == len(run["spikes"]) > 100
    for learned, name in ((reservoir.w, "weights/when/w"), (reservoir.what, "weights/what/v")):
        assert np.abs(learned).max() > 0
        np.testing.assert_allclose(run[name].values[-1], learned, rtol=1e-6, atol=1e-9 * np.abs(learned).max())


def small_dopamine(part: Any) -> tuple[Any, nd.Circuit]:
    plastic = part("plastic_network")
    return plastic, plastic.circuit(seed=2, excitatory=80, inhibitory=20, fan_out=20)


class OurDraws:
    """Stands for a generator and gives the draws of our noise, step after step."""

    def __init__(self, network: Any) -> None:
        ops = [op for b in network.program.phase("update", "cells") for op in operations(b.body)]
        (self.stream,) = (stream_number(str(op.args[0])) for op in ops if op.op == "uniform")
        self.seed, self.step = network.seed, 0

    def random(self, size: int | None = None) -> Any:
        if size is None:
            return 0.5
        out = np.empty(size)
        fill_uniform(out, np.uint64(self.seed), np.uint64(self.step), np.uint64(self.stream))
        self.step += 1
        return out


def test_naive_port_of_the_dopamine_network_fires_and_learns_as_ours(part):
    _, circuit = small_dopamine(part)
    network = realize(circuit)
    session = nd.Session((nd.Trial(1000, {}, reset=False),), 1e-3, {"reward": ("reward",)})
    run = nd.simulate(circuit, session, record=["spikes/cells", "weights"], backend="interpreter")
    port = part("naive_plasticity").Dopamine(network, OurDraws(network))
    port.run(1001)  # it finds those above threshold a step later
    assert port.spikes == len(run["spikes/cells"]) > 80
    ours = run["weights/excitation/w"].values[-1] - network.wiring["excitation"].weights
    theirs = port.w.ravel() - network.wiring["excitation"].weights
    moved = np.abs(ours) > 0
    assert 0.1 < moved.mean() < 1
    assert np.corrcoef(ours, theirs)[0, 1] > 0.99  # but for pairs a millisecond apart, and steps of 10 ms
    assert 1.0 < ours @ theirs / (ours @ ours) < 1.06  # published depression is 1/0.95 of ours


def test_bytes_of_plastic_synapses_are_counted_by_hand(part):
    plastic, circuit = small_dopamine(part)
    network = realize(circuit)
    quiet, at_rest = plastic.count(network, 0.0)
    busy, moved = plastic.count(network, 2.0)
    events = 2.0 * 80 * 20 / 100
    # an arriving spike: entry of a list, target; w, c, x, S in and out; accumulator. A spike of the target: no x out
    assert moved.far == events * ((8 + 4 + 2 * 4 * 8 + 2 * 8) + (8 + 4 * 8 + 3 * 8))
    assert at_rest.far == 0 and quiet.bytes == at_rest.near
    assert busy.bytes == moved.near + moved.far
    # what inhibition (20 x 20 synapses) and the watchers (2 x 32) of 100 cells take at two spikes
    assert moved.near - at_rest.near == pytest.approx(2.0 * (20 * 20 + 2 * 32) / 100 * 28)
    ceiling = part("limits").Ceiling(cache=1e9, memory=1e8, flops=1e15, divisions=1e15)
    assert plastic.seconds(ceiling, busy, moved) == pytest.approx(moved.near * 1e-9 + moved.far * 1e-8)


def test_each_circuit_of_the_profile_lacks_one_part_more(part):
    plastic, circuit = small_dopamine(part)
    programs = [c.program for c in plastic.parts_left_out(circuit).values()]
    draws = [any(op.op == "uniform" for b in p.blocks for op in operations(b.body)) for p in programs]
    assert [any(s.plastic for s in p.spikes) for p in programs] == [True, False, False, False, False]
    assert [len(p.populations) for p in programs] == [2, 2, 1, 1, 1]
    assert [len(p.spikes) for p in programs] == [4, 4, 2, 0, 0]
    assert draws == [True, True, True, True, False]


def test_contenders_of_the_plasticity_case_have_to_agree(part):
    case_plasticity, table = part("case_plasticity"), part("table")
    case, ours = table.Case("A case"), np.array([[100.0, 1.0], [110.0, 1.1], [120.0, 1.2]])
    case_plasticity._agree(case, "near", np.array([[105.0, 1.15]]), ours)
    assert "0.4 and 0.4 standard errors apart" in case.checks[0]
    for away in ([200.0, 1.1], [110.0, 2.0]):
        with pytest.raises(AssertionError, match="away"):
            case_plasticity._agree(case, "away", np.array([away]), ours)
    text = case_plasticity._shares([10.0, 8.0, 7.0, 5.0, 2.0])
    assert [int(x) for x in re.findall(r"(\d+) %", text)] == [20, 10, 20, 30, 20]


def test_contenders_take_turns(part, monkeypatch):
    measure, order = part("measure"), []
    monkeypatch.setattr(measure, "gc", SimpleNamespace(collect=lambda: None))  # seconds, after so many tests
    runs = {name: (lambda name=name: order.append(name)) for name in "abc"}
    times = measure.in_turn({**runs, "own": lambda: 2.5}, rounds=3, fewer={"b": 2, "c": 1})
    assert "".join(order) == "a" + "abc" + "ab" + "a"  # the first round warms up those who take part in all
    assert times["own"].own == [2.5] * 3
    assert [len(times[name].wall) for name in "abc"] == [3, 2, 1]


@pytest.mark.parametrize("multiplies_and_adds", [True, False])
def test_work_of_a_step_is_counted_by_hand(part, monkeypatch, multiplies_and_adds):
    limits = part("limits")
    monkeypatch.setattr(limits, "fused", lambda: multiplies_and_adds)
    cells = nd.Population(
        "cells", 10, "dv/dt = -v/tau : 1", threshold="v > 1", reset="v = 0", method="euler", parameters={"tau": "10 ms"}
    )
    network = realize(nd.Circuit([cells], [nd.Connection(cells, cells, "v", probability=1.0, weight=0.1)], dt="1 ms"))
    work = limits.count(network, 2.0)
    events = 2.0 * network.wiring[network.circuit.connections[0].name].targets.size / 10
    assert work.divisions == (0 if multiplies_and_adds else 10)  # by the tau of all cells
    assert work.bytes == 2 * 8 * 10 + events * 28 + 16 * 10  # v in and out; synapses; accumulator
    divided = 5 if multiplies_and_adds else 0
    assert work.flops == 10 * (2 + 1 + divided) + events + 10  # (-dt*v)/tau + v, v > 1; synapses; accumulator
    half = limits.count(network, 2.0, itemsize=4)  # float32; an index takes four bytes all the same
    assert half.bytes == 2 * 4 * 10 + events * 16 + 8 * 10 and half.flops == work.flops
    ceiling = limits.Ceiling(cache=1e9, memory=1e9, flops=1e12, divisions=1e12)
    assert ceiling.seconds(work) == pytest.approx(work.bytes * 1e-9)


def sample_case(table: Any) -> Any:
    case = table.Case("A case")
    base = case.add("ours", [0.002, 0.001, 0.003], limit=0.0005)
    case.add("theirs", [0.008, 0.006], against=base, note="compiled")
    case.goals += [table.at_least("theirs / ours", 3.5, 2.0), table.at_most("overhead in %", 20.0, 15.0)]
    case.check("they agree", True)
    return case


def test_table_holds_medians_spread_ratios_and_goals(part, tmp_path):
    table = part("table")
    page = tmp_path / "results" / "page.md"
    table.write(page, [sample_case(table)], {"processor": "A CPU", "cores": 2})
    lines = page.read_text(encoding="utf-8").splitlines()
    assert "| ours | 2 ms | 1 to 3 | 3 |  | 0.5 ms | 25 % |" in lines
    assert "| theirs (compiled) | 7 ms | 6 to 8 | 2 | 3.5 x |  |  |" in lines
    assert "| theirs / ours | 3.5 | >= 2 | met |" in lines
    assert "| overhead in % | 20 | <= 15 | **not met** |" in lines
    assert "* Checked: they agree" in lines
    data = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert data["cases"][0]["rows"][0]["values"] == pytest.approx([2.0, 1.0, 3.0])
    assert "NOT MET overhead in %: 20, wanted <= 15" in table.plain(sample_case(table))


def test_ratio_is_taken_round_by_round(part):
    case = part("table").Case("A machine that slows down")
    base = case.add("ours", [1.0, 2.0, 9.0])
    assert case.add("theirs", [1.2, 2.4, 10.8], against=base).relative == pytest.approx(1.2)
    assert case.add("in another order", [18.0, 1.0, 2.0], against=base).relative == pytest.approx(0.5)


def test_times_of_different_computations_are_refused(part):
    with pytest.raises(AssertionError, match="A case: same spikes: no"):
        part("table").Case("A case").check("same spikes", False)


def test_results_are_named_after_date_and_machine(part):
    about = {"processor": "AMD EPYC (znver5)", "cores": 2}
    assert part("table").file_name(about, date(2026, 11, 21)) == "2026-11-21-amd-epyc-znver5-2.md"


def test_kept_results_name_no_place_of_the_machine():
    pages = [*(FOLDER / "results").glob("*.md"), *(FOLDER / "results").glob("*.json")]
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "/tmp" not in text and "/home" not in text and str(FOLDER.parent) not in text


def test_without_a_gpu_the_device_benchmark_says_so(part, monkeypatch, capsys):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert part("device").main([]) == 2
    said = capsys.readouterr()
    assert "finds no GPU here" in said.err and "--cpu-smoke" in said.err and not said.out


def test_page_of_the_device_benchmark(part, tmp_path):
    device, rows = part("device"), part("device_rows")
    page = device.Page({"device": "A GPU"}, 4e12, tmp_path / "page.md")
    page.rows = [
        rows.Row("speed network", "float32", 64, "8 warps", 1000, 4e-5, (2e-4, 1e-4, 3e-4), 64_000, 5e5, 4e7, 1.5),
        rows.Row(
            "STDP", "float32", 1024, "4 warps, 64 registers", 1000, 1e-3, (1e-4, 2e-4, 4e-4), 1_024_000, 5e5, 4e8, 1.5
        ),
    ]
    page.training = [part("device_training").Step(64, 128, "ours", (2e-3, 1e-3, 5e-3))]
    page.sweeps = [part("device_pvrnn").Sweep("D1", "float32", 21, 20_000, (3e-3, 2e-3, 4e-3), 1.5e-3, 0.12)]
    page.checks, page.left_out = ["they agree"], ["4096 networks: no time left"]
    page.write()
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "* device: A GPU" in text and "* they agree" in text and "* 4096 networks: no time left" in text
    # medians: 64 000 neurons in 0.2 ms; 25 000 steps a second; 40 MB in 0.2 ms are 200 GB/s, 5 % of 4 TB/s
    assert "| 64 | 8 warps | 200 | 100 to 300 | 281 | 3.2e+08 | 2.5e+09 | 625 kB | 5 % | 1.5 s |" in text
    assert (
        "An hour of one of 1024 different networks with plastic synapses, float32, 4 warps, 64 registers: 0.703 s (goal 1 s: met)"
        in text
    )
    assert "| 64, 128 | ours | 2000 | 1000 to 5000 | 80 |" in text
    assert "| D1, float32 | 21 | 3 | 2 to 4 | 150 | 1.5 | 120 |" in text


def test_a_part_of_the_device_benchmark_that_fails_leaves_the_others(part, monkeypatch, tmp_path, capsys):
    device = part("device")

    def fail(*given):
        raise RuntimeError("no such instruction")

    monkeypatch.setattr(device, "kinds", lambda smoke: ())
    monkeypatch.setattr(device, "training", fail)
    monkeypatch.setattr(device, "sweeps", lambda page, *given: page.checks.append("sweeps were made"))
    assert device.main(["--cpu-smoke", "--out", str(tmp_path / "page.md")]) == 0
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "* training steps: RuntimeError: no such instruction" in text and "* sweeps were made" in text
    assert "training steps: RuntimeError" in capsys.readouterr().out


def test_networks_of_a_large_batch_share_wiring_but_not_seeds(part, monkeypatch):
    made = part("device_kinds")
    monkeypatch.setattr(made, "DRAWN", 2)
    kind = next(k for k in made.kinds(smoke=True) if "STDP" in k.title)
    networks = kind.networks(3, 1)
    assert [n.seed for n in networks] == [0, 1, 2]
    assert networks[2].wiring is networks[0].wiring
    assert not np.array_equal(networks[0].wiring["excitation"].targets, networks[1].wiring["excitation"].targets)


def test_bytes_of_plastic_events_are_those_that_the_rule_touches(part):
    """A spike and its synapses: w, x, c, the drift then read at both events; c is written at arrivals alone."""
    made = part("device_kinds")
    kind = next(k for k in made.kinds(smoke=True) if "STDP" in k.title)
    (network,) = kind.networks(1, 1)
    events = network.wiring["excitation"].targets.size / network.sizes["cells"]
    static = network.wiring["inhibition"].targets.size / network.sizes["cells"]
    watched = 2 * 32 / network.sizes["cells"]
    found = made.bytes_moved(network, 1.0, 4, learning=True) - made.bytes_moved(network, 0.0, 4, learning=True)
    arriving, of_targets = (4 + 4) * 4 + 2 + 2 * 4, (4 + 3) * 4 + 4
    assert found == pytest.approx(events * (arriving + of_targets) + (static + watched) * (3 * 4 + 4))


def test_precisions_part_at_the_first_spike_that_differs(part):
    speed_network, precision = part("speed_network"), part("case_precision")
    circuits = [speed_network.circuit(40, bias=bias) for bias in ("2500 pA", "2500.1 pA", "2500 pA")]
    a, b, c = (nd.simulate(circuit, "20 ms", backend="interpreter") for circuit in circuits)
    trains = [set(zip(r["spikes"].times.tolist(), r["spikes"].ids.tolist(), strict=True)) for r in (a, b)]
    first = min(time for time, _ in trains[0] ^ trains[1])
    assert precision.parting([a, a], [b, c]) == (round(first / speed_network.DT_MS),)


def test_without_geomloss_the_sinkhorn_case_says_so(part, monkeypatch):
    case_sinkhorn = part("case_sinkhorn")
    monkeypatch.setattr(case_sinkhorn.importlib.util, "find_spec", lambda name: None)
    (case,) = case_sinkhorn.run(None, quick=True)
    assert "geomloss is not installed" in case.notes[0] and not case.rows


def test_copy_is_measured_in_bytes_read_and_written(part):
    assert 1e8 < part("device").copy_bandwidth("cpu", 4) < 1e13


@pytest.mark.slow
def test_device_benchmark_from_end_to_end_on_the_cpu(part, tmp_path, capsys):
    assert part("device").main(["--cpu-smoke", "--out", str(tmp_path / "page.md")]) == 0
    data = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
    assert [(r["dtype"], r["batch"]) for r in data["rows"]] == 6 * [
        ("float32", 2),
        ("float32", 1),
        ("float64", 2),
        ("float64", 1),
    ]
    assert all(min(r["step_s"]) > 0 and r["events"] > 0 and r["bytes"] > 0 for r in data["rows"])
    assert {(s["data"], s["models"]) for s in data["sweeps"]} == {(d, m) for d in ("D1", "D2") for m in (1, 2)}
    assert len({s["what"] for s in data["training"]}) == 4
    assert sum("steps in torch on the CPU" in text for text in data["checks"]) == 4
    assert sum("beside their batch, float64: identical, spike for spike" in text for text in data["checks"]) == 6
    assert sum("beside numba on the CPU: identical, spike for spike" in text for text in data["checks"]) == 6
    assert data["left_out"] == []
    assert "synaptic events/s" in capsys.readouterr().out


def test_an_update_of_the_emulation_is_that_of_the_loop_in_torch(part):
    emulation, table = part("case_emulation"), part("table")
    case = table.Case("small")
    emulation._check(case, 16)  # raises if losses or weights differ
    assert len(case.checks) == 2


def test_a_page_says_which_and_leaves_out_what_is_empty(part, tmp_path):
    table = part("table")
    case = table.Case("A case", figures=["a.png"], notes=["cython: in --full"])
    case.add("x*x*x by neurodyn --help", [0.001])
    about = {"date": "2026-11-26", "processor": "A CPU", "cores": 2}
    here = Path(table.__file__).parent / "results" / "2026-11-26-a-cpu-2-scan-tiny.md"
    lines = table.markdown([case], about, here).splitlines()
    assert lines[0] == "# Benchmark results, 2026-11-26: scan tiny"
    assert "How to read these tables: [benchmarks](../../docs/benchmarks.md)." in lines
    assert lines[lines.index("| what | median | min to max | runs |") + 1] == "|---|---|---|---|"
    assert "| `x*x*x` by neurodyn `--help` | 1 ms | 1 to 1 | 1 |" in lines  # else italics, and a dash
    assert "* cython: in `--full`" in lines and "![A case](a.png)" in lines
    elsewhere = table.markdown([case], about, tmp_path / "2026-11-26-a-cpu-2.md")
    assert elsewhere.startswith("# Benchmark results, 2026-11-26\n") and "How to read" not in elsewhere


def test_pages_that_are_kept_are_those_of_their_values(part):
    table = part("table")
    files = sorted((Path(table.__file__).parent / "results").glob("*.json"))
    found = {file: json.loads(file.read_text(encoding="utf-8")) for file in files}
    kept = {file: data for file, data in found.items() if "cases" in data}  # those of device.py have other parts
    for values, data in kept.items():
        cases = [table.Case(**case) for case in data["cases"]]
        for case in cases:
            case.rows = [table.Row(**row) for row in case.rows]
            case.goals = [table.Goal(**goal) for goal in case.goals]
        page = values.with_suffix(".md")
        assert page.read_text(encoding="utf-8") == table.markdown(cases, data["about"], page) + "\n", page.name
    assert kept


def test_kept_pages_of_devices_are_those_of_their_values(part):
    device, parts = (
        part("device"),
        {"rows": "device_rows.Row", "training": "device_training.Step", "sweeps": "device_pvrnn.Sweep"},
    )
    files = sorted((Path(device.__file__).parent / "results").glob("*.json"))
    kept = {file: data for file in files if "rows" in (data := json.loads(file.read_text(encoding="utf-8")))}
    assert kept
    for values, data in kept.items():
        made = {}
        for name, kind in parts.items():
            module, row = kind.split(".")
            made[name] = [getattr(part(module), row)(**entry) for entry in data[name]]
        page = device.Page(
            data["about"], data["copy_bytes_per_s"], None, data["checks"], **made, left_out=data["left_out"]
        )
        assert values.with_suffix(".md").read_text(encoding="utf-8") == page.text(), values.name
