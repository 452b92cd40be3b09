"""A small detection data set in COCO layout, rendered instead of downloaded."""
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lcvision.datasets.sample.backgrounds import draw_background
from lcvision.datasets.sample.clutter import LITTER, WINDBLOWN, draw_tray
from lcvision.datasets.sample.coco import annotate
from lcvision.datasets.sample.colours import pick
from lcvision.datasets.sample.objects import CATEGORIES, Category
from lcvision.datasets.sample.rendered_folder import ensure_rendered_folder
from lcvision.datasets.sample.scene import Instance, Scene, cast
from lcvision.datasets.sample.sprite import Sprite

SIZES = ((240, 320), (240, 320), (320, 320), (320, 240), (288, 384), (312, 416), (384, 288), (416, 416))
CROWDED = tuple(category for category in CATEGORIES if category.name in ('donut', 'sports ball', 'banana'))


def _sprite_size(size: float) -> int:
    """Canvas for an object of this size: twice as fine, up to a limit that large objects can do with."""
    return int(np.clip(2 * size, 32, 288))


def _object_size(rng: np.random.Generator, shape: tuple[int, int]) -> float:
    """Longest side of an object in pixels: mostly a fifth to two fifths of the image, at times tiny or half of it."""
    side = max(shape)
    draw = rng.random()
    if draw < 0.03:
        return float(rng.uniform(14, 34))
    if draw < 0.9:
        return float(np.exp(rng.uniform(np.log(0.19), np.log(0.42)))) * side
    return float(rng.uniform(0.42, 0.52)) * side


def _add_object(rng: np.random.Generator, scene: Scene, category: Category, keep: float) -> None:
    height, width = scene.shape
    inside = 0.6 if rng.random() < 0.2 else 0.9
    for attempt in range(8):
        size = _object_size(rng, scene.shape) * 0.9**attempt
        sprite = Sprite(_sprite_size(size))
        category.draw(sprite, rng)
        layer = cast(sprite, max(size, 14), rng.uniform(-1, 1) * category.tilt, rng.uniform(category.squeeze, 1),
                     rng.uniform(0.85, 1.06))
        for _ in range(12):
            centre = rng.uniform(0.08, 0.92) * width, rng.uniform(0.08, 0.92) * height
            if scene.try_add(layer, centre, category, keep, inside):
                return


def _add_litter(rng: np.random.Generator, scene: Scene, count: int) -> None:
    height, width = scene.shape
    for _ in range(count):
        size = rng.uniform(0.05, 0.17) * max(height, width)
        sprite = Sprite(_sprite_size(size))
        pick(rng, LITTER if scene.surface else WINDBLOWN)(sprite, rng)
        layer = cast(sprite, size, rng.uniform(0, 360), 1.0, rng.uniform(0.8, 1.05))
        scene.try_add(layer, (rng.uniform(0, 1) * width, rng.uniform(0, 1) * height), None, 0.8, 0.4)


def _add_crowd(rng: np.random.Generator, scene: Scene, category: Category) -> None:
    """Put a tray packed with small objects somewhere and note it as one crowd region."""
    height, width = scene.shape
    side = rng.uniform(0.42, 0.55) * min(height, width)
    centre = np.array([rng.uniform(side * 0.6, width - side * 0.6), rng.uniform(side * 0.6, height - side * 0.6)])
    tray = Sprite(_sprite_size(side))
    draw_tray(tray, rng)
    scene.lay(cast(tray, side), tuple(centre))
    rows = int(rng.integers(4, 7))
    step = 0.84 * side / rows
    region = np.zeros(scene.shape, bool)
    for place in np.ndindex(rows, rows):
        sprite = Sprite(_sprite_size(step))
        category.draw(sprite, rng)
        turn = rng.uniform(-1, 1) * category.tilt
        layer = cast(sprite, step * rng.uniform(0.95, 1.08), turn, gain=rng.uniform(0.9, 1.05))
        spot = centre + (np.array(place[::-1]) - (rows - 1) / 2) * step + rng.uniform(-0.05, 0.05, 2) * step
        region |= scene.footprint(layer, tuple(spot))[0]
        scene.lay(layer, tuple(spot))
    gap = int(step / 2) * 2 + 1
    region = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8)) > 0
    scene.instances.append(Instance(category, region, int(region.sum()), crowd=True))


