"""The categories of the detection sample: COCO's own names and ids, and who draws them."""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lcvision.datasets.sample.food import draw_banana, draw_donut
from lcvision.datasets.sample.play import draw_kite, draw_sports_ball, draw_umbrella
from lcvision.datasets.sample.sprite import Sprite
from lcvision.datasets.sample.street import draw_clock, draw_stop_sign, draw_traffic_light


@dataclass(frozen=True)
class Category:
    """One category of the sample.

    Args:
        id: Category id of COCO 2017.
        name: Category name of COCO 2017.
        supercategory: COCO's group of categories.
        draw: Paints one such object on a sprite.
        tilt: Largest turn from upright, in degrees; 0 also for what is turned while it is painted.
        squeeze: Smallest factor on its width, as if seen from the side.
    """

    id: int
    name: str
    supercategory: str
    draw: Callable[[Sprite, np.random.Generator], None]
    tilt: float
    squeeze: float = 0.86


CATEGORIES = (
    Category(10, 'traffic light', 'outdoor', draw_traffic_light, 10),
    Category(13, 'stop sign', 'outdoor', draw_stop_sign, 16),
    Category(28, 'umbrella', 'accessory', draw_umbrella, 24),
    Category(37, 'sports ball', 'sports', draw_sports_ball, 0, 0.98),
    Category(38, 'kite', 'sports', draw_kite, 40),
    Category(52, 'banana', 'food', draw_banana, 75),
    Category(60, 'donut', 'food', draw_donut, 0),
    Category(85, 'clock', 'indoor', draw_clock, 14),
)
