"""Which engine to run a network on."""
from torch import nn

from lcvision.latency import environment
from lcvision.latency.engines import select_engines
from lcvision.latency.measure import quietly
from lcvision.latency.network import example_input
from lcvision.latency.precision import check_cpu


def best_engine(network: nn.Module, input_size: tuple[int, int], threads: int | None = None, precision: str = 'fp32',
                fresh: bool = False) -> str:
    """Name of the engine that runs a network the quickest on this CPU, with the right result.

    It is measured the first time, which takes seconds, a minute where an engine compiles, and remembered in the user's
    cache folder. What is needed to run the network as well is ``select_engines('best')[0].prepare(...)``.

    Args:
        network: (1, 3, H, W) -> flat tuple of tensors, in eval mode and float32.
        input_size: Height and width.
        threads: Threads of an operator; None takes as many as can run at once here.
        precision: 'fp32' or 'bf16'.
        fresh: Whether to measure although the choice is known.

    Raises:
        UserError: This CPU lacks the precision.
        EngineError: No engine runs this network.
    """
    check_cpu(precision)
    threads = threads or environment.usable_threads()
    engine, = select_engines('best', fresh=fresh)
    prepared = quietly(lambda: engine.prepare(network, example_input(input_size), precision=precision,
                                              threads=threads), threads)
    return prepared.engine
