"""Our medians of OpenVINO beside those of a bare loop and of benchmark_app on the same graph, each in a fresh process.

    python tests/latency/openvino_side_by_side.py [CONFIG] [--threads 1,2] [--rounds 5] [--seconds 4]
    python tests/latency/openvino_side_by_side.py [CONFIG|FILE] --hint throughput [--rounds 5] [--seconds 10]

They take turns, so that drift hits all alike. The last column is the median of the rounds' ratios; on a quiet machine
that of the milliseconds should be within 2 % of 1, and that of the images per second at least 0.97.
"""
import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from lcvision.config import load_config
from lcvision.deploy.engines import select_engines
from lcvision.deploy.input_size import find_input_size
from lcvision.deploy.network import build_model, example_input, raw_network
from lcvision.deploy.onnx_export import export_onnx
from lcvision.inference.runtime.exported_file import is_exported
from lcvision.latency.file_subject import file_subject

ROOT = Path(__file__).parents[2]
LOOP = """
import sys, time
sys.modules['openvino_telemetry'] = None
import numpy as np, openvino
path, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
model = openvino.Core().compile_model(path, 'CPU', {'PERFORMANCE_HINT': 'LATENCY', 'INFERENCE_NUM_THREADS': threads,
                                                    'INFERENCE_PRECISION_HINT': 'f32'})
request = model.create_infer_request()
shape = tuple(model.inputs[0].shape)
request.set_input_tensor(openvino.Tensor(np.random.default_rng(0).standard_normal(shape, np.float32)))
times, end = [], time.perf_counter() + seconds
while time.perf_counter() < end:
    start = time.perf_counter_ns()
    request.infer()
    times.append(time.perf_counter_ns() - start)
print(np.median(times[len(times) // 10:]) / 1e6)
"""


def tool(config: str, graph: str, threads: int, seconds: float) -> float:
    out = Path(graph).with_suffix('.json')
    run([str(ROOT / 'tools/benchmark_cpu.py'), config, '--engine', 'openvino', '--threads', str(threads), '--samples',
         '1000', '--max-seconds', str(seconds), '--json', str(out)])
    return json.loads(out.read_text())['results'][0]['latency_ms']['median']


def loop(config: str, graph: str, threads: int, seconds: float) -> float:
    return float(run(['-c', LOOP, graph, str(threads), str(seconds)]))


def benchmark_app(config: str, graph: str, threads: int, seconds: float) -> float:
    # It takes a number of threads only without a hint; one stream and one request are what the hint chooses.
    printed = run([str(Path(sys.executable).with_name('benchmark_app')), '-m', graph, '-d', 'CPU', '-hint', 'none',
                   '-nstreams', '1', '-nireq', '1', '-nthreads', str(threads), '-t', str(max(int(seconds), 1)),
                   '-infer_precision', 'f32'])
    found = re.search(r'Median:\s*([\d.]+) ms', printed)
    assert found, printed
    return float(found[1])


def tool_rate(config: str, graph: str, seconds: float, out: Path) -> float:
    run([str(ROOT / 'tools/benchmark_cpu.py'), config, '--engine', 'openvino', '--hint', 'throughput', '--samples',
         '1000', '--max-seconds', str(seconds), '--json', str(out)])
    return json.loads(out.read_text())['results'][0]['images_per_s']['median']


def benchmark_app_rate(config: str, graph: str, seconds: float, out: Path) -> float:
    printed = run([str(Path(sys.executable).with_name('benchmark_app')), '-m', graph, '-d', 'CPU', '-hint',
                   'throughput', '-t', str(max(int(seconds), 1)), '-infer_precision', 'f32', *own_input(graph, out)])
    found = re.search(r'Throughput:\s*([\d.]+) FPS', printed)
    assert found, printed
    return float(found[1])


def own_input(graph: str, out: Path) -> list[str]:
    """Options that give a file our input: on numbers of its own, another number of boxes goes into suppression."""
    options = []
    for name, x in file_subject(graph, None, select_engines('openvino')).inputs.items() if is_exported(graph) else ():
        path = out.with_name(f'{name}.npy')
        np.save(path, x)
        options += ['-i', f'{name}:{path}', '-ip', {'float32': 'f32', 'uint8': 'u8'}[str(x.dtype)]]
    return options


def compare_rates(args: argparse.Namespace, graph: str, folder: str) -> None:
    contenders = tool_rate, benchmark_app_rate
    rows = np.array([[one(args.config, graph, args.seconds, Path(folder, 'rates.json')) for one in contenders]
                     for _ in range(args.rounds)])
    for i, one in enumerate(contenders):
        print(f"{one.__name__:18} {' '.join(f'{rate:7.1f}' for rate in rows[:, i])} images/s, ours / this "
              f'{np.median(rows[:, 0] / rows[:, i]):.3f}', flush=True)


def run(arguments: list[str]) -> str:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('config', nargs='?', default='configs/classification/pplcnet_1x.py')
    parser.add_argument('--threads', default='1,2')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=4.)
    parser.add_argument('--hint', default='latency', choices=['latency', 'throughput'])
    args = parser.parse_args()
    if is_exported(args.config):
        with tempfile.TemporaryDirectory() as folder:
            compare_rates(args, args.config, folder)
        return
    size = find_input_size(load_config(args.config))
    contenders = [tool, loop, benchmark_app]
    if not shutil.which(str(Path(sys.executable).with_name('benchmark_app'))):
        contenders.remove(benchmark_app)
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder, 'network.onnx')
        network = raw_network(build_model(load_config(args.config), input_size=size), size)
        graph.write_bytes(export_onnx(network, example_input(size)))
        if args.hint == 'throughput':
            compare_rates(args, str(graph), folder)
            return
        for threads in map(int, args.threads.split(',')):
            rows = np.array([[one(args.config, str(graph), threads, args.seconds) for one in contenders]
                             for _ in range(args.rounds)])
            for i, one in enumerate(contenders):
                print(f"{threads} thread(s) {one.__name__:13} {' '.join(f'{ms:7.3f}' for ms in rows[:, i])} ms, ours / "
                      f'this {np.median(rows[:, 0] / rows[:, i]):.3f}', flush=True)


if __name__ == '__main__':
    main()
