"""Evaluates a model with its network run by an engine."""
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from lcvision import environment
from lcvision.deploy.engines import select_engine
from lcvision.deploy.input_size import find_input_size
from lcvision.deploy.network import Nest, raw_network, unwrapped
from lcvision.inference.pipeline import SizedNetworks, predicting
from lcvision.registry import HOOKS
from lcvision.tasks import task_of


@HOOKS.register_module()
class EngineHook(Hook):
    """Lets an engine compute what the model's backbone, neck and head would, so that a test rates what is deployed.

    Preparation of images, decoding and metrics stay the model's own; images of a batch run one after the other.

    Args:
        engine: Its name, see ``lcvision.deploy.engines``; 'best' is chosen by measuring.
        precision: One that it has.
    """

    def __init__(self, engine: str = 'eager', precision: str = 'fp32'):
        self.engine = select_engine(engine, precision)
        self.precision = precision
        self._threads = environment.usable_threads()
        self._networks: SizedNetworks | None = None
        self._nest: Nest | None = None
        self._own: dict[str, nn.Module] = {}

    def before_test_epoch(self, runner: Runner) -> None:
        with predicting(self._threads):
            network = raw_network(unwrapped(runner.model), find_input_size(runner.cfg))
        self._networks = SizedNetworks(network, self.engine, self.precision, self._threads)
        self._nest = network.nesting()
        runner.logger.info(f'the network runs on {self.engine.name}, {self.precision}, {self._threads} thread(s)')

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Puts the engine in; only for the iteration, since other hooks look at the model between them."""
        model = unwrapped(runner.model)
        self._own = {name: part for name, part in model.named_children() if name in ('backbone', 'neck')}
        for name in self._own:
            setattr(model, name, nn.Identity())
        _head(model).forward = self._forward  # type: ignore[assignment]

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        model = unwrapped(runner.model)
        for name, part in self._own.items():
            setattr(model, name, part)
        del _head(model).forward

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        assert self._networks is not None
        runner.message_hub.update_info('engine', self._networks.engine_name)

    def _forward(self, x: torch.Tensor) -> Any:
        assert self._networks is not None and self._nest is not None
        rows = []
        with predicting(self._threads):
            prepared = self._networks((int(x.shape[-2]), int(x.shape[-1])))
            layout = torch.contiguous_format if prepared.example.is_contiguous() else torch.channels_last
            for image in x.cpu():
                # Cloned: the next inference writes to the same memory.
                rows.append([y.clone() for y in prepared.run(image[None].contiguous(memory_format=layout))])
        return self._nest([torch.cat(parts).to(x.device) for parts in zip(*rows, strict=True)])


def _head(model: nn.Module) -> nn.Module:
    return getattr(model, task_of(model).head)
