"""Checks a folder of data before a training, and mends it in a copy."""
import dataclasses
import json
import re
from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path

from mmengine.logging import MMLogger
from rich.console import Console

from lcvision.config import load_config
from lcvision.datasets.check.copy import write_copy
from lcvision.datasets.check.faults import Finding, find_faults, look_at
from lcvision.datasets.check.layouts import Found, read_folder
from lcvision.datasets.check.picture import draw_samples
from lcvision.datasets.sources import use_source
from lcvision.deploy.input_size import find_input_size
from lcvision.errors import UserError
from lcvision.files import check_target, write_atomically
from lcvision.text import listing, table
from lcvision.training.console import start_log
from lcvision.training.launch import quiet_warnings
from lcvision.visualization import PictureFolder

# To start with; the second is for fewer training images than this, and of classification for smaller ones.
_CONFIGS = {'detection': ('picodet_pplcnet_1x', 'picodet_pplcnet_0_5x_bccd'),
            'segmentation': ('deeplabv3plus_pplcnet_0_5x', 'deeplabv3plus_pplcnet_0_5x_camvid'),
            'classification': ('pplcnet_1x', 'pplcnet_0_5x_cifar10')}
_FEW, _SMALL, _SHOWN = 5000, 65, 20


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
    if args.show_dir.resolve().is_relative_to(args.data.resolve()):
        raise UserError(f'--show-dir {args.show_dir} lies within {args.data}, where its picture would be taken for '
                        'data: give another folder')
    start_log()
    for handler in MMLogger.get_current_instance().handlers:
        handler.addFilter(lambda record: bool(re.search(r': \d+( of \d+)?$', str(record.msg))))  # only progress
    found = look_at(read_folder(args.data), args.decode)
    seen = [one for part in found.parts for one in part.seen]
    if all(one.fault or one.mask_fault for one in seen):
        reason = f'first {found.parts[0].images[0]} ({seen[0].fault or seen[0].mask_fault})'
        raise UserError(f'no image of {args.data} can be used, {reason}: put the images where the annotations say, or '
                        'restore them')
    classes = found.task == 'classification'
    small = max(max(one.size) for one in seen) < _SMALL if classes else len(found.parts[0].images) < _FEW
    config = args.config or _CONFIGS[found.task][small]
    said, size = _try_training(found, args.data, config)
    findings = [*find_faults(found, size), *said]
    if args.fix:
        write_copy(found, args.data, args.fix)
    _report(found, findings, args, config)
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


def _report(found: Found, findings: list[Finding], args: Namespace, config: str) -> None:
    train = f'train with: lcvision train {config} --data {args.fix or args.data}'
    advice = f'{args.fix} is a repaired copy; {train}' if args.fix else train
    if not args.fix and not (found.native and all(one.level == 'warning' or not one.mended for one in findings)):
        advice = f'{"repair" if found.native else "convert"} with: lcvision check-data {args.data} --fix OUT'
    folder = PictureFolder(args.show_dir, args.data)
    picture = f"{folder.free_stem(args.data.resolve().stem, '{}.jpg')}.jpg"
    folder.write(picture, draw_samples(found))
    splits = {part.name: {'images': len(part.images), 'classes': part.counts, 'sizes': dict(Counter(
        'x'.join(map(str, seen.size)) for seen in part.seen if not seen.fault).most_common())} for part in found.parts}
    if args.json:
        content = {'schema': 1, 'data': str(args.data), 'task': found.task, 'layout': found.layout, 'advice': advice,
                   'splits': splits, 'findings': [dataclasses.asdict(finding) for finding in findings]}
        write_atomically(args.json, (json.dumps(content, indent=1) + '\n').encode())
    counts = [part.counts for part in found.parts]
    names = sorted(found.parts[0].classes, key=lambda name: -sum(count[name] for count in counts))
    rows = [['', *splits], ['images', *(str(len(part.images)) for part in found.parts)],
            *([name, *(f'{count[name]:,}' for count in counts)] for name in names[:_SHOWN])]
    more = [f'and {len(names) - _SHOWN} classes more; --json has all'] * (len(names) > _SHOWN)
    sizes = dict.fromkeys(size for split in splits.values() for size in split['sizes'])  # type: ignore[attr-defined]
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print('\n'.join([f'{found.task}: {found.layout}', *table(rows), *more, f'sizes: {listing([*sizes])}']))
    for finding in findings:
        console.print(f'{finding.level:8}', style={'error': 'red', 'warning': 'yellow'}[finding.level], end='')
        console.print(str(finding))
    console.print('nothing is wrong\n' * (not findings) + f'{advice}\nsamples: {args.show_dir / picture}')
