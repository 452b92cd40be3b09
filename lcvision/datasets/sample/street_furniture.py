"""Trees, and poles with what they carry: lamps, traffic lights and signs."""
import numpy as np

from lcvision.datasets.sample.colours import cloud_noise, hsv, pick, vary
from lcvision.datasets.sample.scene import cast
from lcvision.datasets.sample.sprite import Sprite
from lcvision.datasets.sample.street import draw_stop_sign, draw_traffic_light
from lcvision.datasets.sample.street_canvas import Label, StreetCanvas

_LARGEST = 192


def lay_sprite(canvas: StreetCanvas, sprite: Sprite, x: float, y: float, z: float, size: float, label: int,
               gain: float = 1) -> None:
    """Lays a sprite whose canvas is ``size`` metres a side with its middle at a point of the street."""
    pixels = size * canvas.camera.focal / z
    if pixels >= 2:
        centre = canvas.camera.project(np.array([(x, y, z)]))[0]
        canvas.lay(cast(sprite, pixels, gain=gain), centre, label, z)


def sprite_for(canvas: StreetCanvas, size: float, z: float) -> Sprite:
    """A canvas for something of this size, in metres, at this distance."""
    return Sprite(int(np.clip(2 * size * canvas.camera.focal / z, 24, _LARGEST)))


def draw_tree(rng: np.random.Generator, canvas: StreetCanvas, x: float, z: float) -> None:
    """A broad-leaved tree or a conifer; the trunk belongs to it."""
    high = rng.uniform(4.5, 9)
    sprite = sprite_for(canvas, high, z)
    bark = vary(rng, (86, 70, 56))
    sprite.paint(sprite.polygon([(-0.06, 1), (-0.035, 0), (0.035, 0), (0.06, 1)]), bark)
    leaf = hsv(pick(rng, (rng.uniform(75, 125), rng.uniform(75, 125), rng.uniform(30, 60))), rng.uniform(0.35, 0.65),
               rng.uniform(0.28, 0.5))
    if rng.random() < 0.25:
        for level in range(4):
            half, top = 0.2 + 0.14 * level, -0.98 + 0.4 * level
            low = top + 0.62
            sprite.paint(sprite.polygon([(0, top), (half, low), (-half, low)]), leaf * (1.1 - 0.08 * level))
    else:
        for _ in range(int(rng.integers(9, 14))):
            angle, reach = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
            cx, cy = 0.52 * reach * np.cos(angle), -0.38 + 0.4 * reach * np.sin(angle)
            sprite.paint(sprite.ellipse(cx, cy, rng.uniform(0.18, 0.34)), vary(rng, leaf * (1.05 - 0.35 * cy), 12))
    pixels = sprite.pixels
    sprite.light(np.clip(1 + 0.2 * cloud_noise(rng, pixels, pixels, (pixels / 12, pixels / 12), 3), 0.5, 1.6))
    sprite.light_slope(float(canvas.light[0]), -float(canvas.light[1]), 0.2)
    lay_sprite(canvas, sprite, x, high / 2, z, high, Label.VEGETATION)


def _draw_post(canvas: StreetCanvas, x: float, z: float, high: float, wide: float, colour: np.ndarray) -> None:
    points = canvas.camera.project(np.array([(x, 0, z), (x, high, z)]))
    half = max(wide * canvas.camera.focal / z, 1.3) / 2
    (x0, y0), (x1, y1) = points
    canvas.polygon(np.array([(x0 - half, y0), (x0 + half, y0), (x1 + half, y1), (x1 - half, y1)]), colour, Label.POLE,
                   z)
    canvas.polygon(np.array([(x0 - half, y0), (x0 - half / 3, y0), (x1 - half / 3, y1), (x1 - half, y1)]),
                   colour * 1.35, Label.POLE, z)


def draw_lamp(rng: np.random.Generator, canvas: StreetCanvas, side: int, x: float, z: float) -> None:
    """A street lamp that leans over the road."""
    colour, high, reach = vary(rng, pick(rng, ((120, 122, 124), (74, 80, 78)))), rng.uniform(5, 8), rng.uniform(1, 2.2)
    _draw_post(canvas, x, z, high, rng.uniform(0.14, 0.2), colour)
    thick = max(0.1, 1.3 * z / canvas.camera.focal)
    end = x - side * reach
    canvas.face([(x, high - thick, z), (x, high, z), (end, high + 0.35, z), (end, high + 0.35 - thick, z)], colour,
                Label.POLE)
    canvas.face([(end - 0.35, high + 0.3, z), (end + 0.35, high + 0.3, z), (end + 0.25, high + 0.5, z),
                 (end - 0.25, high + 0.5, z)], colour * 0.8, Label.POLE)


