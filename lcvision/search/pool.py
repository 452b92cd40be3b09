"""Pools of candidates: one config, and the entries that are varied in it."""
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any

_REPEATS = (1, 1, 2, 2, 3, 3, 4, 1, 1)  # of EfficientNet-B0's nine stages, stem and head included
_RATIOS = {'width': 1.1, 'depth': 1.2, 'size': 1.15}  # how fast one shrinks beside the others
_SIZE = 224

WIDTHS, DEPTHS, SIZES = (1.0, 0.8666, 0.701, 0.514), (1.0, 0.7, 0.6, 0.5), (224, 203, 172, 132)
"""Coefficients as the paper prints them, the sizes in pixels; :func:`coefficients` derives them."""

_LETTERS = {'model.backbone.width': 'w', 'model.backbone.depth': 'd', 'image_size': 'r'}


@dataclass(frozen=True)
class Candidate:
    """One network of a pool.

    Attributes:
        name: Place on each axis, such as 'w1d3r1'.
        title: What the paper calls it, else the name.
        options: Entries of the config that make it.
        reference: Whether it is in the pool for comparison only and does not compete.
    """

    name: str
    title: str
    options: dict[str, Any]
    reference: bool = False


@dataclass(frozen=True)
class Pool:
    """All combinations of some entries of a config.

    Attributes:
        config: Path or name of the config that all candidates share.
        axes: Entry of the config to its values, the largest first; ``image_size`` is the side of the images in pixels.
        group_size: Candidates of similar resources that compete with each other.
        options: Entries that all candidates have.
        references: Names of candidates that do not compete.
        titles: What the paper calls some of them, by name.
    """

    config: str
    axes: Mapping[str, Sequence]
    group_size: int
    options: Mapping[str, Any] = field(default_factory=dict)
    references: Sequence[str] = ()
    titles: Mapping[str, str] = field(default_factory=dict)

    def candidates(self) -> list[Candidate]:
        """All members, the last axis changing first."""
        letters = [_LETTERS.get(key, key.rpartition('.')[2][:1]) for key in self.axes]
        found = []
        for places in product(*(range(len(values)) for values in self.axes.values())):
            name = ''.join(f'{letter}{place + 1}' for letter, place in zip(letters, places))
            chosen = {key: values[place] for (key, values), place in zip(self.axes.items(), places)}
            found.append(Candidate(name, self.titles.get(name, name), {**self.options, **chosen},
                                   name in self.references))
        return found


def coefficients() -> dict[str, list[float]]:
    """The paper's coefficients from its equations 2 and 3.

    Returns:
        'operators' and 'depth': depth falls from 1 in steps of 0.1, and a value counts when it takes operators away.
        'width' and 'size' fall with the operators, at ratios of 1.1 : 1.2 : 1.15 for width, depth and size.

    Differs: from ratios that are not rounded come widths 0.8657, 0.7002 and 0.5135. The paper prints 0.8666, 0.701 and
    0.514, which :data:`WIDTHS` has; the sizes in pixels are the same.
    """
    totals = {tenths: sum(-(-repeat * tenths // 10) for repeat in _REPEATS) for tenths in range(10, 4, -1)}
    kept = [tenths for tenths in totals if tenths == 10 or totals[tenths] < totals[tenths + 1]]
    operators = [totals[tenths] for tenths in kept]
    found: dict[str, list[float]] = {'operators': list(map(float, operators)), 'depth': [part / 10 for part in kept]}
    for name in ('width', 'size'):
        steps = [1.] + [later / before * _RATIOS[name] / _RATIOS['depth'] for before, later in pairwise(operators)]
        found[name] = [math.prod(steps[:end]) for end in range(1, len(steps) + 1)]
    return found


def side(size: float) -> int:
    """Pixels of a coefficient of the image size."""
    return math.ceil(_SIZE * size)


_AXES = {'model.backbone.width': WIDTHS, 'model.backbone.depth': DEPTHS}
_FREE = {'model.backbone.arch': None}

POOLS = {
    'elite': Pool(
        'classification/elite0', {**_AXES, 'image_size': SIZES}, 8, _FREE, ('w1d1r1', 'w1d2r1'),
        dict(w1d1r1='eLite0', w1d2r1='eLite1', w1d3r1='eLite2', w2d2r1='eLite3', w2d3r2='eLite4', w3d2r1='eLite5',
             w3d3r1='eLite6', w3d4r2='eLite7', w4d2r1='eLite8', w4d4r1='eLite9')),
    'elite_hf': Pool(
        'classification/hf0', {**_AXES, 'image_size': (256, 128)}, 4,
        {**_FREE, 'model.backbone.hardware_friendly': True}, (),
        dict(w1d1r1='HF0', w2d2r1='HF1', w1d4r1='HF2', w1d2r2='HF3', w2d3r2='HF4', w1d4r2='HF5')),
    'cifar10': Pool('classification/elite9_cifar10', _AXES, 4, _FREE),
}
"""The paper's 64 and its 32 hardware-friendly ones; and 16 for images of 32 x 32 pixels, whose size stays."""
