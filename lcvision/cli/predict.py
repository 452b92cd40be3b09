"""Predicts images, a folder or a video: pictures, and results as they come."""
import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from lcvision.errors import UserError
from lcvision.files import write_atomically, writing
from lcvision.image_file import EXTENSIONS
from lcvision.inference import Predictor
from lcvision.inference.frames import VIDEO_EXTENSIONS, Frame
from lcvision.inference.in_order import in_order
from lcvision.inference.results import Result
from lcvision.visualization import PictureFolder

# What results.json says; files that do not are never replaced.
_MADE_BY = 'tools/predict.py'


def main(argv: list[str] | None = None) -> int:
    """Predicts; returns 1 if something could not be read."""
    args = _parse(argv)
    _check_paths(args)
    results = _ResultFiles(args.out)
    if args.model:
        source = Path(args.source).expanduser()
        many = (source.is_dir() or source.suffix.lower() in VIDEO_EXTENSIONS) and Path(args.model).suffix != '.pt2'
        predictor = Predictor(args.model, engine=args.engine or 'best', threads=args.threads, precision=args.precision,
                              trust_code=args.trust_code, hint='throughput' if many else 'latency')
        return _run(predictor, args, results, model=args.model)
    # Here, since an exported file needs no torch; the next line is that of run_tool.
    import torch

    from lcvision.training.launch import quiet_warnings
    torch.set_flush_denormal(True)
    with quiet_warnings():
        predictor = _trained(args)
        return _run(predictor, args, results, config=str(args.config), checkpoint=str(args.checkpoint))


def _trained(args: Namespace) -> Predictor:
    from lcvision.config import load_config
    from lcvision.training.newest_run import find_run
    if not args.checkpoint:
        args.config, args.checkpoint = find_run(args.config, args.work_dir)
        print(f'predicting with the newest run: {args.checkpoint} with {args.config}')
    elif not args.config:
        raise UserError(f'--checkpoint {args.checkpoint} without --config: give the config that it was trained with')
    return Predictor(load_config(args.config, _options(args.cfg_options)), args.checkpoint,
                     engine=args.engine or 'eager', threads=args.threads, precision=args.precision)


def _options(given: list[str] | None) -> dict | None:
    """``--cfg-options`` as read by mmengine, which an exported file does without."""
    if not given:
        return None
    from lcvision.config import ConfigOptions
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOptions)
    return parser.parse_args(['--cfg-options', *given]).cfg_options


def _run(predictor: Predictor, args: Namespace, results: '_ResultFiles', **made_of: str) -> int:
    results.begin(**made_of, source=args.source, task=predictor.task, precision=predictor.precision,
                  threads=predictor.threads, classes=list(predictor.classes))
    start, complete = time.perf_counter(), False
    try:
        _predict(predictor, args, results)
        complete = True
    finally:
        results.end(complete, engine=predictor.engine)
        if results.count:
            rate = results.count / (time.perf_counter() - start)
            print(f'{results.count} image(s) in {args.out}, with results.jsonl; {rate:.3g} images/s on '
                  f'{predictor.engine}, {predictor.threads} thread(s), with reading and '
                  f"{'without' if args.no_pictures else 'with'} drawing")
    if results.skipped:
        print(f'{len(results.skipped)} file(s) could not be read to the end and have an error in '
              f'{args.out / "results.jsonl"}: {results.skipped[0]}', file=sys.stderr)
    return 1 if results.skipped else 0


def _parse(argv: list[str] | None) -> Namespace:
    parser = ArgumentParser(description='Draws what a model finds, and writes it as JSON.')
    parser.add_argument('source', metavar='SOURCE', help='an image, a folder of images or a video')
    parser.add_argument('--config', metavar='CONFIG', help='the config that was trained [that of the newest run]')
    parser.add_argument('--checkpoint', metavar='FILE', help='.pth or .safetensors [the best of the newest run]')
    parser.add_argument('--model', metavar='FILE', help='an exported file instead of both: .onnx, .xml or .pt2; .onnx '
                        'and .xml run without torch')
    parser.add_argument('--trust-code', action='store_true', help='load a .pt2 file, which is machine code')
    parser.add_argument('--out', metavar='DIR', type=Path, default=Path('predictions'),
                        help='folder of the pictures, of results.jsonl, a line for each image, and of results.json, '
                        'what made them; files of yours are never replaced [predictions]')
    parser.add_argument('--work-dir', metavar='DIR', help='folder of a training to predict with [work_dirs/NEWEST]')
    parser.add_argument('--score-thr', type=float, default=0.3, metavar='S',
                        help='objects below are in results.jsonl, but not drawn [0.3]')
    parser.add_argument('--no-pictures', action='store_true', help='write results.jsonl, but draw nothing')
    parser.add_argument('--engine', metavar='NAME', help="how the network is run; best: the fastest, measured once and "
                        "remembered [eager, and of an exported file its own runtime]")
    parser.add_argument('--threads', type=int, metavar='N', help='[as many as can run at once]')
    parser.add_argument('--precision', metavar='NAME', help='[fp32, and of an exported file its own]')
    parser.add_argument('--cfg-options', nargs='+', metavar='K=V', help='entries of the config to override')
    args = parser.parse_args(argv)
    if not 0 <= args.score_thr <= 1:
        raise UserError(f'--score-thr {args.score_thr}: give a number from 0 to 1')
    extra = [option for option in ('config', 'checkpoint', 'work_dir', 'cfg_options') if getattr(args, option)]
    if args.model and extra:
        raise UserError(f"--model {args.model} is all there is to a model: leave out --{extra[0].replace('_', '-')}")
    return args


