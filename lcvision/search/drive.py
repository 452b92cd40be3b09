"""Keeps units running until nothing is left to do."""
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lcvision.errors import RunFailed, UserError
from lcvision.search.executors import Executor
from lcvision.search.executors.local import LocalExecutor
from lcvision.search.folder import Folder
from lcvision.search.lease import RENEW_S, Leases
from lcvision.search.plan import Plan
from lcvision.search.show import Progress, trained_epochs
from lcvision.search.tournament import Goals, Unit, next_units, still_trains
from lcvision.search.unit import Training, train_unit

EXECUTORS = ('local', 'ray')
_POLL_S, _OTHERS_S = 0.1, 2.
# Whatever kills a unit so often will do so again.
_DEATHS = 30


def run_plan(path: Path, plan: Plan, goals: Goals, *, executor: str = 'local', children: int | None = None,
             address: str | None = None, training: Training = train_unit) -> Folder:
    """Runs what is left of a plan; any number of processes may do so in one folder.

    Args:
        path: Its folder.
        plan: As the folder has it.
        goals: What is wanted.
        executor: One of :data:`EXECUTORS`.
        children: Units at once on this machine; None for as many as the plan was made with.
        address: Of a Ray cluster; None for one of this machine.
        training: What trains a unit.

    Returns:
        The folder, with all results.

    Raises:
        UserError: A unit cannot be trained, or Ray is not there.
        RunFailed: The folder cannot be written, or a unit failed.
    """
    folder = Folder(path, plan)
    place: Executor
    if executor == 'ray':
        from lcvision.search.executors.ray import RayExecutor
        place = RayExecutor(path, address, training)
    else:
        place = LocalExecutor(path, plan.threads * (children or plan.children), training)
    show = Progress(trained_epochs(plan, folder.curves()))
    folder.warn = show.tell
    try:
        drive(folder, goals, place, show)
    except KeyboardInterrupt:
        show.tell('stopped: the same command goes on from what is finished')
        raise
    finally:
        show.close()
    return folder


def drive(folder: Folder, goals: Goals, executor: Executor, show: Progress) -> None:
    """Runs units until the goals are reached, and closes the executor; see :func:`run_plan`."""
    try:
        leases = Leases(folder.path / 'leases')
        driver = _Driver(folder, goals, executor, show, leases)
        try:
            with _ctrl_c_waits() as interrupt:
                while driver.step():
                    interrupt()
                    time.sleep(_POLL_S)
            folder.clear()
        finally:
            executor.close()
            leases.release(list(map(str, driver.running)))
    except OSError as error:
        raise RunFailed(f'{folder.path} cannot be written ({error.strerror}): make room and start the same command '
                        'again, which goes on from what is finished') from error


@contextmanager
def _ctrl_c_waits() -> Iterator[Callable[[], None]]:
    """Keeps Ctrl-C for a call of what it yields, and for its own end; the second one interrupts at once.

    Amid the start of a child an interrupt would leave a process or a lease that nobody knows of.
    """
    if threading.current_thread() is not threading.main_thread() \
            or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: None  # there is none, or others see to it
        return
    pending = []

    def keep(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        pending.append(number)

    def interrupt() -> None:
        if pending:
            raise KeyboardInterrupt
    signal.signal(signal.SIGINT, keep)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt()


class _Driver:
    """One process that hands out units."""

    def __init__(self, folder: Folder, goals: Goals, executor: Executor, show: Progress, leases: Leases):
        self.folder, self.goals, self.executor, self.show, self.leases = folder, goals, executor, show, leases
        self.running: set[Unit] = set()
        self._deaths: Counter[Unit] = Counter()
        self._due: dict[Unit, float] = {}  # when to ask again for what another process has
        self._renewed, self._known = time.monotonic(), -1
        self._left: list[Unit] = []

    def step(self) -> bool:
        """Looks once at everything; whether anything is left."""
        for name, ending in self.executor.poll():
            unit = Unit.parse(name)
            assert unit is not None
            self.running.discard(unit)
            self.leases.release([name])
            if ending.kind == 'failed':
                raise (UserError if ending.exit_code == 2 else RunFailed)(ending.sentence)
            if ending.kind == 'died':
                self._mourn(unit, ending.sentence)
        if time.monotonic() - self._renewed > RENEW_S:
            self.leases.renew()
            self._renewed = time.monotonic()
        if len(self.folder.refresh()) != self._known:
            results, rules = self.folder.curves(), self.folder.plan.rules
            self._known, self._left = len(results), next_units(rules, results, self.goals)
            self.folder.tidy(still_trains(rules, results, self.goals))
        self._start(self._left)
        self.show.update(self.folder, self.goals, list(map(str, self.running)))
        return bool(self._left or self.running)

    def _start(self, units: list[Unit]) -> None:
        for unit in units:
            threads = self.folder.plan.threads_in(unit.round)
            if unit in self.running or self._due.get(unit, 0.) > time.monotonic():
                continue
            if not self.executor.free(threads):
                return
            if not self.leases.claim(str(unit)):
                self._due[unit] = time.monotonic() + _OTHERS_S
            elif unit in self.folder.refresh():  # its holder has just finished
                self.leases.release([str(unit)])
            else:
                self.executor.start(str(unit), threads)
                self.running.add(unit)

    def _mourn(self, unit: Unit, sentence: str) -> None:
        self._deaths[unit] += 1
        if self._deaths[unit] > _DEATHS:
            raise RunFailed(f'{unit} died {_DEATHS} times ({sentence}), for want of memory perhaps: give fewer '
                            '--children, or a smaller batch with --cfg-options')
        self.show.tell(f'{unit} died ({sentence}): it is trained again')
