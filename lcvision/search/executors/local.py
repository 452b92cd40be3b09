"""Child processes of this one, which end with it."""
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import ModuleType

from lcvision.search.unit import Ending, Training, run_unit, train_unit

# What a unit needs, imported once by the server that its process is forked from.
_PRELOAD = ['lcvision.search.executors.local', 'lcvision.models', 'lcvision.training.train']


class Child:
    """One process for one unit.

    It is forked from a server that has all imports behind it, and so begins at once; a kill of one child, or of the
    server, touches nothing else. Where this process is killed, server and children end, too.

    Args:
        folder: Of the search.
        unit: Name of the unit.
        threads: To compute with.
        training: What trains; a function of a module, since it is sent by name.
    """

    def __init__(self, folder: Path, unit: str, threads: int, training: Training):
        # Read by OpenMP as it is loaded: threads that wait for each other leave the cores to the loaders of images.
        os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
        context = multiprocessing.get_context('forkserver')
        context.set_forkserver_preload(_PRELOAD if training is train_unit else _PRELOAD[:1])
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_main, args=(str(folder), unit, threads, training, sender))
        with _without_main():
            self._process.start()
        sender.close()

    def poll(self) -> Ending | None:
        """How it has ended; None while it runs."""
        alive = self._process.is_alive()  # asked first: what it has sent by then is there
        try:
            if self._receiver.poll():
                ending = self._receiver.recv()
                self._process.join()
                return ending
        except EOFError:
            self._process.join()
            alive = False
        if alive:
            return None
        code = self._process.exitcode or 0
        return Ending('died', f'signal {-code}' if code < 0 else f'exit code {code}')

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self._process.join()


class LocalExecutor:
    """Runs units side by side on this machine.

    Args:
        folder: Of the search.
        cores: Threads of all units at once.
        training: What trains.
    """

    def __init__(self, folder: Path, cores: int, training: Training = train_unit):
        self._folder, self._cores, self._training = folder, cores, training
        self._running: dict[str, tuple[Child, int]] = {}

    def free(self, threads: int) -> bool:
        """Whether there is room; one unit always runs, however many threads the plan gives it."""
        return not self._running or sum(count for _, count in self._running.values()) + threads <= self._cores

    def start(self, unit: str, threads: int) -> None:
        """Begins a unit."""
        self._running[unit] = Child(self._folder, unit, threads, self._training), threads

    def poll(self) -> list[tuple[str, Ending]]:
        """Units that have ended."""
        ended = [(unit, ending) for unit, (child, _) in self._running.items() if (ending := child.poll())]
        for unit, _ in ended:
            del self._running[unit]
        return ended

    def close(self) -> None:
        """Kills what runs; nothing of it counts."""
        for child, _ in self._running.values():
            child.kill()
        self._running.clear()


@contextmanager
def _without_main() -> Iterator[None]:
    """Keeps children from importing the program that this process runs, which they do not need."""
    main, sys.modules['__main__'] = sys.modules['__main__'], ModuleType('__main__')
    try:
        yield
    finally:
        sys.modules['__main__'] = main


def _main(folder: str, unit: str, threads: int, training: Training, sender: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    sender.send(run_unit(folder, unit, threads, training, logged=True))


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGKILL)
