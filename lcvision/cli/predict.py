"""Predicts images, a folder or a video: pictures and a JSON of results."""
import json
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

import cv2
import numpy as np

from lcvision.cli.config import load_config
from lcvision.cli.launch import quiet_warnings, require_checkpoint
from lcvision.cli.test import find_run
from lcvision.datasets.image_folder import EXTENSIONS
from lcvision.errors import UserError
from lcvision.files import write_atomically

_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 92]


def main(argv: list[str] | None = None) -> int:
    """Predicts; returns the exit code."""
    args = parse(argv)
    quiet_warnings()
    _check_paths(args)
    if not args.checkpoint:
        args.config, args.checkpoint = find_run(args.config)
        print(f'predicting with the newest run: {args.checkpoint} with {args.config}')
    elif not args.config:
        raise UserError(f'--checkpoint {args.checkpoint} without --config: give the config that it was trained with')
    from lcvision.inference import Predictor
    config = load_config(args.config, args.cfg_options)
    predictor = Predictor(config, require_checkpoint(args.checkpoint), engine=args.engine, threads=args.threads,
                          precision=args.precision)
    results: list[dict] = []
    times: list[float] = []
    used: set[str] = set()
    start = time.perf_counter()
    for frame, result in predictor.stream(args.source):
        times.append((time.perf_counter() - start) * 1e3)
        name = _free_name(frame.name, used)
        entry = {'image': frame.name, **result.as_json(predictor.classes)}
        if predictor.task == 'segmentation':
            entry['labels'] = f'labels/{name}.png'
            _write(args.out / entry['labels'], result.labels)
        _write(args.out / f'{name}.jpg', predictor.draw(frame.image, result, args.score_thr))
        results.append(entry)
        start = time.perf_counter()
    content = dict(config=str(args.config), checkpoint=str(args.checkpoint), task=predictor.task,
                   engine=predictor.engine, threads=predictor.threads, classes=list(predictor.classes),
                   results=results)
    write_atomically(args.out / 'results.json', (json.dumps(content, indent=1) + '\n').encode())
    print(f'{len(results)} image(s) in {args.out}, with results.json; {np.median(times):.1f} ms an image on '
          f'{predictor.engine}, {predictor.threads} thread(s), reading included, drawing not')
    return 0


def parse(argv: list[str] | None) -> Namespace:
    """Parses the command line."""
    from mmengine.config import DictAction
    parser = ArgumentParser('tools/predict.py', description='Draws what a model finds, and writes it as JSON.')
    parser.add_argument('source', metavar='SOURCE', help='an image, a folder of images or a video')
    parser.add_argument('--config', metavar='CONFIG', help='the config that was trained [that of the newest run]')
    parser.add_argument('--checkpoint', metavar='FILE', help='.pth or .safetensors [the best of the newest run]')
    parser.add_argument('--out', metavar='DIR', type=Path, default=Path('predictions'),
                        help='folder of the pictures and results.json [predictions]')
    parser.add_argument('--score-thr', type=float, default=0.3, metavar='S',
                        help='objects below are in results.json, but not drawn [0.3]')
    parser.add_argument('--engine', default='eager', metavar='NAME',
                        help='how the network is run; best: the quickest, measured once and remembered [eager]')
    parser.add_argument('--threads', type=int, metavar='N', help='[as many as can run at once]')
    parser.add_argument('--precision', default='fp32', metavar='NAME', help='[fp32]')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='K=V',
                        help='entries of the config to override')
    args = parser.parse_args(argv)
    if not 0 <= args.score_thr <= 1:
        raise UserError(f'--score-thr {args.score_thr}: give a number from 0 to 1')
    return args


def _check_paths(args: Namespace) -> None:
    source = Path(args.source).expanduser()
    if not source.exists():
        raise UserError(f'there is no {source}: give an image, a folder of images or a video')
    if source.is_dir() and args.out.resolve().is_relative_to(source.resolve()):
        raise UserError(f'--out {args.out} lies within {source}, whose images the next run would find it among: '
                        'give a folder elsewhere')
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f'--out {args.out} is no folder that can be written ({error.strerror}): give another') \
            from error


def _free_name(name: str, used: set[str]) -> str:
    """The name of a picture: that of its image without the ending, with a number where that is taken."""
    path = Path(name)
    stem = (path.with_suffix('') if path.suffix.lower() in EXTENSIONS else path).as_posix().lstrip('/')
    free, number = stem, 1
    while free in used:
        number += 1
        free = f'{stem}_{number}'
    used.add(free)
    return free


def _write(path: Path, picture: np.ndarray) -> None:
    picture = picture.astype(np.uint16) if picture.dtype == np.int16 else picture
    content = cv2.imencode(path.suffix, picture, _JPEG if path.suffix == '.jpg' else [])[1].tobytes()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error.strerror}): check the disk and the permissions of the '
                        'folder, or choose another with --out') from error
