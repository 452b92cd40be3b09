"""Throughput of two drivers in one folder and of two Ray nodes against one, and what an executor costs a unit.

Each driver and each node has a core of its own, which its loaders of images share. By hand, on a machine with nothing
else to do: python -m tests.search.throughput --data DIR [--ray]; fifteen minutes.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.search.test_drive import ROOT, results

CONFIG = 'pplcnet_0_5x_cifar10'
CORES = os.sched_getaffinity(0)


def on_core(core: int) -> None:
    """Has all that is started from here run on one core."""
    os.sched_setaffinity(0, [sorted(CORES)[core]])


def start(tool: str, work_dir: Path, args: argparse.Namespace, *more: str) -> subprocess.Popen:
    """A tool that trains the config for an epoch on one thread."""
    options = f'train_dataloader.dataset.indices={args.images}', 'val_dataloader.dataset.indices=500'
    return subprocess.Popen([
        sys.executable, f'tools/{tool}.py', CONFIG, '--data', args.data, '--epochs', '1', '--work-dir', str(work_dir),
        '--memory-format', 'channels_last', *more, '--cfg-options', *options, 'default_hooks.latency=None',
        'default_hooks.pictures=None'
    ], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def sweep(args: argparse.Namespace, drivers: int = 1, seeds: int = 1, *more: str) -> tuple[float, float]:
    """Seconds of a sweep that so many processes share, each with one unit at once, and of its units alone."""
    work_dir = Path(tempfile.mkdtemp(prefix='lcvision-throughput-'))
    options = '--seeds', str(seeds), '--threads', '1', '--children', '1', *more
    running = []
    for core in range(drivers):
        on_core(core)
        running.append(start('sweep', work_dir, args, *options))
    assert not any(process.wait() for process in running) and len(results(work_dir)) == seeds
    ends = [file.stat().st_mtime for file in work_dir.glob('units/*/result.json')]
    units = [json.loads(file.read_text())['seconds'] for file in work_dir.glob('units/*/cost.json')]
    return max(ends) - (work_dir / 'plan.json').stat().st_mtime, sum(units)


def on_ray(args: argparse.Namespace, nodes: int) -> tuple[float, float]:
    """The same sweep on a cluster of nodes with a core each."""
    from ray.cluster_utils import Cluster
    node = dict(num_cpus=1, object_store_memory=80 * 2**20)
    on_core(0)
    cluster = Cluster(initialize_head=True, head_node_args=dict(include_dashboard=False, **node))
    for core in range(1, nodes):
        on_core(core)
        cluster.add_node(**node)
    try:
        return sweep(args, 1, args.units, '--executor', 'ray', '--ray-address', cluster.address)
    finally:
        cluster.shutdown()


def plain(args: argparse.Namespace) -> float:
    """Seconds of the same training by ``tools/train.py``."""
    on_core(0)
    begun = time.monotonic()
    assert not start('train', Path(tempfile.mkdtemp(prefix='lcvision-throughput-')), args).wait()
    return time.monotonic() - begun


def main() -> None:
    """Runs each side by side with what it is compared with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', required=True, help='CIFAR-10')
    parser.add_argument('--images', default='50000', help='of an epoch')
    parser.add_argument('--units', type=int, default=4)
    parser.add_argument('--rounds', type=int, default=2, help='of the comparison with tools/train.py')
    parser.add_argument('--ray', action='store_true')
    args = parser.parse_args()
    for _ in range(args.rounds):
        (wall, unit), alone = sweep(args), plain(args)
        print(f'one unit {wall:.1f} s, {wall - unit:.1f} s of it outside ({wall / unit - 1:.1%}); the same training by '
              f'tools/train.py, start of Python included, {alone:.1f} s', flush=True)
    for name, run in dict(drivers=lambda count: sweep(args, count, args.units),
                          **{'Ray nodes': lambda count: on_ray(args, count)} if args.ray else {}).items():
        (one, units), (two, _) = run(1), run(2)
        print(f'{args.units} units: one of {name} {one:.1f} s, {(one - units) / args.units:.1f} s a unit outside '
              f'({one / units - 1:.1%}), two {two:.1f} s: {one / two:.2f} times', flush=True)


if __name__ == '__main__':
    main()
