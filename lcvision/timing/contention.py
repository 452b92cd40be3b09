"""What other processes did to this one's cores between two moments."""
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

from lcvision import environment

_TICKS = os.sysconf('SC_CLK_TCK')


@dataclass(frozen=True)
class Contention:
    """What others took away over some time.

    Attributes:
        others: CPUs' worth of other processes' work on the CPUs this one may use.
        siblings: The same on CPUs that it may not use but that share their cores.
        throttled: Share of the time in which the container's quota was used up.
    """

    others: float = 0.
    siblings: float = 0.
    throttled: float = 0.


@dataclass(frozen=True)
class Activity:
    """Counters at one moment.

    Attributes:
        time: Seconds, monotonic.
        own: CPU seconds of this process, all threads.
        busy: CPU seconds of all processes on the CPUs this one may use, ``siblings`` on the other CPUs of the same
            cores; None where the system does not count them.
        throttled: Seconds in which the container's quota was used up.
    """

    time: float
    own: float
    busy: float | None
    siblings: float = 0.
    throttled: float = 0.

    @classmethod
    def now(cls) -> 'Activity':
        """Reads the counters."""
        cpus = environment.affinity()
        siblings = sorted(set().union(*environment.cores()) - set(cpus))
        now = time.monotonic(), time.process_time()
        try:
            stat = Path('/proc/stat').read_text()
        except OSError:
            stat = ''
        return cls(*now, busy_seconds(stat, cpus), busy_seconds(stat, siblings) or 0., environment.throttled_seconds())

    def since(self, start: 'Activity') -> Contention:
        """What others took from ``start`` until this moment; without counters, by the load average less our own."""
        seconds = max(self.time - start.time, 1e-3)
        own = self.own - start.own
        if self.busy is None or start.busy is None:
            load = environment.load_average()
            others = load[0] - own / seconds if load else 0.
        else:
            others = (self.busy - start.busy - own) / seconds
        return Contention(max(0., others), (self.siblings - start.siblings) / seconds,
                          (self.throttled - start.throttled) / seconds)


def involuntary_switches() -> int:
    """How often a thread of this process was taken off its core although it had work."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def busy_seconds(stat: str, cpus: list[int]) -> float | None:
    """CPU seconds of these CPUs that were neither idle nor waiting for a disk, from the text of ``/proc/stat``."""
    wanted = {f'cpu{number}' for number in cpus}
    rows = [row for row in map(str.split, stat.splitlines()) if row and row[0] in wanted]
    if len(rows) != len(wanted):
        return None
    # user nice system idle iowait irq softirq steal; guest time is inside user time already.
    return sum(sum(map(int, row[1:9])) - int(row[4]) - int(row[5]) for row in rows) / _TICKS
