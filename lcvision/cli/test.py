"""Evaluates a checkpoint and measures its latency."""
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from mmengine.config import Config

from lcvision import environment
from lcvision.config import load_config, override
from lcvision.deploy.engines import select_engine
from lcvision.files import check_target, write_atomically
from lcvision.training.hooks import complete_hooks, find_hook, hook_class, set_hook
from lcvision.training.launch import (
    add_run_arguments,
    quiet_logger,
    quiet_warnings,
    require_checkpoint,
    use_launcher,
)
from lcvision.training.newest_run import find_run


def main(argv: list[str] | None = None) -> int:
    """Evaluates; returns the exit code."""
    args = parse(argv)
    quiet_warnings()
    check_target('--json', args.json)
    if not args.checkpoint:
        args.config, args.checkpoint = find_run(args.config, args.work_dir)
        print(f'testing the newest run: {args.checkpoint} with {args.config}')
    args.deployed = _deployed(args)
    cfg = load_config(args.config, args.cfg_options)
    use_launcher(cfg, args.launcher, args.local_rank)
    _prepare(cfg, args)
    from mmengine.runner import Runner
    runner = Runner.from_cfg(cfg)
    quiet_logger(runner.logger)
    metrics = runner.test()
    if runner.rank == 0:
        if args.deployed:
            args.deployed['engine'] = runner.message_hub.get_info('engine')
        report(args, metrics, runner.message_hub.get_info('latency/records') or [])
    return 0


def parse(argv: list[str] | None) -> Namespace:
    """Parses the command line."""
    parser = ArgumentParser(description='Evaluates a checkpoint and measures its latency on this CPU.')
    parser.add_argument('config', nargs='?', metavar='CONFIG', help='a config [that of the newest run]')
    parser.add_argument('checkpoint', nargs='?', metavar='CHECKPOINT',
                        help='.pth or .safetensors [the best of the newest run, else its last]')
    parser.add_argument('--show-dir', metavar='DIR', help='write pictures of the predictions and grid.png into DIR')
    parser.add_argument('--json', metavar='FILE', help='write metrics and latency records')
    parser.add_argument('--engine', metavar='NAME', help='evaluate and measure the network as this engine runs it, '
                        'one image after the other; see tools/benchmark_cpu.py --help [the model itself]')
    parser.add_argument('--precision', metavar='NAME', help='of the engine, e.g. bf16 [fp32]')
    add_run_arguments(parser)
    return parser.parse_args(argv)


def report(args: Namespace, metrics: dict, records: list[dict]) -> None:
    """Prints the metrics on one line and writes the json."""
    shown = '  '.join(f'{name} {value:.4g}' for name, value in metrics.items() if isinstance(value, int | float))
    print(f'\n{args.checkpoint}\n  {shown}')
    if args.show_dir:
        print(f'  pictures: {args.show_dir}')
    if args.json:
        content = dict(config=str(args.config), checkpoint=str(args.checkpoint), metrics=metrics, latency=records,
                       environment=environment.collect())
        content.update(args.deployed)
        if args.data:
            content['data'] = Path(args.data).resolve().name
        write_atomically(args.json, json.dumps(content, indent=1).encode())
        print(f'  json: {args.json}')


def _prepare(cfg: Config, args: Namespace) -> None:
    from lcvision.datasets.sources import check_source, use_source
    from lcvision.weights import load_state_dict_file
    load_state_dict_file(require_checkpoint(args.checkpoint))
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or f'work_dirs/{Path(args.config).stem}'
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.data:
        use_source(cfg, args.data, train=False)
    else:
        check_source(cfg, train=False)
    override(cfg, args.cfg_options)
    # The checkpoint holds the averaged weights as its model; nothing is averaged here.
    cfg.custom_hooks = [hook for hook in cfg.get('custom_hooks') or [] if not hook_class(hook).endswith('EMAHook')]
    complete_hooks(cfg)
    if args.memory_format:
        set_hook(cfg, 'memory_format', memory_format=args.memory_format)
    if args.deployed:
        if find_hook(cfg, 'latency'):
            set_hook(cfg, 'latency', **args.deployed)
        set_hook(cfg, 'engine', **args.deployed)
    if args.show_dir:
        set_hook(cfg, 'pictures', out_dir=args.show_dir)


def _deployed(args: Namespace) -> dict[str, str]:
    if not (args.engine or args.precision):
        return {}
    chosen = dict(engine=args.engine or 'eager', precision=args.precision or 'fp32')
    select_engine(**chosen)
    return chosen
