"""Reports as the tools write them, small enough to check by hand."""
import json

from lcvision.tasks import TASKS

CONFIG = 'configs/detection/picodet_pplcnet_0_5x_bccd.py'


def record(config=CONFIG, median=5.0, **change):
    base = dict(config=config, task='detection', engine='eager', precision='fp32', threads=1, batch=1,
                input=[320, 320], scope='net', params=400_000, macs=160_000_000,
                latency_ms=dict(median=median, p10=0.9 * median, p90=1.2 * median, min=0.8 * median,
                                ci95=[0.99 * median, 1.01 * median]),
                samples=200, first_ms=9.0, compile_s=None, max_abs_diff=0.0, noisy=False, noisy_because=[])
    return {**base, **change}


def benchmark(folder, *records, name='bench', cpu='A CPU', **change):
    environment = dict(cpu=cpu, flags=['avx2'], cores=2, affinity=2, cgroup_quota=None, isa_cap={}, governor=None,
                       versions=dict(torch='2.13'))
    return write(folder / f'{name}.json', {**dict(schema=1, environment=environment, results=list(records)), **change})


def evaluation(folder, accuracy=0.3, *records, config=CONFIG, task='detection', name='evaluated', **change):
    content = dict(config=config, checkpoint='a.pth', metrics={TASKS[task].metric: accuracy}, latency=list(records))
    return write(folder / f'{name}.json', {**content, **change})


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path
