"""The doctor: it has to survive what it examines."""

import pytest

from neurodyn import doctor
from neurodyn.doctor import Probe

WORKS = Probe("good", "print('version 3')", "nothing")
RAISES = Probe("bad", "raise ImportError('no such thing')", "install it")
CRASHES = Probe("crash", "import os; os._exit(139)", "reinstall it", required=False)


def test_doctor_survives_what_is_broken(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("NEURODYN_CACHE_DIR", str(tmp_path / "cache"))
    assert doctor.report((WORKS, RAISES, CRASHES)) == 1
    printed = capsys.readouterr().out
    assert "good     works   version 3" in printed
    assert "bad      BROKEN  ImportError: no such thing" in printed
    assert "crash    no      the process ended with code 139" in printed
    assert "install it" in printed
    assert "nothing" not in printed
    assert str(tmp_path / "cache") in printed
    assert doctor.report((WORKS, CRASHES)) == 0


def test_doctor_gives_up_on_what_hangs(monkeypatch):
    monkeypatch.setattr(doctor, "_TIMEOUT_S", 0.2)
    finding = doctor.examine(Probe("slow", "import time; time.sleep(60)", "wait"))
    assert not finding.works
    assert "no answer" in finding.detail


@pytest.mark.slow
def test_the_probes_find_what_the_tests_themselves_need():
    findings = {probe.name: doctor.examine(probe) for probe in doctor.PROBES if probe.required}
    assert {name: finding.detail for name, finding in findings.items() if not finding.works} == {}
    assert "brian2, numpy" in findings
