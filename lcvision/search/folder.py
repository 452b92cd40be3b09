"""The folder of a search: what is in it is the whole truth about how far it is."""
import contextlib
import errno
import json
import math
import os
import secrets
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from lcvision.files import write_atomically
from lcvision.search.plan import Plan
from lcvision.search.tournament import Unit

RESULT, COST = 'result.json', 'cost.json'


class Folder:
    """Results and checkpoints of the units of a plan.

    A unit is trained in a folder of its own, which gets the unit's name when all is in it: renaming a folder is one
    step, which only the first can take. What is not there has not happened.

    Args:
        path: The search's folder.
        plan: Its plan.
        warn: Called with a sentence for each result that does not count.
    """

    def __init__(self, path: Path, plan: Plan, warn: Callable[[str], None] = print):
        self.path, self.plan, self.warn = path, plan, warn
        self._hash = plan.hash
        self._results: dict[Unit, dict] = {}
        self._bad: set[Unit] = set()
        for name in ('units', 'attempts'):
            (path / name).mkdir(parents=True, exist_ok=True)

    def unit(self, unit: Unit) -> Path:
        """Where a finished unit is."""
        return self.path / 'units' / str(unit)

    def refresh(self) -> dict[Unit, dict]:
        """Looks for new results; returns all, by unit."""
        with contextlib.suppress(FileNotFoundError):
            names = set(os.listdir(self.path / 'units'))  # noqa: PTH208  (one call, asked for often)
            for unit in filter(None, map(Unit.parse, names - set(map(str, self._results)))):
                if content := self._read(unit):
                    self._results[unit] = content
        return self._results

    def curves(self) -> dict[Unit, list[float]]:
        """Of each finished unit the accuracy after each epoch; zeros where it diverged."""
        return {unit: content['metrics'][self.plan.metric] for unit, content in self.refresh().items()}

    def costs(self) -> dict[Unit, dict]:
        """Of each finished unit what it took."""
        found = {}
        for unit in self.refresh():
            with contextlib.suppress(OSError, ValueError):
                found[unit] = json.loads((self.unit(unit) / COST).read_bytes())
        return found

    def attempt(self, unit: Unit) -> Path:
        """A new folder to train a unit in; what earlier attempts left is removed."""
        for old in (self.path / 'attempts').glob(f'{unit}.*'):
            shutil.rmtree(old, ignore_errors=True)
        path = self.path / 'attempts' / f'{unit}.{secrets.token_hex(4)}'
        path.mkdir()
        return path

    def publish(self, unit: Unit, attempt: Path, metrics: dict[str, list], cost: dict[str, Any],
                diverged: str | None = None) -> bool:
        """Makes an attempt the unit's result; whether it is the one that counts, for the first does.

        Args:
            unit: The unit.
            attempt: Its folder, with the checkpoint in it.
            metrics: By name, a value for each validation.
            cost: What it took, in a file of its own, for two attempts differ in it.
            diverged: Why the metrics are zeros.
        """
        content = dict(plan=self._hash, unit=str(unit), metrics=metrics, diverged=diverged)
        write_atomically(attempt / COST, _json(cost))
        write_atomically(attempt / RESULT, _json(content))
        for _ in range(2):
            try:
                attempt.rename(self.unit(unit))
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            else:
                _sync(self.path / 'units')
                return True
            if self._read(unit):
                break
            # Torn, or of another plan: moved aside, not deleted.
            self.unit(unit).rename(attempt.with_name(f'bad-{attempt.name}'))
        shutil.rmtree(attempt, ignore_errors=True)
        return False

    def start(self, unit: Unit) -> Path | None:
        """The checkpoint that a unit goes on from: of the round before, else of an earlier one; None to begin."""
        earlier = (self.unit(unit._replace(round=turn)) for turn in range(unit.round - 1, 0, -1))
        return next((path for folder in earlier for path in folder.glob('*.pth')), None)

    def tidy(self, training: Collection[int]) -> None:
        """Removes checkpoints: all but the last two of candidates that go on (``training``), and all of the others."""
        newest: dict[tuple[int, int], int] = {}
        for one in self._results:
            newest[one.candidate, one.seed] = max(one.round, newest.get((one.candidate, one.seed), 0))
        busy = {(held.candidate, held.seed) for path in (self.path / 'leases').glob('c*')
                if (held := Unit.parse(path.name))}  # another process may want more of them
        for one in self._results:
            out = one.candidate not in training and (one.candidate, one.seed) not in busy
            if out or one.round < newest[one.candidate, one.seed] - 1:
                for path in [*self.unit(one).glob('*.pth'), *self.unit(one).glob('last_checkpoint')]:
                    path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Removes what killed processes left, when nothing is left to train."""
        for path in (self.path / 'attempts').glob('c*'):
            shutil.rmtree(path, ignore_errors=True)
        for unit in self.refresh():
            (self.path / 'leases' / str(unit)).unlink(missing_ok=True)

    def _read(self, unit: Unit) -> dict | None:
        """A result that is whole and of this plan, else None and a sentence, once."""
        path = self.unit(unit) / RESULT
        try:
            content = json.loads(path.read_bytes())
            reason = self._objection(unit, content)
        except (OSError, ValueError) as error:
            content, reason = None, f'is torn ({str(error)[:80]})'
        if reason and unit not in self._bad:
            self._bad.add(unit)
            self.warn(f'{path} {reason}: it does not count, and its unit is trained again')
        return None if reason else content

    def _objection(self, unit: Unit, content: Any) -> str:
        if not isinstance(content, dict) or not isinstance(content.get('metrics'), dict):
            return 'is no result'
        if content.get('plan') != self._hash:
            return 'belongs to another plan'
        if content.get('unit') != str(unit):
            return f'belongs to another unit, {str(content.get("unit"))[:30]}'
        values = content['metrics'].get(self.plan.metric)
        if not isinstance(values, list) or len(values) != validations(self.plan, unit.round):
            return f'does not have {self.plan.metric} of every validation'
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
            return f'has a {self.plan.metric} that is no number'
        return ''


def validations(plan: Plan, round_: int) -> int:
    """How often a unit of a round is validated: at every ``val_interval``-th epoch of the training, and at its end."""
    rules = plan.rules
    return sum(epoch % plan.val_interval == 0 or epoch == rules.epochs
               for epoch in range(rules.end(round_ - 1) + 1, rules.end(round_) + 1))


def _json(content: dict) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + '\n').encode()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
