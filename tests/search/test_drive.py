"""Drivers, children, kills."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lcvision.errors import RunFailed, UserError
from lcvision.search import drive as drive_module
from lcvision.search.drive import run_plan
from lcvision.search.outcome import search_outcome
from lcvision.search.plan import read_plan, write_plan
from lcvision.search.tournament import Goals, Unit
from tests.search import stand_in

ROOT = Path(__file__).parents[2]
GOALS = Goals(champions=True, full=frozenset([0]))


def table(folder):
    """The final table, as bytes."""
    from lcvision.search.folder import Folder
    plan = read_plan(folder)
    return json.dumps(search_outcome(plan, Folder(folder, plan).curves())).encode()


def results(folder):
    return {path.parent.name: path.read_bytes() for path in folder.glob('units/*/result.json')}


@pytest.fixture(scope='module')
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp('search')
    run_plan(folder, write_plan(folder, stand_in.make_plan()), GOALS, training=stand_in.train)
    return table(folder), results(folder)


def children_of(folder):
    """Processes that work in a folder, but for its drivers."""
    found = []
    for path in Path('/proc').glob('[0-9]*'):
        try:
            if any(link.readlink().is_relative_to(folder / 'attempts') for link in path.glob('fd/*')):
                found.append(int(path.name))
        except OSError:
            continue
    return found


def wait_for(what, seconds=300):
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, 'it did not happen'
        time.sleep(0.01)
    return found


@pytest.fixture
def hold(tmp_path_factory):
    """While this file is there, drivers finish the first round of at least one group and no later round."""
    path = tmp_path_factory.mktemp('hold') / 'hold'
    path.touch()
    return path


@pytest.fixture
def start(tmp_path, hold):
    """Starts a driver with two children."""
    write_plan(tmp_path, stand_in.make_plan())
    started = []

    def start():
        environment = {**os.environ, 'STAND_IN_HOLD': str(hold), 'PYTHONPATH': str(ROOT)}
        started.append(subprocess.Popen([sys.executable, '-m', 'tests.search.stand_in', str(tmp_path), '2', 'full'],
                                        cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True))
        return started[-1]
    yield start
    for driver in started:
        driver.kill()
        driver.communicate()


def is_held(folder, children):
    """Whether a driver's children wait in the second round of group 0, whose first had 8 units."""
    return len(results(folder)) >= 8 and len(children_of(folder)) == children


def test_a_search_runs_to_its_end(uninterrupted):
    found = json.loads(uninterrupted[0])
    assert all(group['champion'] for group in found['groups'])
    assert found['groups'][0]['full']['order'] and 'full' not in found['groups'][1]
    # 4 + 2 and 3 + 2 of 2 epochs, 2 seeds; group 0 to the end; the other champion to its end.
    assert found['model_epochs'] == dict(tournament=44, trained=2 * (4 * 6 + 3 * 2 + 2 * 2 + 2), training_all=84)


def test_two_drivers_and_kills_end_in_the_same_bytes(tmp_path, uninterrupted, start, hold):
    drivers = [start() for _ in range(2)]
    wait_for(lambda: is_held(tmp_path, 4))
    for _ in range(3):
        victim = children_of(tmp_path)[0]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda victim=victim: victim not in children_of(tmp_path) and is_held(tmp_path, 4))
    before = len(results(tmp_path))
    drivers[0].kill()
    drivers[0].wait()
    hold.unlink()
    assert drivers[1].wait(timeout=300) == 0
    assert before < len(results(tmp_path))  # the other had something left to do
    assert (table(tmp_path), results(tmp_path)) == uninterrupted
    assert not list((tmp_path / 'attempts').iterdir()) and not list((tmp_path / 'leases').iterdir())


def test_children_end_with_a_killed_driver_and_the_next_goes_on(tmp_path, uninterrupted, start, hold):
    driver = start()
    wait_for(lambda: is_held(tmp_path, 2))
    driver.kill()
    driver.wait()
    wait_for(lambda: not children_of(tmp_path))
    done = len(results(tmp_path))
    hold.unlink()
    assert start().wait(timeout=300) == 0
    assert done < len(results(tmp_path))
    assert (table(tmp_path), results(tmp_path)) == uninterrupted


def test_ctrl_c_ends_the_children_and_gives_the_leases_back(tmp_path, start):
    driver = start()
    wait_for(lambda: is_held(tmp_path, 2))
    driver.send_signal(signal.SIGINT)
    assert 'the same command goes on' in driver.communicate(timeout=10)[1]
    assert not children_of(tmp_path) and not list((tmp_path / 'leases').iterdir())


def test_ctrl_c_while_a_child_starts_leaves_nothing(tmp_path, monkeypatch):
    started = []

    class Interrupted(drive_module.LocalExecutor):
        def start(self, unit, threads):
            os.kill(os.getpid(), signal.SIGINT)
            super().start(unit, threads)
            started.extend(child for child, _ in self._running.values())
    monkeypatch.setattr(drive_module, 'LocalExecutor', Interrupted)
    monkeypatch.setenv('STAND_IN_SECONDS', '60')
    plan = write_plan(tmp_path, stand_in.make_plan(children=1))
    with pytest.raises(KeyboardInterrupt):
        run_plan(tmp_path, plan, GOALS, training=stand_in.train)
    assert len(started) == 1 and started[0]._process.exitcode == -signal.SIGKILL
    assert not list((tmp_path / 'leases').iterdir()) and signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(('training', 'error', 'sentence'), [
    (stand_in.fail, UserError, '^the data are wrong$'),
    (stand_in.fill_disk, RunFailed, r'cannot be written .File too large.: make room'),
    (stand_in.fill_disk_at_the_end, RunFailed, r'cannot be written .File too large.: make room')])
def test_what_cannot_go_on_is_told_in_a_sentence(tmp_path, training, error, sentence):
    plan = write_plan(tmp_path, stand_in.make_plan())
    with pytest.raises(error, match=sentence):
        run_plan(tmp_path, plan, GOALS, training=training)
    assert not results(tmp_path) and not list((tmp_path / 'leases').iterdir())


def test_a_unit_that_always_dies_ends_the_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(drive_module, '_DEATHS', 1)
    plan = write_plan(tmp_path, stand_in.make_plan(children=1))
    with pytest.raises(RunFailed, match=r'c000-s0-r001 died 1 times .signal 9.'):
        run_plan(tmp_path, plan, GOALS, training=stand_in.die)
    assert 'c000-s0-r001 died (signal 9): it is trained again' in capsys.readouterr().err


def test_a_network_that_diverges_loses(tmp_path):
    plan = write_plan(tmp_path, stand_in.make_plan(groups=((0, 1),), seeds=1))
    folder = run_plan(tmp_path, plan, Goals(), training=stand_in.diverge)
    assert search_outcome(plan, folder.curves())['groups'][0]['champion'] == 'm0'
    assert folder.refresh()[Unit(1, 1, 0)]['diverged'].startswith('training diverged')


def test_a_finished_search_trains_nothing(tmp_path, uninterrupted):
    plan = write_plan(tmp_path, stand_in.make_plan())
    run_plan(tmp_path, plan, GOALS, training=stand_in.train)
    run_plan(tmp_path, plan, GOALS, training=stand_in.fail)
    assert table(tmp_path) == uninterrupted[0]