def _check_paths(args: Namespace) -> None:
    source, there = Path(args.source).expanduser(), False
    with suppress(OSError):  # a name that no file can have
        there = source.exists()
    if not there:
        raise UserError(f'there is no {source}: give an image, a folder of images or a video')
    if source.is_dir() and args.out.resolve().is_relative_to(source.resolve()):
        raise UserError(f'--out {args.out} lies within {source}, where the next run would take its pictures for images '
                        'to predict: give a folder elsewhere')
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f'--out {args.out} is no folder that can be written ({error.strerror}): give another') \
            from error


def _predict(predictor: Predictor, args: Namespace, results: '_ResultFiles') -> None:
    """Predicts, draws and writes images, in their order, as many at a time as the predictor takes."""
    pictures = PictureFolder(args.out, Path(args.source).expanduser())
    labels = ['labels/{}.png'] if predictor.task == 'segmentation' else []
    torn: list[tuple[str, UserError]] = []

    def found() -> Iterator[tuple[Frame, Result, str] | tuple[str, UserError]]:
        for one in chain(predictor.stream(args.source, skipped=lambda *why: torn.append(why)), [None]):
            yield from torn
            torn.clear()
            if one:
                name = Path(one[0].name)
                stem = (name.with_suffix('') if name.suffix.lower() in EXTENSIONS else name).as_posix()
                yield *one, pictures.free_stem(stem, '{}.jpg', *labels)

    def draw(one: tuple) -> dict[str, Any] | tuple[str, UserError]:
        if len(one) == 2:
            return one
        frame, result, stem = one
        entry = {'image': frame.name, 'picture': f'{stem}.jpg', **result.as_json(predictor.classes)}
        if labels:
            entry['labels'] = f'labels/{stem}.png'
            wide = result.labels.dtype == np.int16
            pictures.write(entry['labels'], result.labels.astype(np.uint16) if wide else result.labels)
        if args.no_pictures:
            del entry['picture']
        else:
            pictures.write(entry['picture'], predictor.draw(frame.image, result, args.score_thr))
        return entry

    for made in in_order(draw, found(), predictor.workers):
        if isinstance(made, tuple):
            results.skip(*made)
        else:
            results.add(made)


class _ResultFiles:
    """``results.jsonl``, a line of JSON for each image as it comes, and ``results.json``, what made them.

    Raises UserError if the folder has files of these names that are not of an earlier run.
    """

    def __init__(self, folder: Path):
        self.skipped: list[str] = []
        self._lines, self._summary = folder / 'results.jsonl', folder / 'results.json'
        self._run: dict[str, Any] = {}
        self.count = 0
        if os.path.lexists(self._lines) or os.path.lexists(self._summary):
            try:
                known = json.loads(self._summary.read_bytes())['made_by'] == _MADE_BY
            except (OSError, ValueError, KeyError, TypeError):
                known = False
            if not known:
                raise UserError(f'--out {folder} has a results.jsonl or results.json that lcvision predict did not '
                                'write and will not replace: give another folder')

    def begin(self, **run: Any) -> None:
        """Starts both files; ``run`` is what makes the results."""
        self._run = dict(made_by=_MADE_BY, **run)
        self.end(complete=False)
        self._write('wb', '')

    def add(self, entry: dict[str, Any]) -> None:
        """Writes what was found on an image."""
        self._write('ab', json.dumps(entry) + '\n')
        self.count += 1

    def skip(self, name: str, error: UserError) -> None:
        """Writes why an image was not read."""
        self._write('ab', json.dumps({'image': name, 'error': str(error)}) + '\n')
        self.skipped.append(str(error))

    def end(self, complete: bool, **run: Any) -> None:
        """Writes what made the results, and whether all of the source was predicted."""
        content = {**self._run, **run, 'images': self.count, 'skipped': len(self.skipped), 'complete': complete}
        with writing(self._summary):
            write_atomically(self._summary, (json.dumps(content, indent=1) + '\n').encode())

    def _write(self, mode: str, text: str) -> None:
        with writing(self._lines), self._lines.open(mode) as file:
            file.write(text.encode())
