"""Evaluates a checkpoint and measures its latency."""
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from mmengine.dist import is_main_process

from lcvision import environment
from lcvision.files import check_target, write_atomically
from lcvision.inference.runtime.exported_file import is_exported
from lcvision.training.evaluate import Evaluation, evaluate
from lcvision.training.launch import add_run_arguments
from lcvision.training.newest_run import find_run


def main(argv: list[str] | None = None) -> int:
    """Evaluates."""
    parser = ArgumentParser(description='Evaluates a checkpoint and measures its latency on this CPU.')
    parser.add_argument('config', nargs='?', metavar='CONFIG', help='a config, or an exported file without a '
                        'checkpoint [that of the newest run]')
    parser.add_argument('checkpoint', nargs='?', metavar='CHECKPOINT',
                        help='.pth or .safetensors [the best of the newest run, else its last]')
    parser.add_argument('--show-dir', metavar='DIR', help='write pictures of the predictions and grid.png into DIR')
    parser.add_argument('--json', metavar='FILE', help='write metrics and latency records')
    parser.add_argument('--engine', metavar='NAME', help='evaluate and measure the network as this engine runs it, '
                        'one image after the other; see lcvision benchmark --help [the model itself]')
    parser.add_argument('--precision', metavar='NAME', help='of the engine, e.g. bf16 [fp32]')
    parser.add_argument('--trust-code', action='store_true', help='load a .pt2 file, which is machine code')
    add_run_arguments(parser)
    args = parser.parse_args(argv)
    check_target('--json', args.json)
    if not args.checkpoint and not is_exported(args.config):
        args.config, args.checkpoint = find_run(args.config, args.work_dir)
        print(f'testing the newest run: {args.checkpoint} with {args.config}')
    found = evaluate(**{name: value for name, value in vars(args).items() if name != 'json'})
    if is_main_process():
        _report(args, found)
    return 0


def _report(args: Namespace, found: Evaluation) -> None:
    shown = '  '.join(f'{name} {value:.4g}' for name, value in found.metrics.items() if isinstance(value, int | float))
    print(f'\n{found.checkpoint}\n  {shown}')
    if args.show_dir:
        print(f'  pictures: {args.show_dir}')
    if args.json:
        content = {name: value for name, value in vars(found).items() if value is not None}
        content |= dict(latency=[record.to_json() for record in found.latency], environment=environment.collect())
        if args.data:
            content['data'] = Path(args.data).resolve().name
        write_atomically(args.json, json.dumps(content, indent=1).encode())
        print(f'  json: {args.json}')
