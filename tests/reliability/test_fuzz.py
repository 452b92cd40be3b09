"""A short form of the fuzzing, and that it would find what it looks for."""
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from lcvision.errors import UserError
from tests.reliability import fuzz


def test_readers_read_or_refuse():
    # In a process of its own: what is forked must not have threads of OpenVINO.
    command = [sys.executable, '-W', 'ignore', '-m', 'tests.reliability.fuzz', '--cases', '10', '--seed', '15']
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.count(': 10 cases') == len(fuzz.READERS), done.stdout + done.stderr


def _refuse(text):
    raise UserError(text)


def _take(size):
    return len(bytearray(os.urandom(1 << 20) * (size >> 20)))


class Wrong:
    """A reader that does in each case another of the things that none may do."""

    cases = ('crash', 'traceback'), ('hang', 'hang'), ('memory', 'memory'), ('write', 'outside'), ('read', 'outside'), (
        'start', 'outside'), ('line', 'read'), ('refuse', 'refused'), ('whole', 'read')

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder.parent / 'outside/secret').touch()
        self.number = 0

    def case(self, rng: random.Random) -> fuzz.Case:
        self.number += 1
        return getattr(self, self.cases[self.number - 1][0])

    def crash(self):
        raise ValueError

    def hang(self):
        while True:
            time.process_time()

    def memory(self):
        _take(fuzz._MEMORY + (64 << 20))

    def write(self):
        (self.folder.parent / 'elsewhere').touch()

    def read(self):
        (self.folder.parent / 'outside/secret').read_bytes()

    def start(self):
        os.system('true')

    def line(self):
        print('x')

    def refuse(self):
        _refuse('no')

    def whole(self):
        (self.folder / 'x').touch()


def test_what_no_reader_may_do_is_found(monkeypatch):
    monkeypatch.setitem(fuzz.READERS, 'Wrong', __name__)
    monkeypatch.setattr(fuzz, '_MEMORY', 100 << 20)
    monkeypatch.setattr(fuzz, '_SECONDS', .2)
    _, findings = fuzz.run('Wrong', 0, range(len(Wrong.cases)))
    assert [(number, kind) for number, kind, _ in findings] == [
        (number, kind) for number, (_, kind) in enumerate(Wrong.cases) if kind not in ('read', 'refused')]
