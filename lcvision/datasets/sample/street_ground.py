"""What lies behind and under everything else in a street: sky, skyline, road, sidewalks and grass."""
from dataclasses import dataclass

import cv2
import numpy as np

from lcvision.datasets.sample.colours import cloud_noise, hsv, pick, vary
from lcvision.datasets.sample.street_canvas import Camera, Label, StreetCanvas

# Pixels of a ground texture to the metre, and the metres after which it repeats.
_DENSITY, _PERIOD = 8, 48


@dataclass(frozen=True)
class Street:
    """Plan of a street, in metres; sides are left and right.

    Args:
        half: Half the width of the road.
        walks: Width of the sidewalk of either side.
        lanes: Middle of each lane.
    """

    half: float
    walks: tuple[float, float]
    lanes: tuple[float, ...]

    def edge(self, side: int) -> float:
        """The x where the sidewalk of a side, -1 or 1, ends."""
        return side * (self.half + self.walks[(side + 1) // 2])


def draw_sky(rng: np.random.Generator, height: int, width: int, horizon: float) -> tuple[np.ndarray, np.ndarray]:
    """A sky, clear, clouded or of an evening, and the colour of the haze above the ground."""
    hue = rng.uniform(200, 222)
    top, low, cloud = pick(rng, (
        (hsv(hue, rng.uniform(0.45, 0.7), 0.85), hsv(hue - 8, 0.16, 0.97), (250, 251, 253)),
        (hsv(hue, 0.08, rng.uniform(0.66, 0.86)), hsv(hue, 0.04, 0.92), (238, 240, 243)),
        (hsv(222, 0.4, 0.62), hsv(rng.uniform(20, 40), 0.32, 0.95), (250, 216, 194)),
        (hsv(210, 0.12, 0.55), hsv(210, 0.07, 0.74), (176, 182, 190))))
    down = np.clip(np.arange(height, dtype=np.float32) / max(horizon, 1), 0, 1)[:, None, None]
    sky = vary(rng, top) * (1 - down) + vary(rng, low) * down + np.zeros((1, width, 1), np.float32)
    clouds = np.clip(cloud_noise(rng, height, width, (40, 150), 4) * 0.5 - rng.uniform(-0.1, 0.5), 0, 0.9)[..., None]
    sky += clouds * (np.array(cloud, np.float32) - sky)
    return sky.astype(np.float32), np.asarray(low, np.float32)


def draw_skyline(rng: np.random.Generator, canvas: StreetCanvas) -> None:
    """Houses and trees on the horizon."""
    width = canvas.shape[1]
    x = -20.
    while x < width:
        step, tree = rng.uniform(14, 60), rng.random() < 0.55
        high = rng.uniform(6, 20 if tree else 46)
        base = canvas.camera.horizon + 3
        if tree:
            angle = np.linspace(0, np.pi, 14)
            points = np.stack([x + step * (0.55 - 0.6 * np.cos(angle)), base - high * np.sin(angle) ** 0.6], 1)
            points[:, 1] += rng.uniform(-1.5, 1.5, len(points))
        else:
            points = np.array([(x, base), (x, base - high), (x + step, base - high), (x + step, base)])
        colour = hsv(rng.uniform(80, 130), 0.4, 0.38) if tree else hsv(rng.uniform(15, 45), 0.2, rng.uniform(0.4, 0.7))
        canvas.polygon(points, colour, Label.VEGETATION if tree else Label.BUILDING, rng.uniform(50, 110))
        x += step * rng.uniform(0.5, 0.95)


def draw_ground(rng: np.random.Generator, canvas: StreetCanvas, street: Street, grass: tuple[bool, bool]) -> None:
    """Road with markings, sidewalks, and what lies beyond: grass on the sides where ``grass`` says so, else paving."""
    camera = canvas.camera
    first = max(0, int(np.ceil(camera.horizon)) + 1)
    x, z = (plane[first:] for plane in camera.ground(*canvas.shape))
    metre = camera.focal / z
    grey = rng.uniform(70, 125)
    road = np.array((grey, grey, grey + rng.uniform(-4, 8)))
    walk = vary(rng, pick(rng, ((172, 166, 158), (150, 146, 144), (186, 172, 156), (160, 140, 130))), 14)
    lawn = hsv(rng.uniform(68, 112), rng.uniform(0.35, 0.6), rng.uniform(0.38, 0.58))
    noise = [_texture(rng, camera, x, z, cell) for cell in ((2.5, 2.5), (0.35, 0.35))]
    ground = _lit(road, 0.06 * noise[0] + 0.05 * noise[1])
    labels = np.full(x.shape, Label.ROAD, np.uint8)
    _mark(rng, ground, x, z, metre, street)
    paving = (1 - 0.16 * _joints(x, z, metre, rng.uniform(0.6, 1.4)))[..., None]
    for side in (-1, 1):
        beyond = lawn if grass[(side + 1) // 2] else walk * 0.94
        edges = ((side * street.half, _lit(walk, 0.05 * noise[0] + 0.04 * noise[1]) * paving, Label.SIDEWALK),
                 (street.edge(side), _lit(beyond, 0.1 * noise[0] + 0.14 * noise[1]),
                  Label.TERRAIN if grass[(side + 1) // 2] else Label.SIDEWALK))
        for edge, colour, label in edges:
            weight = np.clip(side * (x - edge) * metre + 0.5, 0, 1)
            ground += weight[..., None] * (colour - ground)
            labels[weight > 0.5] = label
        # The kerb: light on top, dark in the gutter.
        seen = np.clip(metre / 6, 0, 1)
        for offset, change in ((0.08, 0.2), (-0.06, -0.28)):
            near = np.clip((0.08 - np.abs(x * side - street.half - offset)) * metre + 0.5, 0, 1)
            ground *= (1 + change * near * seen)[..., None]
    canvas.image[first:] = canvas.faded(ground, z[..., None])
    canvas.labels[first:] = labels


def _lit(colour: np.ndarray, texture: np.ndarray) -> np.ndarray:
    return (np.asarray(colour, np.float32) * (1 + texture)[..., None]).astype(np.float32)


def _texture(rng: np.random.Generator, camera: Camera, x: np.ndarray, z: np.ndarray,
             cell: tuple[float, float]) -> np.ndarray:
    """Noise that lies on the ground and fades where a pixel shows more than a grain of it."""
    side = _DENSITY * _PERIOD
    tile = cloud_noise(rng, side, side, (cell[0] * _DENSITY, cell[1] * _DENSITY), 2)
    columns = ((x + 1000) % _PERIOD * _DENSITY).astype(np.float32)
    rows = np.ascontiguousarray(z % _PERIOD * _DENSITY, np.float32)
    flat = cv2.remap(tile, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return flat * np.clip(cell[0] * camera.focal * camera.height / (z * z), 0, 1)


def _joints(x: np.ndarray, z: np.ndarray, metre: np.ndarray, slab: float) -> np.ndarray:
    """Joints between paving slabs, 0..1."""
    gap = np.minimum(np.minimum(x % slab, slab - x % slab), np.minimum(z % slab, slab - z % slab))
    return np.clip((0.03 - gap) * metre + 0.5, 0, 1) * np.clip(metre * slab / 12 - 0.4, 0, 1)


def _mark(rng: np.random.Generator, ground: np.ndarray, x: np.ndarray, z: np.ndarray, metre: np.ndarray,
          street: Street) -> None:
    """Paints dashes between the lanes, lines along the kerbs and now and then a crossing."""
    paint = np.array(pick(rng, ((226, 226, 222), (214, 214, 208), (232, 206, 120))), np.float32)
    wear = np.float32(rng.uniform(0.5, 0.95))
    seen = np.clip(metre / 5, 0, 1) * wear
    dash = (z + rng.uniform(0, 8)) % 8 < rng.uniform(3, 5)
    stripes = [(middle, dash) for middle in (np.array(street.lanes[1:]) + np.array(street.lanes[:-1])) / 2]
    if rng.random() < 0.5:
        stripes += [(side * (street.half - 0.35), np.ones_like(dash)) for side in (-1, 1)]
    for middle, where in stripes:
        weight = np.clip((0.08 - np.abs(x - middle)) * metre + 0.5, 0, 1) * where
        ground += (weight * seen)[..., None] * (paint - ground)
    if rng.random() < 0.35:
        start = rng.uniform(7, 22)
        bars = (np.abs(x) < street.half - 0.4) & (x % 1.1 < 0.55) & (z > start) & (z < start + 3.2)
        ground += (bars * wear)[..., None] * (paint - ground)
