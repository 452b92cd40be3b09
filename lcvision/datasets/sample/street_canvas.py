"""A street seen through a camera: an image, the class of each of its pixels, and perspective."""
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np

from lcvision.datasets.sample.scene import Layer

NEAREST = 1.5
IGNORED = 255
_SHIFT = 6
_FAR = 1e4


class Label(IntEnum):
    """Cityscapes' training labels of what the streets show."""

    ROAD = 0
    SIDEWALK = 1
    BUILDING = 2
    WALL = 3
    FENCE = 4
    POLE = 5
    TRAFFIC_LIGHT = 6
    TRAFFIC_SIGN = 7
    VEGETATION = 8
    TERRAIN = 9
    SKY = 10
    PERSON = 11
    RIDER = 12
    CAR = 13
    TRUCK = 14
    BUS = 15
    BICYCLE = 18


@dataclass(frozen=True)
class Camera:
    """Where the street is seen from. Metres: x to the right, y upwards from the ground, z ahead.

    Args:
        focal: Focal length, in pixels.
        centre: Column of the vanishing point.
        horizon: Row of the horizon.
        height: Of the camera above the ground, in metres.
        bend: Sideways shift of the street at a distance z, in units of z squared.
        aside: Its own x.
    """

    focal: float
    centre: float
    horizon: float
    height: float
    bend: float
    aside: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (x, y) of points (x, y, z) of at least the nearest distance: (N, 3) -> (N, 2)."""
        x, y, z = np.asarray(points, float).T
        return np.stack([self.centre + self.focal * ((x - self.aside) / z + self.bend * z),
                         self.horizon + self.focal * (self.height - y) / z], 1)

    def ground(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """The x and z, in metres, that each pixel shows of the ground; z is far above the horizon."""
        below = np.arange(height, dtype=np.float32)[:, None] + 0.5 - self.horizon
        z = np.where(below > 0.25, self.focal * self.height / np.maximum(below, 0.25), _FAR).astype(np.float32)
        z = np.broadcast_to(z, (height, width))
        across = (np.arange(width, dtype=np.float32) + 0.5 - self.centre) / self.focal
        return (across - self.bend * z) * z + self.aside, z


class StreetCanvas:
    """Image and labels, painted from far to near; what is far fades into the haze.

    Args:
        camera: The camera.
        sky: Image of the sky, float32 RGB 0..255, (height, width, 3); painted over in place.
        haze: Its colour, RGB.
        clearness: Distance over which all but a third fades away, in metres.
        light: Direction towards the sun: x, y, z.
    """

    def __init__(self, camera: Camera, sky: np.ndarray, haze: np.ndarray, clearness: float, light: np.ndarray) -> None:
        self.camera = camera
        self.image = sky
        self.labels = np.full(sky.shape[:2], Label.SKY, np.uint8)
        self.haze = np.asarray(haze, np.float32)
        self.clearness = clearness
        self.light = light / np.linalg.norm(light)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.shape[0], self.image.shape[1]

    def shade(self, normal: Sequence[float]) -> float:
        """Brightness of a surface that faces this way."""
        return 0.78 + 0.3 * float(np.dot(self.light, normal))

    def blend(self, window: tuple[slice, slice], weight: np.ndarray, colour: np.ndarray, label: int | None) -> None:
        """Lays colours over a window of the image; the label goes where they cover the better half.

        Args:
            window: Rows and columns.
            weight: Opacity, 0..1, of the window's shape.
            colour: RGB for all of it or for each pixel.
            label: Class; None leaves the labels.
        """
        part = self.image[window]
        part += weight[..., None] * (np.asarray(colour, np.float32) - part)
        if label is not None:
            self.labels[window][weight > 0.5] = label

    def polygon(self, points: np.ndarray, colour: np.ndarray, label: int | None, z: float, opacity: float = 1) -> None:
        """Fills a polygon of pixels (N, 2) that is ``z`` metres away."""
        found = self.window(points)
        if found is None:
            return
        window, offset = found
        mask = np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start), np.uint8)
        corners = np.round((np.clip(points, -4000, 4000) - offset - 0.5) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, _SHIFT)
        self.blend(window, mask.astype(np.float32) * (opacity / 255), self.faded(colour, z), label)

    def face(self, corners: Sequence[Sequence[float]], colour: np.ndarray, label: int | None,
             opacity: float = 1) -> None:
        """Fills a polygon of points (x, y, z) in the street."""
        points = np.asarray(corners, float)
        if points[:, 2].min() >= NEAREST:
            self.polygon(self.camera.project(points), colour, label, float(points[:, 2].mean()), opacity)

    def lay(self, layer: Layer, centre: np.ndarray, label: int, z: float) -> None:
        """Lays a cast sprite with its middle on a pixel."""
        half = np.array(layer.alpha.shape[::-1]) / 2
        start = np.round(centre - half).astype(int)
        low = np.maximum(start, 0)
        high = np.minimum(start + layer.alpha.shape[::-1], self.shape[::-1])
        if (high <= low).any():
            return
        window = slice(low[1], high[1]), slice(low[0], high[0])
        source = slice(low[1] - start[1], high[1] - start[1]), slice(low[0] - start[0], high[0] - start[0])
        alpha = layer.alpha[source]
        rgb = layer.rgb[source] / np.maximum(alpha, 1e-3)[..., None]
        self.blend(window, np.clip(alpha, 0, 1), self.faded(np.clip(rgb, 0, 255), z), label)

    def faded(self, colour: np.ndarray, z: float | np.ndarray) -> np.ndarray:
        """A colour seen from a distance."""
        clear = np.exp(-np.asarray(z, np.float32) / self.clearness)
        return self.haze + (np.asarray(colour, np.float32) - self.haze) * clear

    def window(self, points: np.ndarray) -> tuple[tuple[slice, slice], np.ndarray] | None:
        """Rows and columns that points (N, 2) span, and the first pixel of both; None outside the image."""
        height, width = self.shape
        low = np.clip(np.floor(points.min(0)) - 1, 0, (width, height)).astype(int)
        high = np.clip(np.ceil(points.max(0)) + 1, 0, (width, height)).astype(int)
        if (high <= low).any():
            return None
        return (slice(low[1], high[1]), slice(low[0], high[0])), low.astype(float)
