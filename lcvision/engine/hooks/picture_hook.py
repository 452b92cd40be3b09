"""Pictures of what a test found."""
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import cv2
import numpy as np
from mmengine import fileio
from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement

from lcvision import visualization
from lcvision.errors import UserError
from lcvision.files import writing
from lcvision.image_file import decode_image
from lcvision.registry import HOOKS

_TILE_STYLE = visualization.Style(font=14, line=2, dash=4)


@HOOKS.register_module()
class PictureHook(Hook):
    """Writes a picture of every test image with what was found on it, and ``grid.png``, a contact sheet of some.

    A picture keeps the name of its image and ends in ``.jpg``; it gets a number when an earlier image has the same name
    or a file that is no picture of ours is in its place. The images of the sheet are spread evenly over the split: each
    stands for an equal stretch of it, of which it is the first with the most annotated classes (predicted ones where
    nothing is annotated). In a distributed test the first rank draws what it tests itself.

    Args:
        out_dir: Folder of the pictures, made when the test starts; None for no pictures.
        score_thr: Predictions with a lower score are not drawn, 0..1.
        max_images: Pictures at most, spread evenly over the split; None for one of every image. The sheet is made of
            all images.
        grid_images: Pictures on the sheet at most, three in a row.

    Differs: mmdet's ``DetVisualizationHook`` draws with matplotlib, which takes about 0.3 s an image, many times what a
        light detector takes; this one draws with cv2 in a few milliseconds. It makes no contact sheet, and it takes
        annotations to be in pixels of the original image whatever the pipeline has done to them.
    """

    priority = 'LOW'

    def __init__(self, out_dir: str | Path | None = None, score_thr: float = 0.3, max_images: int | None = None,
                 grid_images: int = 9) -> None:
        if isinstance(score_thr, bool) or not isinstance(score_thr, int | float) or not 0 <= score_thr <= 1:
            raise ValueError(f'PictureHook: score_thr must be a number from 0 to 1, got {score_thr!r}.')
        for name, value, least in (('max_images', 0 if max_images is None else max_images, 0),
                                   ('grid_images', grid_images, 1)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f'PictureHook: {name} must be a whole number of at least {least}, got {value!r}.')
        self.out_dir = None if out_dir is None else Path(out_dir)
        self.score_thr, self.max_images, self.grid_images = score_thr, max_images, grid_images
        self._painter: visualization.Painter | None = None
        self._folder: visualization.PictureFolder | None = None
        self._written: dict[str, str] = {}
        # Of each stretch the variety, path and scene of an image.
        self._candidates: dict[int, tuple[int, str, Any]] = {}
        self._index = self._total = 0
        if self.out_dir and self.out_dir.exists() and not self.out_dir.is_dir():
            raise UserError(f'{self.out_dir} is a file, but pictures need a folder: give a folder, present or new')

    def before_test_epoch(self, runner: Runner) -> None:
        self._painter, self._written, self._candidates, self._index = None, {}, {}, 0
        if self.out_dir and is_main_process():
            self._folder = visualization.PictureFolder(self.out_dir)
            self._total = -(-len(runner.test_loop.dataloader.dataset) // get_world_size())
            with writing(self.out_dir):
                self.out_dir.mkdir(parents=True, exist_ok=True)
                TemporaryFile(dir=self.out_dir).close()

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                        outputs: list[BaseDataElement] | None = None) -> None:
        if self._folder is None:
            return
        for sample in outputs or ():
            if self._painter is None:
                dataset = runner.test_loop.dataloader.dataset
                self._painter = visualization.painter_for(sample, dataset.metainfo, self.score_thr,
                                                          visualization.annotations_are_resized(dataset))
            scene = self._painter.read(sample)
            # Of ``max_images`` equal parts of the split the first image of each.
            if self.max_images is None or (self._stretch(self._index, self.max_images)
                                           != self._stretch(self._index - 1, self.max_images)):
                path = sample.img_path
                if path not in self._written:
                    self._written[path] = self._folder.free_stem(Path(path).stem, '{}.jpg')
                self._folder.write(f'{self._written[path]}.jpg', self._painter.paint(_load(path), scene))
            stretch = self._stretch(self._index, self.grid_images)
            variety = self._painter.variety(scene)
            if stretch not in self._candidates or variety > self._candidates[stretch][0]:
                self._candidates[stretch] = (variety, sample.img_path, scene)
            self._index += 1

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if self._folder is None or self._painter is None:
            return
        chosen = [self._candidates[stretch] for stretch in sorted(self._candidates)]
        paths, scenes = [path for _, path, _ in chosen], [scene for _, _, scene in chosen]
        images = list(map(_load, paths))
        sizes = visualization.tile_sizes([image.shape[:2] for image in images])
        tiles = [(Path(path).name, self._painter.paint(_resize(image, size), scene, _TILE_STYLE))
                 for path, scene, image, size in zip(paths, scenes, images, sizes, strict=True)]
        remark = f'{self._painter.remark(scenes)}, {len(paths)} of {self._index} images'
        name = f"{self._folder.free_stem('grid', '{}.png')}.png"
        self._folder.write(name, visualization.contact_sheet(tiles, self._painter.legend(scenes), remark))
        runner.logger.info(f'{len(self._written)} pictures and {name} written to {self.out_dir}')

    def _stretch(self, index: int, count: int) -> int:
        """Which of ``count`` equal parts of the split an image belongs to."""
        return index * count // max(self._total, 1)


def _load(path: str) -> np.ndarray:
    return decode_image(path, fileio.get(path))


def _resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    interpolation = cv2.INTER_AREA if size[0] < image.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(image, size[::-1], interpolation=interpolation)
