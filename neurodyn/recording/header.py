"""The attributes of the root: how the run was made and what came out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from neurodyn.recording.layout import FORMAT, check_name
from neurodyn.recording.provenance import provenance
from neurodyn.recording.values import decode, encode, plain

TIME_STAMPS = "a spike in step k bears t = k dt; states are recorded at the end of step k and bear t = (k + 1) dt"


def encode_header(header: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes for `header`, with provenance where it is silent; a mapping `config` becomes config_json."""
    given = {**provenance(), **header}
    if "config" in given:
        given["config_json"] = json.dumps(plain(given.pop("config"), "header['config']", arrays=True))
    given |= {"neurodyn_format": FORMAT, "time_stamps": TIME_STAMPS}
    return {check_name(key, "header"): encode(value, f"header[{key!r}]") for key, value in given.items()}


def outcome_attrs(
    results: Mapping[str, Any] | None, checks: Sequence[Any] | None, config: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Attributes results_json, checks_json and config_json, each where it is given; arrays become lists."""
    given = {"results": results, "checks": None if checks is None else list(checks), "config": config}
    return {
        f"{name}_json": json.dumps(plain(value, name, arrays=True))
        for name, value in given.items()
        if value is not None
    }


def resumed_header(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The encoded header `now` of a run that goes on from one with the decoded header `before`.

    `started` stays that of the first run; `resumed` lists times and machines of all later ones.
    """
    at = {"time": decode(now["started"]), "host": decode(now["host"])}
    resumed = [*before.get("resumed", ()), at]
    return {**now, "started": encode(before["started"], "started"), "resumed": encode(resumed, "resumed")}