def render_detection_image(
    rng: np.random.Generator, empty: bool = False, crowd: bool = False
) -> tuple[np.ndarray, list[Instance]]:
    """Render one scene.

    Args:
        rng: Source of all randomness.
        empty: Whether to leave out everything that would be annotated.
        crowd: Whether to add a tray full of small objects.

    Returns:
        The image, uint8 RGB (height, width, 3), and what is to be seen on it.
    """
    scene = Scene(*draw_background(rng, *pick(rng, SIZES), only_surface=crowd))
    _add_litter(rng, scene, int(rng.integers(0, 4)))
    if crowd:
        _add_crowd(rng, scene, pick(rng, CROWDED))
    if not empty:
        count = 2 if crowd else int(rng.choice([2, 3, 4, 5, 6], p=[0.1, 0.2, 0.3, 0.25, 0.15]))
        for index in rng.integers(len(CATEGORIES), size=count):
            _add_object(rng, scene, CATEGORIES[index], 0.9 if crowd or rng.random() < 0.75 else 0.5)
    if rng.random() < 0.25:
        _add_litter(rng, scene, 1)
    return scene.finish(rng), scene.instances


def _render_split(root: Path, split: str, count: int, seed: list[int], first_id: int) -> None:
    folder = root / f'{split}2017'
    folder.mkdir(parents=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index in range(count):
        rng = np.random.default_rng([*seed, index])
        image, instances = render_detection_image(rng, empty=index % 20 == 13, crowd=index % 30 == 5)
        image_id = first_id + index
        name = f'{image_id:012d}.jpg'
        if not cv2.imwrite(str(folder / name), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 93]):
            raise OSError(f'cannot write {folder / name}')
        height, width = image.shape[:2]
        images.append({'id': image_id, 'file_name': name, 'height': height, 'width': width, 'license': 1})
        for instance in instances:
            entry = annotate(instance.mask, instance.category.id, instance.crowd)
            annotations.append({'id': first_id * 1000 + len(annotations), 'image_id': image_id, **entry})
    content = {
        'info': {'description': 'Rendered detection sample in COCO layout', 'version': '1.0', 'year': 2024},
        'licenses': [{'id': 1, 'name': 'Apache License 2.0', 'url': 'https://www.apache.org/licenses/LICENSE-2.0'}],
        'images': images,
        'annotations': annotations,
        'categories': [{'id': c.id, 'name': c.name, 'supercategory': c.supercategory} for c in CATEGORIES],
    }
    path = root / 'annotations' / f'instances_{split}2017.json'
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, separators=(',', ':')), encoding='utf-8')


def render_detection_sample(root: Path, train_images: int = 240, val_images: int = 60, seed: int = 2017) -> None:
    """Render the sample into a folder: the same arguments give the same files, byte for byte.

    Args:
        root: Folder that receives ``annotations/``, ``train2017/`` and ``val2017/``, none of which may exist.
        train_images: Images of the training set.
        val_images: Images of the validation set.
        seed: Selects another set of scenes, at least 0.
    """
    _render_split(Path(root), 'train', train_images, [seed, 0], 1)
    _render_split(Path(root), 'val', val_images, [seed, 1], train_images + 1)


def ensure_detection_sample(root: Path) -> Path:
    """Render the sample on first use, or again when the generator has changed since.

    Args:
        root: Folder of the sample, in COCO layout afterwards.

    Returns:
        The folder.

    Raises:
        UserError: `root` is a file, or holds files that are no sample.
    """
    return ensure_rendered_folder(Path(root), render_detection_sample)
