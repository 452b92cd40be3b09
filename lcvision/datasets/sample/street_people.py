"""People on foot and on bicycles."""
import numpy as np

from lcvision.datasets.sample.colours import hsv, pick, vary
from lcvision.datasets.sample.sprite import Sprite
from lcvision.datasets.sample.street_canvas import Label, StreetCanvas
from lcvision.datasets.sample.street_furniture import lay_sprite, sprite_for

_SKINS = ((232, 190, 160), (206, 156, 122), (150, 104, 76), (96, 66, 50))


def _clothes(rng: np.random.Generator) -> np.ndarray:
    return vary(rng, pick(rng, (hsv(rng.uniform(0, 360), rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.85)),
                                hsv(220, 0.3, rng.uniform(0.14, 0.4)), hsv(0, 0, rng.uniform(0.2, 0.9)))))


def _shade_feet(canvas: StreetCanvas, x: float, z: float, half: float) -> None:
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    canvas.face([(x + half * np.cos(a), 0, z + 0.3 * np.sin(a)) for a in turn], np.array((24, 24, 28.)), None, 0.45)


def _limb(sprite: Sprite, points: list[tuple[float, float]], width: float, colour: np.ndarray) -> None:
    sprite.paint(sprite.stroke(points, width), colour)


def _head(sprite: Sprite, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    skin = vary(rng, pick(rng, _SKINS))
    sprite.paint(sprite.ellipse(x, y, size * 0.85, size), skin)
    hair = vary(rng, pick(rng, ((30, 26, 24), (92, 66, 44), (180, 150, 100), (150, 148, 146))))
    sprite.paint(sprite.ellipse(x, y - 0.45 * size, size * 0.88, 0.62 * size), hair)


def draw_person(rng: np.random.Generator, canvas: StreetCanvas, x: float, z: float) -> None:
    """Somebody who walks or stands."""
    high = rng.uniform(1.5, 1.9)
    sprite = sprite_for(canvas, high, z)
    coat, trousers = _clothes(rng), _clothes(rng) * 0.75
    stride = rng.uniform(0.02, 0.26)
    for foot, tone in ((-stride, 0.8), (stride, 1.0)):
        _limb(sprite, [(0, 0.0), (foot * 0.5, 0.48), (foot, 0.93)], 0.17, trousers * tone)
        _limb(sprite, [(foot, 0.95), (foot + 0.07, 0.95)], 0.09, np.array((34, 30, 30.)))
    swing = rng.uniform(-0.16, 0.16)
    _limb(sprite, [(-0.2, -0.52), (-0.27 - swing, -0.2), (-0.22 - swing, 0.08)], 0.11, coat * 0.8)
    long = rng.uniform(0.05, 0.35)
    sprite.paint(sprite.polygon([(-0.22, -0.58), (0.22, -0.58), (0.2, long), (-0.2, long)]), coat)
    _limb(sprite, [(0.2, -0.52), (0.27 + swing, -0.2), (0.24 + swing, 0.08)], 0.11, coat * 0.9)
    _head(sprite, rng, 0, -0.8, 0.16)
    if rng.random() < 0.3:
        sprite.paint(sprite.polygon([(0.16, -0.5), (0.36, -0.46), (0.36, -0.05), (0.16, -0.05)]), _clothes(rng))
    sprite.light_slope(canvas.light[0], -0.3, 0.15)
    _shade_feet(canvas, x, z, 0.45)
    lay_sprite(canvas, sprite, x, high / 2, z, high, Label.PERSON)


def draw_rider(rng: np.random.Generator, canvas: StreetCanvas, x: float, z: float) -> None:
    """Somebody on a bicycle, seen from the side or, narrower, in a turn."""
    size = 1.85
    bicycle, rider = sprite_for(canvas, size, z), sprite_for(canvas, size, z)
    way, narrow = (1 if rng.random() < 0.5 else -1), rng.uniform(0.5, 1)

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(way * narrow * px, py) for px, py in points]

    frame = _clothes(rng)
    for wheel in (-0.52, 0.52):
        turn = np.linspace(0, 2 * np.pi, 22)
        rim = at(*[(wheel + 0.36 * np.cos(a), 0.62 + 0.36 * np.sin(a)) for a in turn])
        bicycle.paint(bicycle.polygon(rim), np.array((150, 150, 152.)), 0.55)
        _limb(bicycle, rim, 0.07, np.array((28, 28, 30.)))
    for tube in (((-0.52, 0.62), (-0.08, 0.62), (0.36, 0.12), (-0.2, 0.12), (-0.08, 0.62)),
                 ((-0.52, 0.62), (-0.22, 0.06)), ((0.52, 0.62), (0.36, 0.02), (0.26, -0.02))):
        _limb(bicycle, at(*tube), 0.06, frame)
    coat, trousers = _clothes(rng), _clothes(rng) * 0.8
    for foot in ((-0.14, 0.78), (0.04, 0.5)):
        _limb(rider, at((-0.22, 0.0), (0.14, 0.18), foot), 0.15, trousers)
    rider.paint(rider.polygon(at((-0.34, 0.06), (-0.1, 0.06), (0.24, -0.46), (0.02, -0.58))), coat)
    _limb(rider, at((0.14, -0.46), (0.3, -0.2), (0.32, 0.0)), 0.1, coat * 0.85)
    _head(rider, rng, way * narrow * 0.2, -0.72, 0.14)
    if rng.random() < 0.5:
        rider.tint(rider.ellipse(way * narrow * 0.2, -0.82, 0.15, 0.1), hsv(rng.uniform(0, 360), 0.7, 0.8))
    _shade_feet(canvas, x, z, 0.8)
    lay_sprite(canvas, bicycle, x, size / 2 - 0.02, z, size, Label.BICYCLE)
    lay_sprite(canvas, rider, x, size / 2 - 0.02, z, size, Label.RIDER)
