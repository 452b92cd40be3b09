import resource
import subprocess
import sys

import pytest

from lcvision import allocator
from lcvision.deploy.engines import ENGINES
from lcvision.environment import collect
from lcvision.timing.rounds import quietly

CODE = """
import resource, torch, lcvision.latency
from lcvision.timing.rounds import quietly
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def work():
    for _ in range(10):  # as many as warming up makes
        torch.ones(12 << 20)
    before = faults()
    for _ in range(5):
        torch.ones(12 << 20)
    print(faults() - before)
quietly(work, 1)
"""


@pytest.mark.skipif(not allocator.keep_freed_memory(), reason='the C library is not glibc')
def test_within_a_measurement_memory_that_was_freed_is_not_mapped_again():
    done = subprocess.run([sys.executable, '-c', CODE], capture_output=True, text=True, check=True)
    assert int(done.stdout) < (48 << 20) // resource.getpagesize()


class Libc:
    """A C library with the limits of a version, that keeps what was set."""

    def __init__(self, largest_mmap_threshold):
        self.largest, self.set = largest_mmap_threshold, {}

    def mallopt(self, option, value):
        if option == -3 and value > self.largest:
            return 0
        self.set[option] = value
        return 1


@pytest.mark.parametrize('limit', [32 << 20, 1 << 40])
def test_glibc_until_2_34_maps_no_activation_either(monkeypatch, limit):
    libc = Libc(limit)
    monkeypatch.setattr(sys, 'platform', 'linux')
    monkeypatch.setattr(allocator.ctypes, 'CDLL', lambda _: libc)
    assert allocator.keep_freed_memory.__wrapped__()
    maps_nothing = libc.set.get(-4) == 0 or libc.set.get(-3, 0) >= 1 << 30
    assert maps_nothing and libc.set[-1] >= 1 << 30


def test_a_refusal_leaves_trimming_as_it_is(monkeypatch):
    libc = Libc(0)
    monkeypatch.setattr(sys, 'platform', 'linux')
    monkeypatch.setattr(libc, 'mallopt', lambda option, value: libc.set.update({option: value}) or int(option == -1))
    monkeypatch.setattr(allocator.ctypes, 'CDLL', lambda _: libc)
    assert not allocator.keep_freed_memory.__wrapped__()
    assert -1 not in libc.set


def test_every_measurement_sets_it_whatever_the_engine_and_the_record_says_so(monkeypatch):
    asked = []
    monkeypatch.setattr('lcvision.timing.rounds.keep_freed_memory', lambda: asked.append(1))
    quietly(lambda: None, 1)
    assert asked and not any(hasattr(sys.modules[type(engine).__module__], 'keep_freed_memory')
                             for engine in ENGINES.values())
    assert collect()['allocator']['keeps_freed_memory'] == allocator.keep_freed_memory()
