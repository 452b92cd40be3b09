"""From an image to a result: what surrounds a network, the network for each size, a predictor of a checkpoint."""
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import print_log
from torch import nn

from lcvision.config import load_config
from lcvision.deploy.engines import ENGINES, Engine, EngineError, Prepared, select_engine
from lcvision.deploy.network import RawNetwork, example_input, raw_network
from lcvision.errors import UserError
from lcvision.image_file import cv2_threads
from lcvision.inference.postprocess import postprocess_for
from lcvision.inference.preprocess import ImageSteps, NetworkInput, Normalisation, Sample
from lcvision.inference.results import Result
from lcvision.inference.trained_model import load_trained
from lcvision.tasks import task_of
from lcvision.timing.rounds import inferring

_INPUTS = 8
# Engines that compile do so for one size; this many stay.
_SIZES = 4
_ANY_SIZE = 'eager'
# Where the test pipeline leaves the size to the image: only for looking at the network.
_TRIAL_SIZE = (128, 128)


@contextmanager
def predicting(threads: int) -> Iterator[None]:
    """:func:`inferring`, with so many threads for cv2, too."""
    with cv2_threads(threads), inferring(threads):
        yield


class Pipeline:
    """Preparation and postprocessing of a model in eval mode, however the network taken out of it is run.

    What the config or the model does between image and result, if it is not known here, is a UserError. A
    classification names ``top_k`` of the classes.
    """

    def __init__(self, config: Config, model: nn.Module, network: RawNetwork, classes: Sequence[str], top_k: int = 5):
        self.steps = ImageSteps(config)
        self._normalisation = Normalisation.of(model.data_preprocessor)
        self._postprocess = postprocess_for(model, network, classes, top_k)
        # Inputs are large, and a folder may hold images of many sizes: the last few stay.
        self._input = lru_cache(_INPUTS)(partial(NetworkInput, self._normalisation))

    def sample(self, image: np.ndarray) -> Sample:
        """Resizes a BGR uint8 image for the network; ``meta['padded']`` is the height and width of its input."""
        sample = self.steps(image)
        sample.meta['padded'] = self._normalisation.padded(sample.image.shape)
        return sample

    def fixed_size(self) -> tuple[int, int] | None:
        """Height and width of the network's input, None when they depend on the image."""
        shape = self.steps.fixed_shape()
        return None if shape is None else self._normalisation.padded(shape)

    def tensor(self, sample: Sample, example: torch.Tensor) -> torch.Tensor:
        """The network's input, of the size and memory layout of ``example``; the next such image takes its memory."""
        return self._input(sample.image.shape[:2], example.shape, not example.is_contiguous())(sample.image)

    def postprocess(self, outputs: tuple[torch.Tensor, ...], sample: Sample) -> Result:
        """The result of raw maps."""
        return self._postprocess(outputs, sample.meta)

    def predict(self, image: np.ndarray, network: Callable[[tuple[int, int]], Prepared]) -> Result:
        """Result of a BGR uint8 image, by what prepares the network for a height and width; in inference mode."""
        sample = self.sample(image)
        prepared = network(sample.meta['padded'])
        return self.postprocess(prepared.run(self.tensor(sample, prepared.example)), sample)


class SizedNetworks:
    """One engine's network for each size of input, made when a size is asked for; those of the last four sizes stay.

    The engine 'eager' takes any size without being prepared for it. 'best' chooses among engines for the first four
    sizes and takes 'eager' for further ones, for which a choice would take far longer than it could save.
    """

    def __init__(self, network: nn.Module, engine: Engine, precision: str, threads: int):
        self.network, self.engine = network, engine
        self._settings: dict[str, Any] = dict(precision=precision, threads=threads)
        self._prepared: OrderedDict[tuple[int, int], Prepared] = OrderedDict()
        self._any_size: Prepared | None = None
        self._times = 0
        self._names: dict[str, None] = {}

    @property
    def engine_name(self) -> str:
        """The engine, or those that an engine that chooses among others has chosen so far."""
        return ' and '.join(self._names) or self.engine.name

    def __call__(self, size: tuple[int, int]) -> Prepared:
        """The network for an input of this height and width, or a UserError; called in :func:`predicting`."""
        if size not in self._prepared:
            if len(self._prepared) == _SIZES:
                self._prepared.popitem(last=False)
            try:
                any_size = self.engine.name == _ANY_SIZE or (self.engine.chooses and self._times >= _SIZES)
                self._prepared[size] = self._eager(size) if any_size else self._prepare(size)
            except EngineError as error:
                raise UserError(f'engine {self.engine.name!r} cannot run this network at {size[0]}x{size[1]}: {error}; '
                                "take another, 'eager' runs every network") from error
            self._names[self._prepared[size].engine or self.engine.name] = None
        self._prepared.move_to_end(size)
        return self._prepared[size]

    def _prepare(self, size: tuple[int, int]) -> Prepared:
        start = time.monotonic()
        prepared = self.engine.prepare(self.network, example_input(size), **self._settings)
        self._times += 1
        if self._times == _SIZES + 1:
            print_log(f'The images have many sizes, and {self.engine.name} is prepared for each of them, which took '
                      f'{time.monotonic() - start:.1f} s for the last; the engine {_ANY_SIZE!r} takes any size.',
                      logger='current', level=logging.WARNING)
        return prepared

    def _eager(self, size: tuple[int, int]) -> Prepared:
        if self._any_size is None:
            engine, settings = ENGINES[_ANY_SIZE], self._settings
            if settings['precision'] not in engine.precisions:
                settings = {**settings, 'precision': engine.precisions[0]}
            self._any_size = replace(engine.prepare(self.network, example_input(size), **settings), engine=_ANY_SIZE)
        known = self._any_size
        layout = torch.contiguous_format if known.example.is_contiguous() else torch.channels_last
        return replace(known, example=torch.empty((1, 3, *size)).contiguous(memory_format=layout))


class TrainedBackend:
    """What a predictor of a checkpoint consists of; the arguments and errors are the predictor's."""

    def __init__(self, config: str | Path | Config, checkpoint: str | Path, engine: str, threads: int, precision: str,
                 top_k: int):
        # First, since what it imports may register the engine.
        config = load_config(config)
        chosen = select_engine(engine, precision)
        self.threads, self.precision, self.workers = threads, precision, 1
        model, self.dataset_meta = load_trained(config, checkpoint)
        self.task = task_of(model).name
        with predicting(threads):
            network = raw_network(model, _TRIAL_SIZE)
            self._pipeline = Pipeline(config, model, network, self.dataset_meta['classes'], top_k)
            self._networks = SizedNetworks(network, chosen, precision, threads)
            size = self._pipeline.fixed_size()
        self.read, self.decode = self._pipeline.steps.read, self._pipeline.steps.decode
        if size:
            self.prepare(size)

    @property
    def engine(self) -> str:
        """The engine, or those that 'best' chose for the sizes met so far."""
        return self._networks.engine_name

    def prepare(self, size: tuple[int, int]) -> None:
        """Prepares the network for inputs of this height and width."""
        with predicting(self.threads):
            self._networks(size)

    def predict(self, image: np.ndarray) -> Result:
        """The result of a BGR uint8 image, shape (H, W, 3)."""
        with predicting(self.threads):
            return self._pipeline.predict(image, self._networks)
