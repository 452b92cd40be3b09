"""What surrounds a network between an image and a result, and the state of the process in which it runs."""
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial

import cv2
import numpy as np
import torch
from mmengine.config import Config
from torch import nn

from lcvision.deploy.engines import Prepared
from lcvision.deploy.network import RawNetwork
from lcvision.inference.postprocess import postprocess_for
from lcvision.inference.preprocess import ImageSteps, NetworkInput, Normalisation, Sample
from lcvision.inference.results import Result
from lcvision.timing.rounds import inferring

_INPUTS = 8


@contextmanager
def predicting(threads: int) -> Iterator[None]:
    """:func:`inferring`, with so many threads for cv2, too."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        with inferring(threads):
            yield
    finally:
        cv2.setNumThreads(before)


class Pipeline:
    """Preparation and postprocessing of one model, however its network is run.

    Args:
        config: The model's whole config; a UserError where it or the model does something that is not known here.
        model: Built from it, in eval mode.
        network: What ``raw_network`` took out of the model.
        classes: Names of the classes.
        top_k: Classes that a classification names.
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
