"""Cars, trucks and buses: outlines of their sides, as wide as the vehicle."""
from collections.abc import Sequence

import numpy as np

from lcvision.datasets.sample.colours import hsv, pick, vary
from lcvision.datasets.sample.street_canvas import NEAREST, Label, StreetCanvas

Outline = Sequence[tuple[float, float]]
# (z, y) in metres from the tail at the ground, tail first; pane 1 is behind the rear window, the next ahead of it.
_SEDAN: Outline = ((0, 0.3), (0, 0.85), (0.55, 0.95), (1.15, 1.42), (2.5, 1.45), (3.25, 0.95), (4.3, 0.8), (4.4, 0.3))
_HATCH: Outline = ((0, 0.3), (0.02, 0.9), (0.4, 1.46), (2.2, 1.5), (3.0, 1.0), (3.85, 0.85), (3.95, 0.3))
_VAN: Outline = ((0, 0.35), (0, 1.1), (0.12, 1.95), (3.4, 2.0), (4.1, 1.2), (4.8, 1.05), (4.9, 0.35))
# Outline, panes of rear and front as indices of their first corner, the side window's rear and front end.
_CARS = ((_SEDAN, 2, 4, (1.0, 3.1)), (_HATCH, 1, 3, (0.35, 2.85)), (_HATCH, 1, 3, (0.35, 2.85)),
         (_VAN, 1, 3, (0.3, 3.9)))
_GLASS, _TYRE = np.array((38, 46, 56.)), np.array((24, 24, 26.))


class Vehicle:
    """Something on wheels that stands along the street.

    Args:
        canvas: What it is painted on.
        label: Its class.
        x: Its middle, in metres.
        z: Its end next to the camera.
        wide: Its width.
        long: Its length.
        oncoming: Whether its front is that end.
    """

    def __init__(self, canvas: StreetCanvas, label: Label, x: float, z: float, wide: float, long: float,
                 oncoming: bool) -> None:
        self.canvas = canvas
        self.label = label
        self.low, self.high = x - wide / 2, x + wide / 2
        self.z = z
        self.long = long
        self.oncoming = oncoming
        # A side is seen where its far end is further out than its near end; from right behind, neither is.
        ends = canvas.camera.project(np.array([(edge, 0, at) for edge in (self.low, self.high)
                                               for at in (max(z, NEAREST), z + long)]))[:, 0]
        self.side = -1 if ends[1] < ends[0] else 1 if ends[3] > ends[2] else 0

    @property
    def flank(self) -> float:
        """The x of the side that is seen."""
        return self.high if self.side > 0 else self.low

    def at(self, along: float) -> float:
        """Distance from the camera of a place so far from the tail."""
        return self.z + (self.long - along if self.oncoming else along)

    def body(self, outline: Outline, colour: np.ndarray) -> None:
        """Paints all that an outline encloses."""
        edges = sorted(zip(outline, [*outline[1:], outline[0]]),
                       key=lambda edge: -max(self.at(edge[0][0]), self.at(edge[1][0])))
        for first, second in edges:
            rise, run = second[1] - first[1], self.at(second[0]) - self.at(first[0])
            level = abs(run) / max(np.hypot(rise, run), 1e-6)
            self.strip(first, second, colour * self.canvas.shade((0, level, level - 1)))
        self.panel(outline, colour * self.canvas.shade((self.side, 0.1, 0)))

    def strip(self, first: tuple[float, float], second: tuple[float, float], colour: np.ndarray,
              inset: float = 0) -> None:
        """Paints what lies between two edges of the sides; ``inset`` is left free on either, in metres."""
        low, high = self.low + inset, self.high - inset
        self.canvas.face([(x, y, self.at(along)) for x, (along, y) in (
            (low, first), (high, first), (high, second), (low, second))], colour, self.label)

    def panel(self, outline: Outline, colour: np.ndarray) -> None:
        """Paints on the side that is seen, if one is."""
        if self.side:
            self.canvas.face([(self.flank, y, self.at(along)) for along, y in outline], colour,
                             self.label)

    def end(self, x: tuple[float, float], y: tuple[float, float], colour: np.ndarray, depth: float = 0) -> None:
        """Paints a rectangle on the end next to the camera; ``x`` counts from the left, in widths."""
        left, right = (self.low + share * (self.high - self.low) for share in x)
        z = self.z + depth
        self.canvas.face([(left, y[0], z), (right, y[0], z), (right, y[1], z), (left, y[1], z)], colour, self.label)

    def wheels(self, radius: float, places: Sequence[float]) -> None:
        """Paints the wheels, seen from behind and from the side."""
        for share in ((0.04, 0.2), (0.8, 0.96)):
            self.end(share, (0, radius), _TYRE, 0.1)
        turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        for place in places:
            for size, colour in ((radius, _TYRE), (0.55 * radius, np.array((140, 142, 146.)))):
                self.panel([(place + size * np.cos(a), radius + size * np.sin(a)) for a in turn], colour)

    def shadow(self) -> None:
        """Darkens the road beneath."""
        z0, z1 = self.z - 0.15, self.z + self.long + 0.15
        for grow, opacity in ((0.25, 0.35), (0, 0.45)):
            low, high = self.low - grow, self.high + grow
            self.canvas.face([(low, 0, max(z0 - grow, NEAREST)), (high, 0, max(z0 - grow, NEAREST)), (high, 0, z1),
                              (low, 0, z1)], np.array((22, 22, 26.)), None, opacity)

    def lamps(self, y: float, size: float) -> None:
        """Paints the lamps of the end that is seen."""
        colour = np.array((250, 246, 226.)) if self.oncoming else np.array((186, 20, 22.))
        for share in ((0.05, 0.22), (0.78, 0.95)):
            self.end(share, (y, y + size), colour)


