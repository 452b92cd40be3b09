"""A small classification data set, one folder a class, rendered instead of downloaded."""
from pathlib import Path

import cv2
import numpy as np

from lcvision.datasets.sample.backgrounds import draw_background
from lcvision.datasets.sample.clutter import LITTER, WINDBLOWN
from lcvision.datasets.sample.colours import pick
from lcvision.datasets.sample.objects import CATEGORIES, Category
from lcvision.datasets.sample.rendered_folder import ensure_rendered_folder
from lcvision.datasets.sample.scene import Scene, cast
from lcvision.datasets.sample.sprite import Sprite

SIDES = (64, 80, 96, 112, 128)


def render_classification_image(rng: np.random.Generator, category: Category) -> np.ndarray:
    """Render one object near the middle of an image, some litter behind it.

    Args:
        rng: Source of all randomness.
        category: What the object is.

    Returns:
        The image, uint8 RGB (height, width, 3).
    """
    height, width = pick(rng, SIDES), pick(rng, SIDES)
    scene = Scene(*draw_background(rng, height, width, only_surface=False))
    for _ in range(int(rng.integers(0, 3))):
        size = rng.uniform(0.1, 0.25) * max(height, width)
        sprite = Sprite(int(np.clip(2 * size, 32, 96)))
        pick(rng, LITTER if scene.surface else WINDBLOWN)(sprite, rng)
        scene.lay(cast(sprite, size, rng.uniform(0, 360), gain=rng.uniform(0.8, 1.05)),
                  (rng.uniform(0, 1) * width, rng.uniform(0, 1) * height))
    size = rng.uniform(0.5, 0.95) * min(height, width)
    sprite = Sprite(int(2 * size))
    category.draw(sprite, rng)
    layer = cast(sprite, size, rng.uniform(-1, 1) * category.tilt, rng.uniform(category.squeeze, 1),
                 rng.uniform(0.85, 1.06))
    scene.lay(layer, (width * rng.uniform(0.42, 0.58), height * rng.uniform(0.42, 0.58)))
    return scene.finish(rng)


def render_classification_sample(root: Path, train_images: int = 60, val_images: int = 15, seed: int = 2017) -> None:
    """Render the sample into a folder: the same arguments give the same files, byte for byte.

    Args:
        root: Folder that receives ``train/CLASS/`` and ``val/CLASS/``, which may not exist.
        train_images: Images of each class in the training split.
        val_images: Images of each class in the validation split.
        seed: Selects another set of scenes, at least 0.
    """
    for split, (name, count) in enumerate((('train', train_images), ('val', val_images))):
        for category in CATEGORIES:
            label = category.name.replace(' ', '_')
            folder = Path(root) / name / label
            folder.mkdir(parents=True)
            for index in range(count):
                image = render_classification_image(np.random.default_rng([seed, split, category.id, index]), category)
                path = folder / f'{label}_{index:04d}.jpg'
                if not cv2.imwrite(str(path), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 93]):
                    raise OSError(f'cannot write {path}')


def ensure_classification_sample(root: Path) -> Path:
    """Render the sample on first use, or again when the generator has changed since.

    Args:
        root: Folder of the sample.

    Returns:
        The folder.

    Raises:
        UserError: `root` is a file, or holds files that are no sample.
    """
    return ensure_rendered_folder(Path(root), render_classification_sample)
