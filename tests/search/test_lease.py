"""Leases between processes."""
import json
import os
import subprocess
import sys
import time

import pytest

from lcvision.search import lease
from lcvision.search.lease import Leases


@pytest.fixture
def others(tmp_path):
    """A lease held by a process that lives, and by one that is dead."""
    code = ('import sys; from pathlib import Path; from lcvision.search.lease import Leases; '
            f'print(Leases(Path({str(tmp_path)!r})).claim(sys.argv[1]), flush=True); sys.stdin.read()')
    processes = [subprocess.Popen([sys.executable, '-c', code, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True) for name in ('alive', 'dead')]
    assert [process.stdout.readline() for process in processes] == ['True\n'] * 2
    processes[1].kill()
    processes[1].wait()
    yield
    processes[0].kill()
    processes[0].wait()


def test_only_one_gets_a_lease(tmp_path, others):
    leases = Leases(tmp_path)
    assert not leases.claim('alive')
    assert leases.claim('dead') and leases.claim('free')
    assert not Leases(tmp_path).claim('free')
    leases.release(['free', 'dead'])
    assert Leases(tmp_path).claim('free')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['alive', 'free']


def age(path, seconds):
    past = time.time() - seconds
    os.utime(path, (past, past))


def test_a_holder_elsewhere_has_its_time(tmp_path):
    held = tmp_path / 'unit'
    held.write_text(json.dumps(dict(host='elsewhere', boot='b', space='s', pid=1, start='1')))
    leases = Leases(tmp_path)
    age(held, 290)
    assert not leases.claim('unit')
    age(held, 310)
    assert leases.claim('unit')


def test_a_torn_lease_is_one_until_it_is_old(tmp_path):
    (tmp_path / 'unit').write_text('{"ho')
    leases = Leases(tmp_path)
    assert not leases.claim('unit')
    age(tmp_path / 'unit', 310)
    assert leases.claim('unit')


def test_who_slept_too_long_has_lost_it(tmp_path):
    first, second = Leases(tmp_path), Leases(tmp_path)
    assert first.claim('unit')
    age(tmp_path / 'unit', 310)
    assert second.claim('unit')
    first.renew()
    first.release(['unit'])
    assert not Leases(tmp_path).claim('unit')


def test_a_renewed_lease_is_young(tmp_path):
    first = Leases(tmp_path)
    assert first.claim('unit')
    age(tmp_path / 'unit', 310)
    first.renew()
    assert not Leases(tmp_path).claim('unit')


def test_a_number_that_another_process_has_now_is_of_the_dead(tmp_path):
    assert Leases(tmp_path).claim('unit')
    held = json.loads((tmp_path / 'unit').read_text())
    (tmp_path / 'unit').write_text(json.dumps({**held, 'start': '1'}))
    assert Leases(tmp_path).claim('unit')


def test_of_two_who_find_a_dead_holder_one_gets_it(tmp_path, monkeypatch):
    held = tmp_path / 'unit'
    held.write_text('dead')
    first, second = Leases(tmp_path), Leases(tmp_path)
    answers = []

    def judge(content):
        if content == b'dead' and not answers:
            answers.append(None)
            answers.append(second.claim('unit'))  # between the judgement of the first and its deed
        return content == b'dead'

    monkeypatch.setattr(lease, '_is_dead', judge)
    assert not first.claim('unit') and answers == [None, True]
    assert sorted(path.name for path in tmp_path.iterdir()) == ['unit']
