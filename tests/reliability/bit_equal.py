"""Interrupts trainings and compares what they become with trainings that ran through, bit for bit.

By hand: python -m tests.reliability.bit_equal [--tasks detection ...] [--precisions fp32 ...] [--threads 1 ...]; all
tasks, precisions, numbers of threads and of workers take five minutes.
"""
import argparse
import hashlib
import os
import pickle
import random
import signal
import tempfile
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import cache
from itertools import product
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from mmengine.optim import OptimWrapper

from lcvision.errors import Stopped
from tests.reliability.runs import RUNS, render, same, state, train


class _Crash(Exception):
    """Ends a training where it is."""


def watched(task: str, data: Path, folder: Path, end: tuple[str, int] | None = None, **options) -> list[str]:
    """Trains, until a step that is ended by 'sigterm' or a 'crash'; returns for each step what it drew and found."""
    steps, plain = [], OptimWrapper.update_params

    def update_params(self, loss, *args, **kwargs):
        drawn = random.getstate(), np.random.get_state(), torch.get_rng_state().numpy().tobytes(), float(loss.detach())
        steps.append(hashlib.sha1(pickle.dumps(drawn)).hexdigest())
        if end and len(steps) == end[1]:
            if end[0] == 'crash':
                raise _Crash
            os.kill(os.getpid(), signal.SIGTERM)
        return plain(self, loss, *args, **kwargs)
    try:
        with mock.patch.object(OptimWrapper, 'update_params', update_params), suppress(_Crash):
            train(task, data, folder, **options)
    except Stopped:
        if end != ('sigterm', len(steps)):  # somebody else's
            raise
    return steps


def differences(task: str, data: Path, place: Path, end: str, step: int, workers: tuple[int, int] = (0, 0),
                bf16: bool = False) -> list[str]:
    """Of a run that ends in a step and goes on, each part with so many workers; what differs, in words."""
    whole, part = place / f'{task}-whole-{bf16}', place / f'{task}-{end}-{step}-{workers}-{bf16}'
    steps = _through(task, data, whole, bf16)
    first = watched(task, data, part, (end, step), workers=workers[0], bf16=bf16)
    rest = watched(task, data, part, resume=True, workers=workers[1], bf16=bf16)
    kept = step if end == 'sigterm' else step - 1 - (step - 1) % RUNS[task][3]
    return [what for what, equal in (
        ('number of steps', len(steps) == RUNS[task][2] and len(first) == step),
        ('random numbers or losses', first[:kept] + rest == steps),
        ('final state', same(state(whole), state(part)))) if not equal]


@cache
def _through(task: str, data: Path, folder: Path, bf16: bool) -> list[str]:
    return watched(task, data, folder, bf16=bf16)


def main() -> None:
    """All combinations of what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--tasks', nargs='+', default=list(RUNS), choices=RUNS)
    parser.add_argument('--precisions', nargs='+', default=['fp32', 'bf16'], choices=['fp32', 'bf16'])
    parser.add_argument('--threads', nargs='+', type=int, default=[1, 2])
    args = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix='lcvision-equal-'))
    data, failed, number = render(place / 'data'), 0, 0
    ends = ('sigterm', 5), ('sigterm', 8), ('crash', 7)
    for task, precision, threads, workers, (end, step) in product(
            args.tasks, args.precisions, args.threads, ((0, 2), (2, 0)), ends):
        torch.set_num_threads(threads)
        with redirect_stdout(None), redirect_stderr(None):
            wrong = differences(task, data, place / str(threads), end, step, workers, precision == 'bf16')
        number, failed = number + 1, failed + bool(wrong)
        print(f'{task}, {precision}, {threads} threads, workers {workers[0]} then {workers[1]}, {end} '
              f'in step {step}: {"differs in " + ", ".join(wrong) if wrong else "equal"}', flush=True)
    print(f'{number} trainings interrupted and resumed, {number - failed} equal in every bit, {failed} not')
    raise SystemExit(failed > 0)


if __name__ == '__main__':
    main()