def draw_light(rng: np.random.Generator, canvas: StreetCanvas, side: int, x: float, z: float) -> None:
    """A traffic light on its pole, at times with a second one above the road."""
    colour, high = vary(rng, (84, 88, 88)), rng.uniform(2.6, 3.6)
    places = [(x, high)]
    if rng.random() < 0.4:
        reach, top = rng.uniform(1.8, 3), high + 1.9
        _draw_post(canvas, x, z, top, 0.16, colour)
        thick = max(0.1, 1.3 * z / canvas.camera.focal)
        canvas.face([(x, top - thick, z), (x, top, z), (x - side * reach, top, z), (x - side * reach, top - thick, z)],
                    colour, Label.POLE)
        places.append((x - side * reach, top - 0.2))
    else:
        _draw_post(canvas, x, z, high, 0.15, colour)
    size = rng.uniform(1, 1.3)
    for at, y in places:
        sprite = sprite_for(canvas, size, z)
        draw_traffic_light(sprite, rng)
        lay_sprite(canvas, sprite, at, y, z - 0.1, size, Label.TRAFFIC_LIGHT)


def draw_sign(rng: np.random.Generator, canvas: StreetCanvas, x: float, z: float) -> None:
    """A traffic sign on its pole."""
    high, size = rng.uniform(2.1, 2.7), rng.uniform(0.75, 1.05)
    _draw_post(canvas, x, z, high, 0.09, vary(rng, (140, 142, 144)))
    sprite = sprite_for(canvas, size, z)
    pick(rng, (draw_stop_sign, _paint_warning, _paint_order, _paint_order, _paint_board))(sprite, rng)
    lay_sprite(canvas, sprite, x, high, z - 0.05, size, Label.TRAFFIC_SIGN)


def _paint_warning(sprite: Sprite, rng: np.random.Generator) -> None:
    turn = 1 if rng.random() < 0.6 else -1
    for scale, colour in ((1, (196, 26, 30)), (0.7, (246, 244, 236))):
        corners = [(0, -0.95 * scale), (0.95 * scale, 0.75 * scale), (-0.95 * scale, 0.75 * scale)]
        sprite.paint(sprite.polygon([(x, turn * y) for x, y in corners]), np.array(colour))
    sprite.tint(sprite.polygon([(-0.06, -0.3), (0.06, -0.3), (0.04, 0.35), (-0.04, 0.35)]), (24, 24, 28))


def _paint_order(sprite: Sprite, rng: np.random.Generator) -> None:
    blue = rng.random() < 0.4
    sprite.paint(sprite.ellipse(0, 0, 0.95), np.array((24, 84, 170) if blue else (200, 26, 30)))
    if blue:
        sprite.tint(sprite.polygon([(-0.12, 0.6), (-0.12, -0.1), (-0.4, -0.1), (0, -0.65), (0.4, -0.1), (0.12, -0.1),
                                    (0.12, 0.6)]), (245, 245, 245))
    else:
        sprite.tint(sprite.ellipse(0, 0, 0.68), (246, 246, 242))
        for at in (-0.26, 0.26):
            sprite.tint(sprite.ellipse(at, 0, 0.17, 0.3), (26, 26, 30))


def _paint_board(sprite: Sprite, rng: np.random.Generator) -> None:
    high = rng.uniform(0.55, 0.95)
    colour = pick(rng, ((28, 92, 168), (30, 120, 70), (242, 206, 50), (240, 240, 238)))
    sprite.paint(sprite.polygon([(-0.95, -high), (0.95, -high), (0.95, high), (-0.95, high)]), np.array(colour))
    ink = (24, 24, 28) if sum(colour) > 480 else (245, 245, 245)
    for row in (-0.4, 0.1):
        sprite.tint(sprite.stroke([(-0.7, row * high), (rng.uniform(0.1, 0.7), row * high)], 0.16), ink)
