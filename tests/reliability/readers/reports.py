"""JSON that the tools wrote, spoiled."""
import json
import random
import shutil
from functools import partial
from pathlib import Path

import matplotlib.font_manager  # noqa: F401  (looks for fonts when it is imported)
import plotly.io  # noqa: F401

from lcvision.cli.report import main as report
from lcvision.latency.compare import compare_runs, read_baseline
from lcvision.latency.record import LatencyRecord
from lcvision.latency.table import format_table
from lcvision.report import make_report
from tests.reliability.fuzz import Case, spoil_bytes, spoil_json
from tests.report import report_inputs

_CONFIG = b"test_dataloader = dict(dataset=dict(type='CocoDataset', data_root='data/my_cells/'))\n"


def _environment() -> dict:
    return dict(cpu='A CPU', flags=['avx2'], cores=2, affinity=2, cgroup_quota=None, isa_cap={}, governor=None,
                versions=dict(torch='2.13', onednn='3', lcvision='1'), git_revision='abc',
                noise_floor=[dict(threads=1, floor=.02, difference=.01, ci95=[.0, .02], engine='eager')])


def _benchmark() -> dict:
    paced = dict(network=dict(ratio=2., ci95=[1.9, 2.1], work='w', ms=2.))
    rows = [report_inputs.record(yardstick=paced, hint='latency'),
            report_inputs.record('configs/segmentation/deeplabv3plus_pplcnet_0_5x.py', task='segmentation', scope='e2e',
                                 stages_ms=dict(decode=1., network=3.), precision='bf16'),
            report_inputs.record(hint='throughput', streams=2, noisy=True, noisy_because=['load 2.5'])]
    return dict(schema=1, environment=_environment(), results=rows)


def _evaluation() -> dict:
    return dict(config=report_inputs.CONFIG, checkpoint='a.pth', metrics={'coco/bbox_mAP': .3}, data='bccd',
                latency=[report_inputs.record()], environment=_environment(), precision='fp32')


def _search() -> dict:
    return dict(evaluations=[dict(_evaluation(), environment=None), _evaluation()], environment=_environment())


class Reports:
    """What lcvision report takes: files and folders of runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def case(self, rng: random.Random) -> Case:
        root = self.folder / 'given'
        shutil.rmtree(root, ignore_errors=True)
        run = root / 'run'
        log = run / '20260101_000000' / 'vis_data' / 'scalars.json'
        log.parent.mkdir(parents=True)
        whole = {root / 'bench.json': _benchmark(), root / 'evaluated.json': _evaluation(),
                 root / 'search.json': _search(), log: {'coco/bbox_mAP': .1, 'step': 1},
                 run / 'run.json': dict(config='picodet_pplcnet_1x.py', data='my_cells')}
        if rng.random() < .3:
            whole |= {run / 'test.json': _evaluation(), run / 'latency.json': _benchmark()}
        spoiled = rng.sample(sorted(whole), rng.choice((1, 1, 2)))
        for path, content in whole.items():
            path.write_bytes(spoil_json(rng, content) if path in spoiled else json.dumps(content).encode())
        (run / 'picodet_pplcnet_1x.py').write_bytes(spoil_bytes(rng, _CONFIG) if rng.random() < .2 else _CONFIG)
        others = [root / 'evaluated.json', root / 'search.json', run]
        given = [root / 'bench.json', *rng.sample(others, rng.choice((1, 2, 3)))]
        return partial(self._read, [str(path) for path in given], rng.random() < .04)

    def _read(self, given: list[str], draw: bool) -> None:
        if draw:
            report([*given, '--out', 'out'])
        make_report(given)


class Baselines:
    """What --compare takes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / 'baseline.json'
        self.records = [LatencyRecord.from_json(row, 'now') for row in _benchmark()['results']]

    def case(self, rng: random.Random) -> Case:
        self.path.write_bytes(spoil_json(rng, _benchmark()))
        return self._read

    def _read(self) -> None:
        found = read_baseline(str(self.path))
        for machine in (_environment(), found.environment):
            compare_runs(self.records, machine, found)
        if found.records:
            format_table(found.records, _environment())
