import os
import time

import pytest

from lcvision.timing import contention
from lcvision.timing.contention import Activity, busy_seconds

STAT = """cpu  900 0 300 9000 60 0 10 5 7 0
cpu0 300 10 100 4000 30 1 2 4 7 0
cpu1 600 0 200 5000 30 0 8 1 0 0
intr 1
"""


def test_busy_seconds_of_chosen_cpus():
    tick = os.sysconf('SC_CLK_TCK')
    assert busy_seconds(STAT, [0]) == (300 + 10 + 100 + 1 + 2 + 4) / tick
    assert busy_seconds(STAT, [0, 1]) == (417 + 809) / tick
    assert busy_seconds(STAT, [0, 5]) is None


def test_others_are_what_is_left_of_the_busy_time():
    start, end = Activity(10., 3., 50.), Activity(12., 5., 55.)
    assert end.since(start).others == pytest.approx(1.5)
    assert Activity(12., 9., 55.).since(start).others == 0


def test_siblings_and_throttling_are_rates():
    seen = Activity(12., 5., 55., 31., 0.5).since(Activity(10., 3., 50., 30., 0.1))
    assert (seen.siblings, seen.throttled) == (0.5, pytest.approx(0.2))


def test_siblings_that_this_process_may_not_use_are_read(monkeypatch):
    monkeypatch.setattr(contention.environment, 'affinity', lambda: [0])
    monkeypatch.setattr(contention.environment, 'cores', lambda: [{0, 1}])
    monkeypatch.setattr(contention.environment, 'throttled_seconds', lambda: 0.)
    monkeypatch.setattr(contention.Path, 'read_text', lambda self: STAT)
    found = Activity.now()
    assert (found.busy, found.siblings) == (busy_seconds(STAT, [0]), busy_seconds(STAT, [1]))


def test_without_counters_the_load_average_stands_in(monkeypatch):
    monkeypatch.setattr(contention.environment, 'load_average', lambda: [3., 0., 0.])
    assert Activity(12., 5., None).since(Activity(10., 3., None)).others == pytest.approx(2.)
    monkeypatch.setattr(contention.environment, 'load_average', lambda: None)
    assert Activity(12., 5., None).since(Activity(10., 3., None)).others == 0


def test_now_counts_own_work():
    start = Activity.now()
    deadline = time.monotonic() + 0.1
    while time.monotonic() < deadline:
        pass
    end = Activity.now()
    assert end.own > start.own and end.time > start.time