def draw_car(rng: np.random.Generator, canvas: StreetCanvas, x: float, z: float, oncoming: bool) -> None:
    """A saloon, a hatchback or a van."""
    outline, rear, front, window = pick(rng, _CARS)
    grey = rng.uniform(0.12, 0.92)
    colour = vary(rng, pick(rng, (hsv(0, 0, grey), hsv(0, 0, grey), hsv(rng.uniform(205, 235), 0.6, 0.5),
                                  hsv(rng.uniform(-8, 8), 0.75, 0.62), hsv(rng.uniform(0, 360), 0.45, 0.6))))
    car = Vehicle(canvas, Label.CAR, x, z, rng.uniform(1.7, 1.9), outline[-1][0], oncoming)
    car.shadow()
    car.body(outline, colour)
    pane = front if oncoming else rear
    car.strip(outline[pane], outline[pane + 1], vary(rng, _GLASS, 10), 0.14)
    top = max(y for _, y in outline)
    belt, (back, ahead) = 0.66 * top, window
    car.panel([(back, belt), (back + 0.45, top - 0.12), (ahead - 0.85, top - 0.12), (ahead, belt)],
              vary(rng, _GLASS, 10))
    middle = (back + ahead) / 2
    car.panel([(middle - 0.06, belt), (middle - 0.06, top - 0.1), (middle + 0.06, top - 0.1), (middle + 0.06, belt)],
              colour * 0.8)
    car.end((0.02, 0.98), (0.3, 0.42), colour * 0.55)
    car.lamps(0.62, 0.16)
    car.end((0.36, 0.64), (0.46, 0.57), np.array((226, 226, 216.)))
    car.wheels(0.32, (0.75, car.long - 0.8))


def draw_truck(rng: np.random.Generator, canvas: StreetCanvas, x: float, z: float, oncoming: bool) -> None:
    """A lorry with a box body."""
    long, high = rng.uniform(4.5, 6.5), rng.uniform(3, 3.6)
    truck = Vehicle(canvas, Label.TRUCK, x, z, 2.4, long + 2.1, oncoming)
    cab = vary(rng, hsv(rng.uniform(0, 360), 0.6, 0.6))
    cargo = vary(rng, pick(rng, ((226, 226, 224), (190, 196, 204), (206, 170, 60), (70, 110, 160))))
    truck.shadow()
    parts = [(((0, 0.75), (0, high), (long, high), (long, 0.75)), cargo),
             (((long + 0.1, 0.4), (long + 0.1, 2.7), (long + 1.6, 2.7), (long + 2.05, 1.5), (long + 2.1, 0.4)), cab)]
    for outline, colour in parts if oncoming else parts[::-1]:
        truck.body(outline, colour)
    truck.panel([(long + 0.5, 1.5), (long + 0.5, 2.4), (long + 1.4, 2.4), (long + 1.75, 1.5)], _GLASS)
    if oncoming:
        truck.strip((long + 1.6, 2.6), (long + 2.05, 1.5), _GLASS, 0.15)
    else:
        truck.end((0.49, 0.51), (0.8, high - 0.1), cargo * 0.6)
        truck.end((0.02, 0.98), (0.5, 0.75), np.array((50, 50, 54.)))
    truck.lamps(0.75, 0.14)
    truck.wheels(0.48, (0.9, 1.9, long + 1.2))


def draw_bus(rng: np.random.Generator, canvas: StreetCanvas, x: float, z: float, oncoming: bool) -> None:
    """A bus of a city."""
    bus = Vehicle(canvas, Label.BUS, x, z, 2.5, rng.uniform(9, 12), oncoming)
    colour = vary(rng, pick(rng, (hsv(45, 0.8, 0.85), hsv(4, 0.75, 0.66), hsv(212, 0.6, 0.6), hsv(140, 0.5, 0.5),
                                  hsv(0, 0, 0.88))))
    bus.shadow()
    bus.body(((0, 0.35), (0, 3.05), (bus.long, 3.05), (bus.long, 0.35)), colour)
    count = int(bus.long / 1.5)
    step = bus.long / count
    for index in range(count):
        bus.panel([(index * step + 0.12, 1.35), (index * step + 0.12, 2.55), ((index + 1) * step - 0.12, 2.55),
                   ((index + 1) * step - 0.12, 1.35)], vary(rng, _GLASS, 12))
    bus.end((0.06, 0.94), (1.25, 2.45), vary(rng, _GLASS, 10))
    bus.end((0.2, 0.8), (2.6, 2.88), np.array((20, 20, 22.)))
    bus.end((0.3, 0.7), (2.66, 2.82), np.array((246, 170, 40.)))
    bus.lamps(0.7, 0.2)
    bus.wheels(0.48, (2.2, bus.long - 2.6))
