"""Checks a folder of data before a training, and mends it in a copy."""
import dataclasses
import json
import re
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

from mmengine.logging import MMLogger
from rich.console import Console

from lcvision.config import load_config
from lcvision.datasets.check.copy import write_copy
from lcvision.datasets.check.faults import Finding, Seen, equal_images, find_faults, look_at
from lcvision.datasets.check.layouts import Found, read_folder
from lcvision.datasets.check.picture import draw_samples
from lcvision.datasets.sources import use_source
from lcvision.deploy.input_size import find_input_size
from lcvision.errors import UserError
from lcvision.files import check_target, write_atomically
from lcvision.text import table
from lcvision.training.console import start_log
from lcvision.training.launch import quiet_warnings
from lcvision.visualization import PictureFolder

# To start with; the last is for images of up to so many pixels a side.
_CONFIGS = {'detection': 'picodet_pplcnet_1x', 'segmentation': 'deeplabv3plus_pplcnet_0_5x',
            'classification': 'pplcnet_1x', 'small': 'pplcnet_0_5x_cifar10'}
_SMALL, _SHOWN = 64, 20


@quiet_warnings()
def main(argv: list[str] | None = None) -> int:
    """Checks; returns 1 if something is wrong that training would stop at, or that makes its metric wrong."""
    parser = ArgumentParser(description='Says what is in a folder of data, what is wrong, and how to train on it.')
    parser.add_argument('data', metavar='DIR', type=Path, help='a folder or file in a layout that --data takes, or an '
                        'export of Label Studio, Roboflow, YOLO or Pascal VOC')
    parser.add_argument('--fix', metavar='OUT', type=Path, help='write a repaired copy that --data takes')
    parser.add_argument('--config', metavar='CONFIG', help='that will be trained [one for the task]')
    parser.add_argument('--decode', action='store_true', help='decode every image, instead of reading header and end')
    parser.add_argument('--show-dir', metavar='DIR', type=Path, default=Path('check_data'),
                        help='folder of the picture of samples [check_data]')
    parser.add_argument('--json', metavar='FILE', help='write everything found')
    args = parser.parse_args(argv)
    check_target('--json', args.json)
    start_log()
    for handler in MMLogger.get_current_instance().handlers:
        handler.addFilter(lambda record: bool(re.search(r': \d+( of \d+)?$', str(record.msg))))  # only progress
    found = read_folder(args.data)
    every = look_at(found, args.decode)
    if all(seen.fault or seen.mask_fault for images in every for seen in images):
        reason = f'{found.parts[0].images[0]} ({every[0][0].fault or every[0][0].mask_fault})'
        raise UserError(f'no image of {args.data} can be used, first {reason}: put the images where the annotations say, '
                        'or restore them')
    equal = equal_images(found, every)
    config = args.config or _config_for(found, every)
    findings, size = _try_training(found, args.data, config)
    findings = [*find_faults(found, every, equal, size), *findings]
    if args.fix:
        write_copy(found, every, equal, args.data, args.fix)
    train = f'lcvision train {config} --data {args.fix or args.data}'
    if args.fix:
        advice = f'{args.fix} is a repaired copy; train with: {train}'
    elif not found.native or any(finding.mended and finding.level == 'error' for finding in findings):
        advice = f'{"repair" if found.native else "convert"} with: lcvision check-data {args.data} --fix OUT'
    else:
        advice = f'train with: {train}'
    folder = PictureFolder(args.show_dir, args.data)
    picture = f"{folder.free_stem(args.data.resolve().stem, '{}.jpg')}.jpg"
    folder.write(picture, draw_samples(found, every))
    _show(found, every, findings, f'{advice}\nsamples: {args.show_dir / picture}')
    if args.json:
        content = {'schema': 1, 'data': str(args.data), 'task': found.task, 'layout': found.layout, 'advice': advice,
                   'splits': {part.name: {'images': len(part.images), 'classes': part.counts, 'sizes': _sizes(seen)}
                              for part, seen in zip(found.parts, every)},
                   'findings': [dataclasses.asdict(finding) for finding in findings]}
        write_atomically(args.json, (json.dumps(content, indent=1) + '\n').encode())
    return int(any(finding.level == 'error' for finding in findings))


def _try_training(found: Found, root: Path, config: str) -> tuple[list[Finding], tuple[int, int]]:
    """What training would say, and the size of its input."""
    cfg, findings = load_config(config), []
    if found.native:
        try:
            use_source(cfg, str(root), train=True)
        except UserError as error:
            findings.append(Finding('error', 'training', f'stops: {error}'))
    return findings, find_input_size(cfg)


def _config_for(found: Found, every: list[list[Seen]]) -> str:
    small = max((max(seen.size) for images in every for seen in images), default=0) <= _SMALL
    return _CONFIGS['small' if small and found.task == 'classification' else found.task]


def _sizes(images: list[Seen]) -> dict[str, int]:
    """How many images there are of each size, the commonest sizes first."""
    return dict(Counter(f'{seen.size[0]}x{seen.size[1]}' for seen in images if not seen.fault).most_common())


def _show(found: Found, every: list[list[Seen]], findings: list[Finding], foot: str) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f'{found.task}: {found.layout}', markup=False)
    counts = [part.counts for part in found.parts]
    names = sorted(found.parts[0].classes, key=lambda name: -sum(count[name] for count in counts))
    rows = [['', *(part.name for part in found.parts)], ['images', *(str(len(part.images)) for part in found.parts)],
            *([name, *(f'{count[name]:,}' for count in counts)] for name in names[:_SHOWN])]
    console.print('\n'.join(table(rows)), markup=False)
    if len(names) > _SHOWN:
        console.print(f'and {len(names) - _SHOWN} classes more; --json has all')
    console.print('sizes: ' + ', '.join(list(_sizes([seen for images in every for seen in images]))[:4]))
    for finding in findings:
        console.print(f'{finding.level:8}', style={'error': 'red', 'warning': 'yellow'}[finding.level], end='')
        console.print(str(finding), markup=False)
    console.print(foot if findings else f'nothing is wrong\n{foot}', markup=False)
