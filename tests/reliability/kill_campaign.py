"""Kills trainings at random moments, reads all that they leave, and lets them go on to the end.

By hand: python -m tests.reliability.kill_campaign [--kills 200] [--seed N] [--tasks detection ...]; three seconds of a
core for each kill. A process imports everything once and forks for each part of a run.
"""
import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import torch

from lcvision import files
from lcvision.engine.hooks.atomic_checkpoint_hook import last_checkpoint
from tests.reliability.runs import RUNS, render, same, state, train

_LONGEST_S = 300


class Campaign:
    """Runs of some tasks that are killed and resumed; :attr:`found` counts what happened.

    Args:
        place: Folder for data and runs.
        tasks: Of :data:`RUNS`.
        seed: Of the moments.
    """

    def __init__(self, place: Path, tasks, seed: int):
        self.place, self.rng, self.found, self.faults = place, random.Random(seed), Counter(), list[str]()
        self.data = render(place / 'data', tasks)
        self.calm, self.seconds = {}, {}
        for task in tasks:
            begun = time.monotonic()
            if self._part(task, place / f'{task}-calm'):
                raise SystemExit((place / f'{task}-calm.txt').read_text())
            self.seconds[task] = time.monotonic() - begun
            self.calm[task] = state(place / f'{task}-calm')
        self.folders = {task: place / f'{task}-0' for task in tasks}

    def kill(self, task: str, saving: bool) -> None:
        """Starts or resumes the task's run and kills it, some milliseconds into a file or anywhere; looks at it."""
        folder = self.folders[task]
        delay = self.rng.uniform(0, 0.004) if saving else self.rng.uniform(0.1, 1) * self.seconds[task]
        code = self._part(task, folder, delay, self.rng.randint(1, 6) if saving else 0)
        self.found['kills'] += code == -signal.SIGKILL
        self.found['kills while saving'] += code == -signal.SIGKILL and saving
        self._look(folder)
        if code == 0:
            self._finished(task, folder)
        elif code != -signal.SIGKILL:
            self._fault(f'{folder} ended with {code}: {folder}.txt')
            self._next(task)

    def finish(self) -> None:
        """Lets every run go on to its end."""
        for task, folder in self.folders.items():
            if folder.exists():
                code = self._part(task, folder)
                self._fault(f'{folder} cannot be resumed: {code}') if code else self._finished(task, folder)

    def __str__(self) -> str:
        return f'{dict(self.found)}, {len(self.faults)} faults'

    def _part(self, task: str, folder: Path, delay: float | None = None, writes: int = 0) -> int:
        """Trains in a process of its own, killed after ``delay`` s, counted from its so manieth file if not 0."""
        receiver, sender = os.pipe()
        child = os.fork()
        if not child:
            self._train(task, folder, sender)
        os.close(sender)
        for _ in range(writes):
            os.read(receiver, 1)
        if delay is not None:
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(receiver)
        return os.waitstatus_to_exitcode(status)

    def _train(self, task: str, folder: Path, sender: int) -> None:
        code, plain = 1, files._replace

        def replace(*args):
            os.write(sender, b'.')
            plain(*args)
        try:
            log = os.open(f'{folder}.txt', os.O_CREAT | os.O_APPEND | os.O_WRONLY)
            os.dup2(log, 1), os.dup2(log, 2)
            files._replace = replace
            train(task, self.data, folder, resume=last_checkpoint(folder) is not None)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(code)

    def _look(self, folder: Path) -> None:
        for path in folder.glob('*.pth'):
            self.found['checkpoints read'] += 1
            try:
                torch.load(path, weights_only=False)['state_dict']
            except Exception as error:
                self.found['torn checkpoints'] += 1
                self._fault(f'{path}: {error!r}')
        newest = last_checkpoint(folder)
        if newest and not newest.is_file():
            self.found['invalid last_checkpoint'] += 1
            self._fault(f'{folder}: last_checkpoint names {newest}')

    def _finished(self, task: str, folder: Path) -> None:
        self.found['runs that reached their end'] += 1
        if not same(state(folder), self.calm[task]):
            self._fault(f'{folder} differs from the run that was not killed')
        best, others = list(folder.glob('best_*.pth')), list(folder.glob('[!b]*.pth'))
        if len(best) != 1 or len(others) > 2:
            self._fault(f'{folder} holds {sorted(path.name for path in [*best, *others])}')
        else:
            shutil.rmtree(folder)
        self._next(task)

    def _next(self, task: str) -> None:
        self.folders[task] = self.place / f'{task}-{int(self.folders[task].name.rpartition("-")[2]) + 1}'

    def _fault(self, what: str) -> None:
        self.faults.append(what)


def main() -> None:
    """Kills, reads, resumes, and says what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=200)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--tasks', nargs='+', default=list(RUNS), choices=RUNS)
    args = parser.parse_args()
    place, begun = Path(tempfile.mkdtemp(prefix='lcvision-kill-')), time.monotonic()
    campaign = Campaign(place, args.tasks, args.seed)
    for number in range(10 * args.kills):
        if campaign.found['kills'] >= args.kills:
            break
        campaign.kill(args.tasks[number % len(args.tasks)], saving=campaign.rng.random() < 0.5)
        if number % 10 == 9:
            print(f'{time.monotonic() - begun:.0f} s: {campaign}', flush=True)
    campaign.finish()
    print('\n'.join(campaign.faults))
    print(f'seed {args.seed}, {time.monotonic() - begun:.0f} s: {campaign}')
    if campaign.faults:
        raise SystemExit(f'the runs are in {place}')
    shutil.rmtree(place)


if __name__ == '__main__':
    main()
