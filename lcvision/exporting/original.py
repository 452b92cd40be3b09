"""The model that files are compared with, and the images that they are compared on."""
import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine import fileio
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope
from torch.nn import functional as F

import lcvision.latency.end_to_end as photographed
from lcvision.datasets.sources.config_edits import innermost
from lcvision.deploy.engines import ENGINES
from lcvision.deploy.network import raw_network
from lcvision.inference.pipeline import Pipeline, SizedNetworks
from lcvision.inference.preprocess import Normalisation, Sample
from lcvision.inference.results import Detections, Result
from lcvision.inference.runtime.preparation import PreparedImage
from lcvision.tasks import DETECTION, SEGMENTATION, task_of

IMAGES = 8
# Shares of the photograph's height and width at which a part of it begins and ends.
_PARTS = ((0, 0, 1, 1), (0, 0, .7, .6), (.3, 0, 1, .7), (0, .4, .8, 1), (.2, .2, 1, 1), (.1, .3, .9, .9),
          (0, .1, .6, 1), (.25, .25, .75, .75))
_ROUNDING = 1e-3


class Original:
    """What a predictor would do with the model, and what goes through its network meanwhile.

    Args:
        config: A whole config, pointed at its data.
        model: With its weights, in eval mode.
        classes: Names of its classes.
        size: Height and width of the files' input.
    """

    def __init__(self, config: Config, model: Any, classes: tuple[str, ...], size: tuple[int, int]):
        self.config, self.model, self.classes, self.size = config, model, classes, size
        self.task = task_of(self.model)
        self.network = raw_network(self.model, size)
        self.pipeline = Pipeline(config, self.model, self.network, classes)
        self._networks = SizedNetworks(self.network, ENGINES['eager'], 'fp32', 1)
        self.normalisation = Normalisation.of(self.model.data_preprocessor)

    @cached_property
    def fixed(self) -> bool:
        """Whether images of every size become inputs of the files'."""
        return self.task is not SEGMENTATION and self.pipeline.fixed_size() == self.size

    def fit(self, image: np.ndarray) -> np.ndarray:
        """An image that the test pipeline brings to the files' size: itself, or resized where it would not."""
        return image if self.fixed else cv2.resize(image, self.size[::-1], interpolation=cv2.INTER_AREA)

    def case(self, images: Sequence[np.ndarray], size: tuple[int, int] | None = None) -> 'Case':
        """Images as one batch.

        Args:
            images: BGR uint8.
            size: Height and width that they are brought to instead of by the pipeline.
        """
        tensors, pixels = [], []
        for image in images:
            sample = (Sample(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)) if size
                      else self.pipeline.sample(self.fit(image)))
            padded = size or sample.meta['padded']
            tensors.append(self.pipeline.tensor(sample, torch.empty(1, 3, *padded)).clone())
            pixels.append(np.ascontiguousarray(sample.image[..., ::-1] if self.normalisation.swap else sample.image))
        return Case(torch.cat(tensors), np.stack(pixels))

    def maps(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Raw maps of a batch."""
        with torch.inference_mode():
            return list(self.network(x))

    def result(self, maps: Sequence[torch.Tensor], image: PreparedImage, padded: Sequence[int]) -> Result:
        """The result of the raw maps of one image.

        Args:
            maps: Of a batch of one.
            image: What went in.
            padded: Height and width of the input.
        """
        meta = dict(ori_shape=image.original, img_shape=image.shape, scale_factor=image.scale, padded=tuple(padded))
        with torch.inference_mode():
            return self.pipeline.postprocess(tuple(maps), Sample(np.empty(0), meta))

    def predict(self, image: np.ndarray) -> Result:
        """As a predictor does."""
        with torch.inference_mode():
            return self.pipeline.predict(image, self._networks)

    def evidence(self, maps: Sequence[torch.Tensor], image: PreparedImage, size: Sequence[int]) -> Any:
        """What decides whether a result may differ: all boxes that nearly pass the threshold, or the pixels (H, W) of a
        label map whose two best classes are within rounding."""
        if self.task is DETECTION:
            head = self.model.bbox_head
            count = len(head.strides)
            levels = [[one[0] for one in maps[start:start + count]] for start in range(0, len(maps), count)]
            meta = dict(img_shape=image.shape, scale_factor=image.scale)
            rules = {**head.test_cfg, 'nms_pre': -1, 'score_thr': head.test_cfg['score_thr'] - _ROUNDING}
            return Detections(*head.detect(*levels, meta=meta, cfg=rules, with_nms=False))
        align_corners = self.model.decode_head.align_corners
        logits = F.interpolate(maps[0], tuple(size), mode='bilinear', align_corners=align_corners)
        best = logits.topk(2, 1).values[0]
        return ((best[0] - best[1]) <= _ROUNDING * maps[0].abs().max()).numpy()


@dataclass(frozen=True)
class Case:
    """A batch.

    Attributes:
        x: (N, 3, H, W) normalised.
        pixels: (N, h, w, 3) the same as bytes, before padding.
    """

    x: torch.Tensor
    pixels: np.ndarray

    def array(self, uint8: bool) -> np.ndarray:
        """As a file takes it."""
        return self.pixels if uint8 else self.x.numpy()

    def one(self, index: int) -> PreparedImage:
        """An image of it that is the input itself."""
        size: Any = tuple(self.x.shape[2:])
        return PreparedImage(np.empty(0), size, size, (1., 1.))


def training_images(config: Config, count: int) -> list[bytes]:
    """Encoded images of the training split, the same ones each time."""
    entry = innermost(config.train_dataloader.dataset)
    with DefaultScope.overwrite_default_scope(config.default_scope), redirect_stdout(io.StringIO()):
        dataset: Any = DATASETS.build({**entry, 'pipeline': []})
    places = np.random.default_rng(0).permutation(len(dataset))[:count]
    return [fileio.get(dataset.get_data_info(int(place))['img_path']) for place in places]


def sample_images(config: Config | None) -> list[bytes]:
    """Encoded images to compare on.

    Args:
        config: Whose test data they are taken from, evenly; None takes parts of a photograph.
    """
    if config is not None:
        with DefaultScope.overwrite_default_scope(config.default_scope), redirect_stdout(io.StringIO()):
            dataset: Any = DATASETS.build({**config.test_dataloader.dataset, 'pipeline': []})
        places = np.unique(np.linspace(0, len(dataset) - 1, IMAGES).astype(int)).tolist()
        return [fileio.get(dataset.get_data_info(place)['img_path']) for place in places]
    photo: Any = cv2.imread(str(Path(photographed.__file__).parent / 'photo.jpg'))
    height, width = photo.shape[:2]
    parts = [photo[int(top * height):int(bottom * height), int(left * width):int(right * width)]
             for top, left, bottom, right in _PARTS]
    return [cv2.imencode('.jpg', part, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes() for part in parts]


def made_images(size: tuple[int, int]) -> list[np.ndarray]:
    """Noise, black and white."""
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    return [noise, np.zeros_like(noise), np.full_like(noise, 255)]
