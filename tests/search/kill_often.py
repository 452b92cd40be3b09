"""Kills units and drivers of a search again and again, and compares what is left with an uninterrupted one.

By hand: python -m tests.search.kill_often [--real] [--units 20] [--drivers 5]; a minute, with --real ten.
"""
import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lcvision.search.make_plan import find_pool, plan_search
from lcvision.search.plan import Plan, write_plan
from tests.search import stand_in
from tests.search.test_drive import ROOT, children_of, results, table, wait_for
from tests.search.tiny import OPTIONS, write_images, write_pool


def real_plan(folder: Path) -> Plan:
    """Four small networks on a few images, three rounds of an epoch."""
    data = write_images(folder / 'data', 64, 16)
    pool = find_pool(str(write_pool(folder / 'pool.json', (0.5, 0.4, 0.3, 0.2), 4)))
    return plan_search(pool, request={}, group_by=('params', 'macs'), epochs=3, epochs_per_round=1, seeds=1,
                       data=str(data), options=OPTIONS, memory_format='contiguous', threads=1, children=2,
                       engine='eager')


def start_driver(folder: Path, real: bool) -> subprocess.Popen:
    """A driver with two children."""
    environment = {**os.environ, 'STAND_IN_SECONDS': '0.2', 'PYTHONPATH': str(ROOT), 'STAND_IN_REAL': '1' * real}
    return subprocess.Popen([sys.executable, '-m', 'tests.search.stand_in', str(folder), '2', 'full'], cwd=ROOT,
                            env=environment, stderr=subprocess.DEVNULL)


def main() -> None:
    """Runs, kills, compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--real', action='store_true', help='train small networks instead of a stand-in')
    parser.add_argument('--units', type=int, default=20, help='kills of units')
    parser.add_argument('--drivers', type=int, default=5, help='kills of drivers')
    args = parser.parse_args()
    place, rng = Path(tempfile.mkdtemp(prefix='lcvision-kill-')), random.Random(0)
    plan = real_plan(place) if args.real else stand_in.make_plan(epochs=10)
    calm, rough = place / 'calm', place / 'rough'
    for folder in (calm, rough):
        folder.mkdir()
        write_plan(folder, plan)
    start_driver(calm, args.real).wait()
    kills = ['unit'] * args.units + ['driver'] * args.drivers
    rng.shuffle(kills)
    driver, lost = start_driver(rough, args.real), []
    for kind in kills:
        time.sleep(rng.uniform(0, 3 if args.real else 0.3))
        if driver.poll() is not None:
            print('the search ended before all kills: raise the length of its units')
            break
        running = wait_for(lambda: children_of(rough), 120)
        before = results(rough)
        if kind == 'unit':
            os.kill(rng.choice(running), signal.SIGKILL)
        else:
            driver.kill()
            driver.wait()
            driver = start_driver(rough, args.real)
        lost.append(len(set(before) - set(results(rough))))
    driver.wait()
    same = table(calm) == table(rough) and results(calm) == results(rough)
    print(f'{len(lost)} kills, {max(lost)} finished rounds lost, tables and results '
          + ('equal in every byte' if same else 'DIFFER'), f'({place})')
    raise SystemExit(not same or any(lost))


if __name__ == '__main__':
    main()
