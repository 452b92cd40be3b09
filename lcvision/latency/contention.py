"""What other processes did to this one's cores between two moments."""
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

from lcvision.latency import environment

_TICKS = os.sysconf('SC_CLK_TCK')


@dataclass(frozen=True)
class Activity:
    """Counters at one moment.

    Args:
        time: Seconds, monotonic.
        own: CPU seconds of this process, all threads.
        busy: CPU seconds of everybody on the CPUs this process may use; None where the system does not tell.
    """

    time: float
    own: float
    busy: float | None

    @classmethod
    def now(cls) -> 'Activity':
        """Reads the counters."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return cls(time.monotonic(), usage.ru_utime + usage.ru_stime, _busy_seconds())

    def others_since(self, start: 'Activity') -> float:
        """Cores' worth of work that other processes did from ``start`` until this moment.

        Where the system has no counters, the load average less our own threads stands in.
        """
        seconds = max(self.time - start.time, 1e-3)
        own = self.own - start.own
        if self.busy is None or start.busy is None:
            load = environment.load_average()
            return max(0., load[0] - own / seconds) if load else 0.
        return max(0., (self.busy - start.busy - own) / seconds)


def involuntary_switches() -> int:
    """Times that a thread of this process was taken off its core although it had work."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def busy_seconds(stat: str, cpus: list[int]) -> float | None:
    """CPU seconds that are neither idle nor waiting for a disk.

    Args:
        stat: Text of ``/proc/stat``.
        cpus: Numbers of the CPUs to add up.
    """
    wanted = {f'cpu{number}' for number in cpus}
    rows = [line.split() for line in stat.splitlines() if line.split()[:1] and line.split()[0] in wanted]
    if len(rows) != len(wanted):
        return None
    # user nice system idle iowait irq softirq steal; guest time is inside user time already.
    return sum(sum(map(int, row[1:9])) - int(row[4]) - int(row[5]) for row in rows) / _TICKS


def _busy_seconds() -> float | None:
    try:
        return busy_seconds(Path('/proc/stat').read_text(), environment.affinity())
    except OSError:
        return None
