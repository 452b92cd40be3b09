"""A Ray cluster: one task a unit."""
import os
import time
from pathlib import Path
from typing import Any

from lcvision.errors import UserError
from lcvision.search.executors.local import Child
from lcvision.search.unit import Ending, Training, train_unit

_STORE = 80 * 2**20  # what passes through it are names; Ray refuses less than 75 MiB
_POLL_S = 0.1


class RayExecutor:
    """Runs units as tasks of Ray's core, on a new local cluster or an existing one.

    A task whose worker or node dies is started again elsewhere by Ray, and loses that round. The folder must be one
    that all nodes see under the same path: results go through it, never through Ray.

    Args:
        folder: Of the search.
        address: Of the cluster, as ``ray.init`` takes it; None starts one on this machine that listens on loopback
            alone.
        training: What trains.

    Raises:
        UserError: Ray is not installed, or there is no cluster at the address.
    """

    def __init__(self, folder: Path, address: str | None = None, training: Training = train_unit):
        os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
        if not address:
            # Whatever the system: a cluster of one machine, whose ports are open on loopback alone. Read on import.
            os.environ['RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER'] = '0'
        try:
            import ray
        except ImportError:
            raise UserError("--executor ray needs Ray: pip install 'lcvision[ray]', or take --executor local") from None
        self._ray, self._folder, self._training = ray, folder.resolve(), training
        settings: dict[str, Any] = dict(include_dashboard=False, log_to_driver=False, logging_level='ERROR')
        if address:
            settings = dict(address=address, log_to_driver=False, logging_level='ERROR')
        else:
            from lcvision import environment  # Ray itself does not see every limit of a container
            settings.update(num_cpus=environment.usable_threads(), object_store_memory=_STORE)
        try:
            ray.init(**settings)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UserError(f'--ray-address {address}: {str(error).splitlines()[0][:200]}') from error
        self._task = ray.remote(max_retries=-1)(_run)
        self._running: dict[str, tuple[Any, int]] = {}

    def free(self, threads: int) -> bool:
        """Whether the cluster has room; nodes may come and go."""
        cores = self._ray.cluster_resources().get('CPU', 0)
        return not self._running or sum(count for _, count in self._running.values()) + threads <= cores

    def start(self, unit: str, threads: int) -> None:
        """Submits a unit."""
        task = self._task.options(num_cpus=threads, name=unit)
        self._running[unit] = task.remote(str(self._folder), unit, threads, self._training), threads

    def poll(self) -> list[tuple[str, Ending]]:
        """Units that have ended."""
        units = {reference: unit for unit, (reference, _) in self._running.items()}
        ready, _ = self._ray.wait(list(units), num_returns=len(units), timeout=0) if units else ([], [])
        ended = []
        for reference in ready:
            try:
                ending = Ending(*self._ray.get(reference))
            except self._ray.exceptions.RayError as error:
                ending = Ending('died', str(error).strip().splitlines()[-1][:200])
            del self._running[units[reference]]
            ended.append((units[reference], ending))
        return ended

    def close(self) -> None:
        """Cancels what runs, and leaves the cluster."""
        for reference, _ in self._running.values():
            self._ray.cancel(reference, force=True)
        self._running.clear()
        self._ray.shutdown()


def _run(folder: str, unit: str, threads: int, training: Training) -> tuple[str, str, int]:
    """The task; the unit runs in a child as everywhere, so that a worker holds nothing between two units."""
    child = Child(Path(folder), unit, threads, training)
    try:
        while (ending := child.poll()) is None:
            time.sleep(_POLL_S)
    except BaseException:
        child.kill()
        raise
    return ending.kind, ending.sentence, ending.exit_code
