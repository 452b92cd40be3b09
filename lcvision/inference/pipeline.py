"""All that surrounds a network between an image and a result."""
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch import nn

from lcvision.deploy.engines import Prepared
from lcvision.deploy.network import RawNetwork
from lcvision.inference.postprocess import postprocess_for
from lcvision.inference.preprocess import ImageSteps, NetworkInput, Normalisation, Sample
from lcvision.inference.results import Result

_INPUTS = 8


class Pipeline:
    """Preparation and postprocessing of one model; it does not know how the network is run.

    Args:
        config: The model's whole config.
        model: Built from it, in eval mode.
        network: What ``raw_network`` took out of the model.
        dataset_meta: ``classes``, one name for each.
        top_k: Classes that a classification names.

    Raises:
        UserError: The config or the model does something between image and result that is not known here.
    """

    def __init__(self, config: Config, model: nn.Module, network: RawNetwork, dataset_meta: dict[str, Any],
                 top_k: int = 5):
        self.steps = ImageSteps(config)
        self.classes: tuple[str, ...] = dataset_meta['classes']
        self._normalisation = Normalisation.of(model.data_preprocessor)
        self._postprocess = postprocess_for(model, network, self.classes, top_k)
        # Inputs are large, and a folder may hold images of many sizes: the last few stay.
        self._inputs: OrderedDict[tuple, NetworkInput] = OrderedDict()

    def sample(self, image: np.ndarray) -> Sample:
        """Brings an image to the network's size; ``meta['padded']`` is the height and width of its input.

        Args:
            image: BGR uint8, shape (H, W, 3).
        """
        sample = self.steps(image)
        sample.meta['padded'] = self._normalisation.padded(sample.image.shape)
        return sample

    def fixed_size(self) -> tuple[int, int] | None:
        """Height and width of the network's input, None when they depend on the image."""
        shape = self.steps.fixed_shape()
        return None if shape is None else self._normalisation.padded(shape)

    def tensor(self, sample: Sample, example: torch.Tensor) -> torch.Tensor:
        """The network's input, in memory that the next image of this size is written to, too.

        Args:
            sample: The image.
            example: A tensor of the input's size in the layout that the network prefers.
        """
        key = (sample.image.shape, example.shape, example.is_contiguous())
        if key not in self._inputs:
            self._inputs[key] = NetworkInput(sample.image.shape[:2], example, self._normalisation)
            if len(self._inputs) > _INPUTS:
                self._inputs.popitem(last=False)
        self._inputs.move_to_end(key)
        return self._inputs[key](sample.image)

    def postprocess(self, outputs: tuple[torch.Tensor, ...], sample: Sample) -> Result:
        """The result of raw maps."""
        return self._postprocess(outputs, sample.meta)

    def predict(self, image: np.ndarray, network: Callable[[tuple[int, int]], Prepared]) -> Result:
        """An image's result; called in inference mode.

        Args:
            image: BGR uint8, shape (H, W, 3).
            network: Gives the network that is prepared for an input of this height and width.
        """
        sample = self.sample(image)
        prepared = network(sample.meta['padded'])
        return self.postprocess(prepared.run(self.tensor(sample, prepared.example)), sample)
