"""Whether memory, files and threads grow: python -m tests.reliability.long_runs [train|predict|validate] [--number N].

Prints what each of ten parts of a run ends with; exit code 1 where at the end memory is more than 2 % above the most of
the first three parts, or there are more files, threads or processes.
"""
import argparse
import gc
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope

import lcvision
from lcvision.config import load_config
from lcvision.datasets.sample.sets import render_detection_sample
from lcvision.deploy.network import build_model
from lcvision.inference import Predictor
from lcvision.training import train
from tests.reliability.full_scale import processes
from tests.tiny import DETECTOR

PARTS, WARM, GROWTH = 10, 3, 0.02
NUMBERS = dict(train=5000, predict=3000, validate=50)


def state():
    """MiB that are no file's, of this process and those below it; open files and threads; how many processes."""
    status = dict(line.split(':', 1) for line in Path('/proc/self/status').read_text().splitlines())
    return (sum(map(_memory, processes())), len(os.listdir('/proc/self/fd')),  # noqa: PTH208
            int(status['Threads']), len(processes()))


def _memory(number):
    rollup = dict(line.split()[:2] for line in Path(f'/proc/{number}/smaps_rollup').read_text().splitlines()[1:])
    return sum(int(rollup[f'Pss_{kind}:']) for kind in ('Anon', 'Shmem')) / 1024


class Course:
    """The state at the end of each part."""

    def __init__(self, number):
        self.states, self._every = [], max(1, number // PARTS)

    def __call__(self, done):
        if done % self._every == 0:
            gc.collect()
            self.states.append(state())
            print(done, '{:.1f} MiB, {} files, {} threads, {} processes'.format(*self.states[-1]), flush=True)

    def faults(self):
        """What grew beyond the most of the first parts, a sentence each."""
        warm, last = [max(values) for values in zip(*self.states[:WARM])], self.states[-1]
        if last[0] > warm[0] * (1 + GROWTH):
            yield f'memory grew from {warm[0]:.1f} to {last[0]:.1f} MiB'
        for index, name in enumerate(('files', 'threads', 'processes'), 1):
            if last[index] > warm[index]:
                yield f'{name} grew from {warm[index]} to {last[index]}'


class CourseHook(Hook):
    priority = 'LOWEST'

    def __init__(self, course, of_validations):
        self._course, self._of_validations, self._number = course, of_validations, 0

    def after_train_iter(self, runner, *args, **kwargs):
        if not self._of_validations:
            self._course(runner.iter + 1)

    def after_val_epoch(self, runner, metrics=None):
        if self._of_validations:
            self._number += 1
            self._course(self._number)


def run(number, folder, validations=False):
    """Trains a tiny detector for so many steps, with two processes that load images, or validates it so many times."""
    course, build, steps = Course(number), train.build_runner, 4 if validations else 18
    cfg, epochs = load_config('picodet_pplcnet_0_5x_sample'), number if validations else -(-number // steps)
    cfg.merge_from_dict({
        **DETECTOR, 'default_hooks.checkpoint.interval': 1000, 'default_hooks.logger.interval': 1000,
        'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': True,
        'train_dataloader.batch_size': 2, 'train_dataloader.dataset.indices': 2 * steps,
        'train_cfg.val_interval': 1, 'train_cfg.val_begin': 1 if validations else epochs + 1,
        **({} if validations else {'default_hooks.latency': None})})
    render_detection_sample(Path(folder, 'data'), 38, 12)

    def build_and_look(*arguments):
        runner = build(*arguments)
        runner.register_hook(CourseHook(course, validations))
        return runner

    train.build_runner = build_and_look
    try:
        lcvision.train(cfg, Path(folder, 'data'), epochs=epochs, work_dir=Path(folder, 'run'),
                       memory_format='contiguous')
    finally:
        train.build_runner = build
    return course


def predict(number, folder, sizes=60, engine='best'):
    """Predicts images of many sizes, from 1 x 1 to 1200 pixels, in the same order again and again."""
    course, rng = Course(number), np.random.default_rng(0)
    cfg = load_config('picodet_pplcnet_0_5x')
    cfg.merge_from_dict({key: value for key, value in DETECTOR.items() if key.startswith(('model.', 'test_data'))})
    init_default_scope('mmdet')
    checkpoint = Path(folder, 'model.pth')
    torch.save(dict(state_dict=build_model(cfg).state_dict(), meta={}), checkpoint)
    predictor = Predictor(cfg, str(checkpoint), engine, threads=1)
    images = [rng.integers(0, 256, (*size, 3), np.uint8) for size in [(1, 1), *rng.integers(8, 1200, (sizes, 2))]]
    for done in range(1, number + 1):
        predictor(images[done % len(images)])
        course(done)
    return course


RUNS = dict(train=run, predict=predict, validate=lambda number, folder: run(number, folder, True))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('what', nargs='*', default=list(RUNS), choices=[*RUNS, []])
    parser.add_argument('--number', type=int)
    args = parser.parse_args(argv)
    faults = []
    for what in args.what:
        print(what)
        with tempfile.TemporaryDirectory() as folder:
            course = RUNS[what](args.number or NUMBERS[what], folder)
        faults += [f'{what}: {fault}' for fault in course.faults()]
    print('\n'.join(faults) or 'nothing grew')
    return bool(faults)


if __name__ == '__main__':
    sys.exit(main())
