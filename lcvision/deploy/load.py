"""Networks that are kept busy with several images at a time: what throughput is measured on."""
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from queue import Queue
from threading import Thread
from typing import Any

import numpy as np

from lcvision.deploy.sessions import import_openvino

HINTS = ('latency', 'throughput')
# Images of a call for each of those in work at a time: filling and emptying a queue then weigh little.
_IMAGES = 8


class Load(ABC):
    """Starts ``images`` images with each call, which returns while the last of them are still in work.

    Attributes:
        streams: Images that are computed at a time.
        images: Of a call.
    """

    streams: int
    images: int

    @abstractmethod
    def __call__(self) -> None:
        """Starts the images, as fast as they are taken."""

    @abstractmethod
    def drain(self) -> None:
        """Waits for all that were started."""


class RequestLoad(Load):
    """The queue of a model that OpenVINO compiled for throughput; each of its requests has a copy of the inputs.

    A second request of each stream waits while the first is computed, so that no stream waits for Python: 5 % more
    images per second than with OpenVINO's own number of requests, which is one of each.
    """

    def __init__(self, compiled: Any, inputs: Mapping[str, np.ndarray]):
        self.streams = int(compiled.get_property('NUM_STREAMS'))
        self._queue = import_openvino().AsyncInferQueue(compiled, 2 * self.streams)
        for request in self._queue:
            for name, x in inputs.items():
                request.get_tensor(name).data[...] = x
        self.images = _IMAGES * self.streams

    def __call__(self) -> None:
        for _ in range(self.images):
            self._queue.start_async()

    def drain(self) -> None:
        self._queue.wait_all()


class ThreadLoad(Load):
    """Threads that each run a network of their own, on one thread; ``runs`` has one for each, called by it alone."""

    def __init__(self, runs: Sequence[Callable[[], object]]):
        self.streams, self.images = len(runs), _IMAGES * len(runs)
        self._waiting: Queue[bool] = Queue(len(runs))
        self._errors: list[Exception] = []
        for run in runs:
            Thread(target=_serve, args=(run, self._waiting, self._errors), daemon=True).start()
        weakref.finalize(self, _dismiss, self._waiting, len(runs))

    def __call__(self) -> None:
        for _ in range(self.images):
            self._waiting.put(True)
        if self._errors:
            raise self._errors[0]

    def drain(self) -> None:
        self._waiting.join()


def _serve(run: Callable[[], object], waiting: 'Queue[bool]', errors: list[Exception]) -> None:
    while waiting.get():
        try:
            run()
        except Exception as error:
            errors.append(error)
        finally:
            waiting.task_done()


def _dismiss(waiting: 'Queue[bool]', count: int) -> None:
    for _ in range(count):
        waiting.put(False)
