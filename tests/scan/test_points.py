"""Points: their keys and seeds depend on their parameters and on nothing else."""

import random

import pytest

import neurodyn as nd
from neurodyn.scan.errors import ScanError
from neurodyn.scan.points import Plan, checked, defaults_of, points_of


@nd.simulation
def toy(
    *,
    gain: float = 1.0,
    cells: int = 10,
    rule: str = "local",
    delays: list[float] = [1.0],  # noqa: B006
    tau: nd.Time = "10 ms",
    backend: str = "numba",
    seed: int = 1,
):
    """Toy."""
    return {"y": gain * cells}


@nd.simulation
def seedless(*, gain: float = 1.0, seeds: int = 3):
    """Without seeds."""
    return {"y": gain}


def points(simulation=toy, /, **plan):
    return list(points_of(checked(simulation, Plan(**plan)), defaults_of(simulation)))


def seeds(**plan):
    """(the other parameters, repetition) -> seed."""
    return {
        (tuple(sorted((k, str(v)) for k, v in p.values.items() if k != "seed")), p.repetition): p.values["seed"]
        for p in points(**plan)
    }


def test_all_combinations_in_order():
    found = points(grid={"gain": [1, 2], "rule": ["a", "b"]}, fixed={"cells": 5})
    assert [(p.values["gain"], p.values["rule"]) for p in found] == [(1.0, "a"), (1.0, "b"), (2.0, "a"), (2.0, "b")]
    assert all("cells" not in p.values and p.repetition is None for p in found)
    assert len({p.key for p in found}) == 4
    assert str(found[0]).endswith("(gain=1, rule=a)")


def test_rows_are_combined_with_the_grid():
    found = points(rows=[{"gain": 1, "cells": 2}, {"gain": 3, "cells": 4}], grid={"rule": ["a", "b"]}, seeds=2)
    assert len(found) == 8
    assert {(p.values["gain"], p.values["cells"]) for p in found} == {(1.0, 2), (3.0, 4)}


def test_without_anything_there_is_one_point():
    assert [p.values for p in points()] == [{}]


def test_a_point_is_the_same_however_it_is_asked_for():
    """Axes in another order, values as text, as a constant, at its default: key and seed stay."""
    one = points(grid={"gain": [2.0], "cells": [7]}, seeds=2)
    assert one == points(grid={"gain": ["2"], "cells": ["7"]}, seeds=2)
    for other in (
        points(grid={"cells": [7], "gain": [2.0]}, seeds=2),
        points(grid={"gain": [2]}, fixed={"cells": 7}, seeds=2),
        points(grid={"gain": [2.0], "cells": [7], "rule": ["local"]}, seeds=2),
        points(rows=[{"gain": 2, "cells": 7}], seeds=2),
    ):
        assert [(p.key, p.values["seed"]) for p in other] == [(p.key, p.values["seed"]) for p in one]


def test_seeds_do_not_depend_on_what_else_is_scanned():
    whole = seeds(grid={"gain": [1, 2, 3], "cells": [5, 10, 20]}, seeds=5)
    part = seeds(grid={"gain": [3, 2], "cells": [20]}, seeds=2)
    assert len(part) == 4
    assert part.items() <= whole.items()


def test_seeds_differ():
    found = seeds(grid={"gain": [g / 100 for g in range(100)]}, seeds=20)
    assert len(set(found.values())) == 2000
    assert all(0 <= seed < 2**32 for seed in found.values())
    assert not set(found.values()) & set(seeds(grid={"gain": [g / 100 for g in range(100)]}, seeds=20, root=1).values())


def test_repetitions_of_one_combination_never_share_a_seed():
    found = [p.values["seed"] for p in points(seeds=20_000)]
    assert len(set(found)) == len(found)


def test_paired_parameters_have_the_same_seeds():
    found = seeds(grid={"rule": ["a", "b"], "gain": [1, 2]}, seeds=2, paired=("rule",))
    by_rule = [sorted(s for (values, _), s in found.items() if ("rule", rule) in values) for rule in "ab"]
    assert by_rule[0] == by_rule[1]
    assert len(set(by_rule[0])) == 4


def test_what_computes_does_not_change_the_seed_but_the_point():
    found = points(grid={"backend": ["numba", "torch"]}, seeds=1)
    assert found[0].values["seed"] == found[1].values["seed"]
    assert found[0].key != found[1].key


def test_keys_are_the_same_in_every_release():
    """Scans on disk would lose their points otherwise."""
    found = points(grid={"gain": [0.5], "rule": ["x"]}, seeds=1)[0]
    assert (found.key, found.values["seed"]) == ("ee30f60cf24db4f039b8", 2601986094)


def test_growing_keeps_what_is_there():
    rng = random.Random(1)
    plan = checked(toy, Plan(grid={"gain": [1, 2], "rule": ["a"]}, seeds=2))
    before = {p.key: p.values["seed"] for p in points_of(plan, defaults_of(toy))}
    for _ in range(5):
        more = Plan(grid={"gain": [rng.random() for _ in range(3)], "rule": ["b"]}, seeds=rng.randint(1, 5))
        plan = plan.merged(checked(toy, more))
        grown = {p.key: p.values["seed"] for p in points_of(plan, defaults_of(toy))}
        assert before.items() <= grown.items()
        before = grown
    assert plan == Plan.from_json(plan.to_json())


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"grid": {"gian": [1]}}, "unknown parameter 'gian'; did you mean 'gain'"),
        ({"fixed": {"gain": "much"}}, "gain='much' has to be float"),
        ({"grid": {"gain": []}}, "grid 'gain' has no values"),
        ({"grid": {"gain": [1, 2, 1.0]}}, "grid 'gain' has 1 twice"),
        ({"grid": {"gain": [1]}, "fixed": {"gain": 1}}, "'gain' is given in set and in grid"),
        ({"grid": {"gain": [1]}, "rows": [{"gain": 1}]}, "'gain' is given in grid and in points"),
        ({"grid": {"out": ["a.h5"]}}, "out is not set for a point"),
        ({"seeds": 0}, "seeds = 0: give a whole number"),
        ({"seeds": True}, "seeds = True: give a whole number"),
        ({"seeds": 2, "grid": {"seed": [1]}}, "'seed' is given itself"),
        ({"rows": [{"gain": 1}, {"gain": "x"}]}, "point 2 of the list: gain='x'"),
        ({"rows": [{"gain": 1}, {"cells": 1}]}, "point 2 of the list has cells; the first gain"),
        ({"paired": ("rul",)}, "did you mean 'rule'"),
        ({"grid": {"tau": ["10 mV"]}}, "tau"),
    ],
)
def test_what_is_refused(plan, message):
    with pytest.raises(ScanError, match=message.replace("(", r"\(")):
        points(**plan)


def test_a_simulation_without_a_seed_has_no_repetitions():
    with pytest.raises(ScanError, match="no parameter 'seed' to vary .'seeds' is how many it uses inside one run"):
        points(seedless, seeds=2)


def test_lists_and_quantities_are_values():
    found = points(grid={"delays": [[1, 2], [3]], "tau": ["10 ms", "20 ms"]})
    assert [p.values["delays"] for p in found] == [[1.0, 2.0], [1.0, 2.0], [3.0], [3.0]]
    assert found[0].values["tau"] == "10 ms"
