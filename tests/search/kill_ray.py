"""Kills a worker and then a node of a Ray cluster of two nodes while a search runs on it.

By hand, with Ray installed: python -m tests.search.kill_ray; a minute.
"""
import os
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from lcvision.search.drive import run_plan
from lcvision.search.plan import write_plan
from tests.search import stand_in
from tests.search.test_drive import GOALS, results, table, wait_for

_NODE = dict(num_cpus=1, object_store_memory=80 * 2**20)


def main() -> None:
    """Runs on Ray, kills, and compares with child processes."""
    from ray.cluster_utils import Cluster
    os.environ['STAND_IN_SECONDS'] = '0.5'
    cluster = Cluster(initialize_head=True, head_node_args=dict(include_dashboard=False, **_NODE))
    node = cluster.add_node(**_NODE)
    place = Path(tempfile.mkdtemp(prefix='lcvision-ray-'))
    for name in ('ray', 'local'):
        (place / name).mkdir()
        plan = write_plan(place / name, stand_in.make_plan(seeds=1))

    def kill() -> None:
        while len(results(place / 'ray')) < 4:
            time.sleep(0.1)
        worker = int(wait_for(lambda: subprocess.run(['pgrep', '-f', '^ray::(_run|c0)'], capture_output=True,
                                                     text=True).stdout.split())[0])
        os.kill(worker, signal.SIGKILL)
        print(f'killed worker {worker}', flush=True)
        while len(results(place / 'ray')) < 8:
            time.sleep(0.1)
        cluster.remove_node(node, allow_graceful=False)
        print('killed a node', flush=True)

    threading.Thread(target=kill, daemon=True).start()
    run_plan(place / 'ray', plan, GOALS, executor='ray', address=cluster.address, training=stand_in.train)
    os.environ['STAND_IN_SECONDS'] = '0'
    run_plan(place / 'local', plan, GOALS, training=stand_in.train)
    same = all(read(place / 'ray') == read(place / 'local') for read in (table, results))
    print('tables and results ' + ('equal in every byte' if same else 'DIFFER'))
    raise SystemExit(not same)


if __name__ == '__main__':
    main()
