"""A config's model with a checkpoint, run by one of the engines."""
from pathlib import Path

import numpy as np
from mmengine.config import Config

from lcvision.config import load_config
from lcvision.deploy.engines import select_engine
from lcvision.deploy.network import raw_network
from lcvision.inference.pipeline import Pipeline, SizedNetworks, predicting
from lcvision.inference.results import Result
from lcvision.inference.trained_model import load_trained
from lcvision.tasks import task_of

# Where the test pipeline leaves the size to the image: only for looking at the network.
_TRIAL_SIZE = (128, 128)


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
