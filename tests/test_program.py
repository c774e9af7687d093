"""The lowered form: canonical text, hash, and what makes a Program tolerant."""

import subprocess
import sys
from dataclasses import replace

import pytest

from neurodyn.program import Array, Block, Branch, Op, Program, Store, WeightedSum, operations, stores

INNER = (Op("%1", "exp", ("%0",), ("c",)), Store("c.v", "%1"))
BODY = (Op("%0", "add", ("c.v", 1.0), ("c",)), Branch("learning", INNER))
PROGRAM = Program(
    arrays=(Array("c.v", ("c",), "state", unit="mV"), Array("learning", (), "clock", "bool")),
    blocks=(Block("update", "c", BODY), Block("initial", "c", (Store("c.v", 0.1),))),
    populations=("c",), spiking=(), spike_sources=(), inputs=(), spikes=(), sums=(),
)  # fmt: skip


def with_body(*body, phase="update"):
    return replace(PROGRAM, blocks=(Block(phase, "c", body),))


def test_operations_and_stores_are_found_inside_branches():
    assert [op.op for op in operations(BODY)] == ["add", "exp"]
    assert list(stores(BODY)) == [Store("c.v", "%1")]


def test_arrays_and_phases_by_name():
    assert PROGRAM.array("c.v").unit == "mV"
    with pytest.raises(KeyError, match="d.v"):
        PROGRAM.array("d.v")
    assert PROGRAM.phase("initial", "c") == PROGRAM.blocks[1:] and PROGRAM.phase("initial", "d") == ()


@pytest.mark.parametrize(
    "other",
    [
        with_body(Store("c.v", 0.1)), with_body(Store("c.v", -0.0)),
        with_body(Store("c.v", 0.0)), with_body(Store("c.v", 1.0)), with_body(Store("c.v", True)), with_body(Store("c.v", "1.0")),
        with_body(), replace(PROGRAM, populations=("c", "d")), PROGRAM,
    ],
)  # fmt: skip
def test_the_hash_tells_programs_apart(other):
    same = replace(other, arrays=tuple(replace(a) for a in other.arrays))
    assert same.hash == other.hash
    assert other is PROGRAM or other.hash != PROGRAM.hash


def test_signed_zeros_and_types_of_literals_count():
    literals = [0.0, -0.0, True, 1.0, "1.0"]
    assert len({with_body(Store("c.v", x)).hash for x in literals}) == len(literals)


def test_the_hash_is_the_same_in_another_process():
    """Strings are hashed with another salt in each process; the Program must not notice."""
    code = (
        "import neurodyn as nd\n"
        "p = nd.izhikevich_2003('c', 5)\n"
        "print(nd.Circuit([p], [nd.Connection(p, p, 'I_syn', probability=0.5)], inputs=[nd.Input('u', ('a', 'b'))]).program.hash)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": salt, "PYTHONPATH": ":".join(sys.path)},
        )
        for salt in ("1", "2")
    ]
    assert len(runs[0].stdout.strip()) == 64
    assert runs[0].stdout == runs[1].stdout


def test_transcendentals_of_state_make_a_program_tolerant():
    assert PROGRAM.exactness == "tolerant" and PROGRAM.inexact == ("exp in the update of c",)
    exact = with_body(*BODY[:1])
    assert exact.exactness == "exact" and exact.inexact == ()
    for phase in ("constants", "start", "initial"):  # computed once, by one evaluator for all runners
        assert with_body(*BODY, phase=phase).exactness == "exact"


def test_sums_over_populations_make_a_program_tolerant_sums_over_labels_do_not():
    link = WeightedSum("link", "c.v", "c", "c", "c.v", "dense", 1)
    assert replace(PROGRAM, blocks=(), sums=(link,)).inexact == ("weighted sum over a population in link",)
    assert replace(PROGRAM, blocks=(), sums=(replace(link, source_axis="#A,B"),)).inexact == ()


def test_power_and_rls_are_named_in_words():
    program = with_body(
        Op("%0", "power_product", ("c.v", 3.0), ("c",)), Op("%1", "rls", ("P", "c.v", 1.0), ("c",)), phase="learn"
    )
    assert program.inexact == ("power product in the learn of c", "rls in the learn of c")


def test_past_values_are_kept_for_delays_and_for_late_inputs():
    link = WeightedSum("link", "c.v", "c", "c", "c.I", "dense", 1)
    assert not link.late  # the value of the step before still stands in the source
    assert replace(link, delay=2).late
    assert replace(link, source="task.value").late and not replace(link, source="task.value", delay=0).late
