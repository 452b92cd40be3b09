"""Counts parameters and multiply-adds of models, in the conventions of the papers."""
import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from lcvision.complexity import Complexity, count_layers
from lcvision.config import ConfigOptions, find_config, load_config
from lcvision.deploy.input_size import find_input_size, parse_input_size
from lcvision.deploy.network import RawNetwork, build_model
from lcvision.files import check_target, write_atomically
from lcvision.tasks import task_of
from lcvision.text import table
from lcvision.training.launch import quiet_warnings

_HEADS = ('params', 'with BN statistics', 'MACs', 'Paddle FLOPs')
_NOTE = '''MACs: multiply-adds of convolutions and linear layers (EfficientNet-eLite, Seesaw-Net). Paddle FLOPs
(PP-LCNet): two operations more for every element of a BN, one for every bias of a convolution and
every element of a global average pooling; activations count nothing. M: millions.'''


@quiet_warnings()
def main(argv: Sequence[str] | None = None) -> int:
    """Counts and prints: one model stage by stage, several with a line each."""
    parser = argparse.ArgumentParser(description='Counts parameters and multiply-adds of the network of each config; '
                                     'one config is shown stage by stage.')
    parser.add_argument('configs', nargs='+', metavar='CONFIG', type=find_config, help='of any task, by path or name')
    parser.add_argument('--input-size', metavar='HxW', help="instead of the config's own test size")
    parser.add_argument('--json', metavar='FILE', help='write the counts, parts included')
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOptions, metavar='K=V', help='override config entries')
    args = parser.parse_args(argv)
    check_target('--json', args.json)
    size = parse_input_size(args.input_size) if args.input_size else None
    counts = [count_config(path, size, args.cfg_options) for path in dict.fromkeys(args.configs)]
    if len(counts) == 1:
        rows = [*((part['name'], part) for part in counts[0]['parts']), ('total', counts[0])]
        print(f"{counts[0]['config']}, input {'x'.join(map(str, counts[0]['input']))}\n")
    else:
        rows = [(f"{Path(c['config']).stem} {'x'.join(map(str, c['input']))}", c) for c in counts]
    print('\n'.join(table([('', *_HEADS), *((name, *_cells(counts)) for name, counts in rows)])))
    print(f'\n{_NOTE}')
    if args.json:
        write_atomically(args.json, (json.dumps(counts, indent=1) + '\n').encode())
        print(f'json: {args.json}')
    return 0


def count_config(path: str, size: tuple[int, int] | None = None, cfg_options: dict | None = None) -> dict:
    """Counts the network of a config, given by path or name, at this height and width or that of its test images.

    Returns:
        ``config``, ``input`` and the counts ``params``, ``buffers``, ``macs`` and ``paddle_flops``, and under
        ``parts`` the same counts for the stem, each stage, the neck and the head.
    """
    cfg = load_config(path, cfg_options)
    size = size or find_input_size(cfg)
    # Without memory: shapes are enough to count.
    with torch.device('meta'):
        model = build_model(cfg, calibrated=False)
    modules = dict(model.named_children())
    network = RawNetwork(modules['backbone'], modules.get('neck'), modules[task_of(model).head])
    parts: dict[str, Complexity] = {}
    for name, counts in count_layers(network, torch.empty(1, 3, *size, device='meta')).items():
        part = _part_of(name)
        parts[part] = parts.get(part, Complexity(0, 0, 0, 0)) + counts
    total = sum(parts.values(), Complexity(0, 0, 0, 0))
    return {'config': path, 'input': list(size), **_as_json(total),
            'parts': [{'name': name, **_as_json(counts)} for name, counts in parts.items()]}


def _part_of(name: str) -> str:
    """'backbone.stages.3' for anything inside, 'backbone.stem', 'neck' or 'head'."""
    first, *rest = name.split('.')
    if first != 'backbone' or not rest:
        return first
    return '.'.join([first, *rest[:2 if len(rest) > 1 and rest[1].isdigit() else 1]])


def _as_json(counts: Complexity) -> dict:
    return {name: getattr(counts, name) for name in ('params', 'buffers', 'macs', 'paddle_flops')}


def _cells(counts: dict) -> tuple[str, ...]:
    return (f"{counts['params']:,}", f"{counts['params'] + counts['buffers']:,}", f"{counts['macs'] / 1e6:,.2f}M",
            f"{counts['paddle_flops'] / 1e6:,.2f}M")
