"""A small segmentation data set in Cityscapes layout, rendered instead of downloaded."""
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from lcvision.datasets.sample.colours import pick
from lcvision.datasets.sample.rendered_folder import ensure_rendered_folder
from lcvision.datasets.sample.scene import Scene
from lcvision.datasets.sample.street_canvas import IGNORED, Camera, StreetCanvas
from lcvision.datasets.sample.street_furniture import draw_lamp, draw_light, draw_sign, draw_tree
from lcvision.datasets.sample.street_ground import Street, draw_ground, draw_sky, draw_skyline
from lcvision.datasets.sample.street_people import draw_person, draw_rider
from lcvision.datasets.sample.street_sides import Draw, draw_fence, draw_hedge, draw_house, draw_wall
from lcvision.datasets.sample.street_vehicles import draw_bus, draw_car, draw_truck

SIZE = (256, 512)
_FARTHEST = 90.
_CITY = 'rendered'
_TOWN: tuple[Draw, ...] = (draw_house, draw_house, draw_house, draw_house, draw_wall)
_SUBURB: tuple[Draw, ...] = (draw_house, draw_house, draw_hedge, draw_fence, draw_wall)
_PARK: tuple[Draw, ...] = (draw_fence, draw_hedge, draw_wall, draw_fence, draw_house)

# Distance, and what paints the thing there.
Things = list[tuple[float, Callable[[], None]]]


