"""Kills a worker and then a node of a Ray cluster of two nodes while a search runs on it.

By hand, with Ray installed: python -m tests.search.kill_ray [--hosts]; a minute. With --hosts, as root on Linux, each
node is in a network namespace of its own, so that the two reach each other as two machines do.
"""
import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lcvision.search.drive import run_plan
from lcvision.search.plan import write_plan
from tests.search import stand_in
from tests.search.test_drive import GOALS, results, table, wait_for

_NODE = dict(num_cpus=1, object_store_memory=80 * 2**20)
_HOSTS = {'lcvision-a': '10.77.0.1', 'lcvision-b': '10.77.0.2'}
_PORT = 6399


def search(address: str, kill_node: Callable[[], None]) -> None:
    """Runs on Ray, kills, and compares with child processes."""
    os.environ['STAND_IN_SECONDS'] = '0.5'
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
        kill_node()
        print('killed a node', flush=True)

    threading.Thread(target=kill, daemon=True).start()
    run_plan(place / 'ray', plan, GOALS, executor='ray', address=address, training=stand_in.train)
    os.environ['STAND_IN_SECONDS'] = '0'
    run_plan(place / 'local', plan, GOALS, training=stand_in.train)
    same = all(read(place / 'ray') == read(place / 'local') for read in (table, results))
    print('tables and results ' + ('equal in every byte' if same else 'DIFFER'))
    raise SystemExit(not same)


def pids(host: str) -> list[int]:
    """Processes of a namespace."""
    return [int(pid) for pid in subprocess.run(['ip', 'netns', 'pids', host], capture_output=True).stdout.split()]


def kill_host(host: str) -> None:
    """Kills all of its processes at once."""
    for pid in pids(host):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def on_hosts() -> int:
    """Starts a node in each of two namespaces that a virtual cable joins, and the search in the first."""
    first, second = _HOSTS
    commands = [f'ip netns add {host}' for host in _HOSTS]
    commands += [f'ip link add {first} netns {first} type veth peer name {second} netns {second}']
    for host, address in _HOSTS.items():
        commands += [f'ip -n {host} address add {address}/24 dev {host}', f'ip -n {host} link set {host} up',
                     f'ip -n {host} link set lo up']
    ray = [sys.executable, '-m', 'ray.scripts.scripts', 'start', '--block', '--disable-usage-stats', '--num-cpus=1',
           f'--object-store-memory={_NODE["object_store_memory"]}']
    try:
        for command in commands:
            subprocess.run(command.split(), check=True)
        for host, where in ((first, ['--head', f'--port={_PORT}', '--include-dashboard=false']),
                            (second, [f'--address={_HOSTS[first]}:{_PORT}'])):
            subprocess.Popen(['ip', 'netns', 'exec', host, *ray, *where, f'--node-ip-address={_HOSTS[host]}'],
                             stdout=subprocess.DEVNULL)
            time.sleep(15)
        return subprocess.run(['ip', 'netns', 'exec', first, sys.executable, '-m', 'tests.search.kill_ray',
                               '--address', f'{_HOSTS[first]}:{_PORT}']).returncode
    finally:
        for host in _HOSTS:
            kill_host(host)
            subprocess.run(['ip', 'netns', 'delete', host])


def main() -> None:
    """Runs on the nodes asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--hosts', action='store_true', help='a network namespace for each node')
    parser.add_argument('--address', help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.hosts:
        raise SystemExit(on_hosts())
    if args.address:
        import ray
        ray.init(address=args.address, logging_level='ERROR')
        print(f'{len(ray.nodes())} nodes: ' + ', '.join(node['NodeManagerAddress'] for node in ray.nodes()), flush=True)
        ray.shutdown()
        search(args.address, lambda: kill_host(list(_HOSTS)[1]))
    from ray.cluster_utils import Cluster
    cluster = Cluster(initialize_head=True, head_node_args=dict(include_dashboard=False, **_NODE))
    node = cluster.add_node(**_NODE)
    search(cluster.address, lambda: cluster.remove_node(node, allow_graceful=False))


if __name__ == '__main__':
    main()
