"""Sets of models with their conditions, such as those of a paper's tables."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmengine.config import Config

from lcvision.config import find_config
from lcvision.errors import UserError
from lcvision.latency.paper_comparison import format_paper, paper_rows
from lcvision.latency.peers import PEERS
from lcvision.latency.record import LatencyRecord
from lcvision.tasks import TASKS, task_of_config
from lcvision.timing.rounds import Budget

# The papers do not state it; the larger of the two likely sizes, which takes a sensible time.
_SEGMENTATION_SIZE = (512, 1024)


@dataclass(frozen=True)
class Preset:
    """A set of models with conditions.

    Attributes:
        configs: Names, see :func:`find_config`.
        engine, precision, scope: As for the options of these names.
        threads: Numbers of threads, fewer where fewer can run at once; none for as many as can.
        budget: Samples and seconds for each row.
        minutes: When to be done; None for as long as it takes.
        sizes: Height and width by the task, where not its own test size.
        describe: Lines below the table beside a paper's, which fixes engines, precision and scope; None for none.
    """

    configs: tuple[str, ...]
    engine: str
    budget: Budget
    threads: tuple[int, ...] = ()
    precision: str = 'fp32'
    scope: str = 'net'
    minutes: float | None = None
    sizes: tuple[tuple[str, tuple[int, int]], ...] = (('segmentation', _SEGMENTATION_SIZE),)
    describe: Callable[[Sequence[LatencyRecord], Sequence[dict]], list[str]] | None = None

    def paths(self) -> list[str]:
        """Files of the configs."""
        return [find_config(name) for name in self.configs]

    def size(self, config: Config) -> tuple[int, int] | None:
        """Height and width that a config is measured at; None for its own test size."""
        return dict(self.sizes).get(task_of_config(config).name)


DEFAULT = Preset(
    tuple(f'{name}_{width}' for name in ('classification/pplcnet', 'detection/picodet_pplcnet',
                                         'segmentation/deeplabv3plus_pplcnet') for width in ('0_5x', '1x')),
    engine='all', budget=Budget(), minutes=9.)
PRESETS = {
    # One engine that needs nothing but torch and is ready at once; --engine takes others.
    'pplcnet-paper': Preset(
        tuple(dict.fromkeys(f'{row.task}/{row.config}' for number in '2345' for row in paper_rows(number))),
        engine='eager', threads=(10,), minutes=9., describe=format_paper,
        budget=Budget(samples=100, max_seconds=8., warmup_seconds=5.)),
    **{name: Preset(
        tuple(peer.config for peer in PEERS if not peer.exported and peer.task in tasks),
        engine='onnxruntime,openvino', threads=(1, 2), precision='fp32,bf16',
        budget=Budget(samples=60, max_seconds=6., warmup_seconds=2.))
        for name, tasks in {'peers': tuple(TASKS), **{f'peers-{task}': (task,) for task in TASKS}}.items()},
}


def find_preset(name: str) -> Preset:
    """A preset by its name; refuses an unknown one with a :class:`UserError`."""
    if name not in PRESETS:
        raise UserError(f"unknown preset {name!r}: presets are {', '.join(PRESETS)}; or name configs instead")
    return PRESETS[name]