def render_street_image(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Render one street.

    Args:
        rng: Source of all randomness.

    Returns:
        The image, uint8 RGB (height, width, 3), and Cityscapes' training labels, uint8 (height, width).
    """
    height, width = SIZE
    street = _plan(rng)
    camera = Camera(width * rng.uniform(0.62, 0.95), width * rng.uniform(0.38, 0.62), height * rng.uniform(0.36, 0.5),
                    rng.uniform(1.3, 2.3), rng.uniform(-1, 1) * 8e-4, max(street.lanes) + rng.uniform(-0.6, 0.6))
    sky, haze = draw_sky(rng, height, width, camera.horizon)
    sun = np.array((rng.uniform(-1, 1), rng.uniform(0.2, 0.9), rng.uniform(-0.8, 0.5)))
    canvas = StreetCanvas(camera, sky, haze, rng.uniform(110, 420), sun)
    draw_skyline(rng, canvas)
    kinds = [pick(rng, (_TOWN, _TOWN, _SUBURB, _SUBURB, _PARK)) for _ in range(2)]
    draw_ground(rng, canvas, street, (kinds[0] is not _TOWN, kinds[1] is not _TOWN))
    for side, kind in zip((-1, 1), kinds):
        _line(rng, canvas, street, side, kind)
    things: Things = []
    for side in (-1, 1):
        _furnish(rng, canvas, street, side, things)
        _populate(rng, canvas, street, side, things)
    _drive(rng, canvas, street, things)
    for _, paint in sorted(things, key=lambda thing: -thing[0]):
        paint()
    if rng.random() < 0.2:
        _add_bonnet(rng, canvas)
    scene = Scene(canvas.image * (rng.uniform(0.72, 1.08) * rng.uniform(0.94, 1.06, 3)).astype(np.float32), False)
    return scene.finish(rng), canvas.labels


def _plan(rng: np.random.Generator) -> Street:
    count, lane, parking = int(rng.integers(2, 4)), rng.uniform(2.9, 3.5), rng.uniform(0, 2.4)
    lanes = tuple((index - (count - 1) / 2) * lane for index in range(count))
    return Street(count * lane / 2 + parking, (rng.uniform(1.6, 4.5), rng.uniform(1.6, 4.5)), lanes)


def _line(rng: np.random.Generator, canvas: StreetCanvas, street: Street, side: int, kind: tuple[Draw, ...]) -> None:
    """Lines a side of the street with houses and the like, from far to near."""
    sections = [rng.uniform(2, 5)]
    while sections[-1] < _FARTHEST:
        sections.append(sections[-1] + rng.uniform(6, 18))
    back = 0. if kind is _TOWN else rng.uniform(1, 4)
    for start, end in reversed(list(pairwise(sections))):
        x = street.edge(side) + side * (back + rng.uniform(0, 0.6))
        if kind is not _TOWN:
            for _ in range(int(rng.integers(0, 3))):
                draw_tree(rng, canvas, x + side * rng.uniform(3, 14), rng.uniform(start, end))
        if rng.random() < 0.88:
            pick(rng, kind)(rng, canvas, side, x, start, end - rng.uniform(0, 2))


def _furnish(rng: np.random.Generator, canvas: StreetCanvas, street: Street, side: int, things: Things) -> None:
    """Puts trees, lamps, signs and traffic lights along the kerb, and parked cars beside it."""
    walk = street.walks[(side + 1) // 2]
    x, z, trees = side * (street.half + min(0.6, walk / 3)), rng.uniform(7, 13), rng.random() < 0.6
    while z < 60:
        draw = rng.random()
        if draw < 0.38 and trees:
            things.append((z, partial(draw_tree, rng, canvas, x, z)))
        elif draw < 0.62:
            things.append((z, partial(draw_lamp, rng, canvas, side, x, z)))
        elif draw < 0.82:
            things.append((z, partial(draw_sign, rng, canvas, x, z)))
        else:
            things.append((z, partial(draw_light, rng, canvas, side, x, z)))
        z += rng.uniform(4, 13)
    if street.half - max(street.lanes) < 2.9:
        return
    z = rng.uniform(6.5, 12)
    while z < 70:
        if rng.random() < 0.75:
            things.append((z, partial(draw_car, rng, canvas, side * (street.half - 1.05), z, side < 0)))
        z += rng.uniform(5.4, 9)


def _populate(rng: np.random.Generator, canvas: StreetCanvas, street: Street, side: int, things: Things) -> None:
    """Puts people on the sidewalk, now and then one onto the road, and cyclists along the kerb."""
    walk = street.walks[(side + 1) // 2]
    for _ in range(int(rng.integers(0, 6))):
        x = street.half + rng.uniform(0.3, 0.95) * walk if rng.random() < 0.9 else rng.uniform(0, max(street.lanes) + 1)
        z = float(np.exp(rng.uniform(np.log(6), np.log(35))))
        things.append((z, partial(draw_person, rng, canvas, side * x, z)))
    if rng.random() < 0.35:
        x, z = side * (street.half - rng.uniform(0.5, 1.2)), rng.uniform(7, 28)
        things.append((z, partial(draw_rider, rng, canvas, x, z)))


def _drive(rng: np.random.Generator, canvas: StreetCanvas, street: Street, things: Things) -> None:
    """Puts vehicles on the lanes; those on the left come towards the camera."""
    for lane in street.lanes:
        z = rng.uniform(8, 30)
        while z < 70:
            draw = rng.random()
            paint = draw_truck if draw < 0.14 else draw_bus if draw < 0.26 else draw_car
            things.append((z, partial(paint, rng, canvas, lane + rng.uniform(-0.3, 0.3), z, lane < 0)))
            z += rng.uniform(14, 45)


def _add_bonnet(rng: np.random.Generator, canvas: StreetCanvas) -> None:
    """The bonnet of the camera's own car, which does not count."""
    height, width = canvas.shape
    turn = np.linspace(0, np.pi, 30)
    high = rng.uniform(8, 26)
    points = np.stack([width * (0.5 - 0.62 * np.cos(turn)), height + 2 - high * np.sin(turn) ** 0.5], 1)
    canvas.polygon(points, np.full(3, rng.uniform(20, 90)), IGNORED, 0)


def _render_split(root: Path, split: str, count: int, seed: list[int]) -> None:
    folders = [root / name / split / _CITY for name in ('leftImg8bit', 'gtFine')]
    for folder in folders:
        folder.mkdir(parents=True)
    for index in range(count):
        image, labels = render_street_image(np.random.default_rng([*seed, index]))
        stem = f'{_CITY}_{index:06d}'
        for path, pixels in ((folders[0] / f'{stem}_leftImg8bit.png', image[..., ::-1]),
                             (folders[1] / f'{stem}_gtFine_labelTrainIds.png', labels)):
            if not cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 4]):
                raise OSError(f'cannot write {path}')


def render_street_sample(root: Path, train_images: int = 160, val_images: int = 40, seed: int = 2021) -> None:
    """Render the sample into a folder: the same arguments give the same files, byte for byte.

    Args:
        root: Folder that receives ``leftImg8bit/`` and ``gtFine/``, neither of which may exist.
        train_images: Images of the training set.
        val_images: Images of the validation set.
        seed: Selects another set of streets, at least 0.
    """
    _render_split(Path(root), 'train', train_images, [seed, 0])
    _render_split(Path(root), 'val', val_images, [seed, 1])


def ensure_street_sample(root: Path) -> Path:
    """Render the sample on first use, or again when the generator has changed since.

    Args:
        root: Folder of the sample, in Cityscapes layout afterwards.

    Returns:
        The folder.

    Raises:
        UserError: `root` is a file, or holds files that are no sample.
    """
    return ensure_rendered_folder(Path(root), render_street_sample)
