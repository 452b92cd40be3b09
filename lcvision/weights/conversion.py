"""Puts renamed tensors where a model has them, and reports what became of each."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lcvision.errors import UserError
from lcvision.text import listing

NOT_PART = 'not part of this model'


class Misshapen(NamedTuple):
    """A tensor whose shape in the file is not that of the model."""
    name: str
    file: tuple[int, ...]
    model: tuple[int, ...]

    def __str__(self) -> str:
        file, model = ('x'.join(map(str, shape)) or 'a single number' for shape in self[1:])
        return f'{self.name} is {file} in the file and {model} in the model'


@dataclass
class ConversionReport:
    """What became of every tensor of a converted file.

    Attributes:
        mapped: Name in the file to name in the model.
        dropped: Name in the file to the reason why the model does not need it.
        missing: Names of the model that nothing in the file gives.
        unexpected: Names in the file that have no place in the model, with the reason in brackets where it is known.
        misshapen: Tensors of another shape than the model's.
        notes: Changes to values that are more than a new name.
    """
    mapped: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    misshapen: list[Misshapen] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the model gets every tensor from the file, and the file has none left over."""
        return not (self.missing or self.unexpected or self.misshapen)

    @property
    def faults(self) -> str:
        """How many names are missing, unexpected and misshapen, and the first of them, in a line."""
        return '; '.join(f'{len(names)} {what} ({listing(names)})' for what, names in self._wrong.items() if names)

    @property
    def _wrong(self) -> dict[str, list]:
        return {what: getattr(self, what) for what in ('missing', 'unexpected', 'misshapen')}

    def __str__(self) -> str:
        lines = [f'{len(self.mapped)} tensors mapped', *(f'note: {note}' for note in self.notes)]
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.dropped.items():
            by_reason.setdefault(reason, []).append(name)
        lines += [f'{len(names)} dropped, {reason}: {listing(names, 6)}' for reason, names in by_reason.items()]
        for what, names in self._wrong.items():
            lines += [f'{len(names)} {what}' + (':' if names else '')] + [f'  {name}' for name in names]
        return '\n'.join(lines)


class ConversionError(UserError, ValueError):
    """A file does not fit a model; what the report calls missing, unexpected and misshapen are attributes, too."""

    def __init__(self, report: ConversionReport) -> None:
        self.report = report
        self.missing, self.unexpected, self.misshapen = report.missing, report.unexpected, report.misshapen
        super().__init__(f'The file does not fit the model: {len(report.mapped)} tensors fit, {report.faults}; '
                         'give the config of the architecture, width and number of classes the file was made with.')


def is_whole(names: Mapping[str, object]) -> bool:
    """Whether a state dict is of a model with its heads, not of a backbone alone."""
    return any(name.startswith('backbone.') for name in names)


def fit(named: Mapping[str, Tensor], model: nn.Module, rename: Callable[[str], str | None],
        report: ConversionReport) -> dict[str, Tensor]:
    """The tensors that fit a model, in its order; counters of batches, which few files hold, are zero where absent.

    Args:
        named: Name in the file to tensor.
        model: A whole model, or a backbone, which takes the backbone's part.
        rename: From the name in the file to that in a whole model, None where it is unknown.
        report: Completed in place, with what became of each.
    """
    own = model.state_dict()
    prefix = '' if is_whole(own) else 'backbone.'
    places: dict[str, str] = {}
    for name in named:
        target = rename(name)
        if target and not target.startswith(prefix):
            report.dropped[name] = NOT_PART
        elif target is None or (target := target.removeprefix(prefix)) not in own:
            report.unexpected.append(name)
        elif target in places:
            report.unexpected.append(f'{name} (has the place of {places[target]})')
        else:
            places[target] = name
    state: dict[str, Tensor] = {}
    for target, value in own.items():
        if target in places:
            name, tensor = places[target], named[places[target]].detach().cpu()
            if tensor.shape == value.shape:
                report.mapped[name] = target
                state[target] = tensor.to(value.dtype).contiguous()
            else:
                report.misshapen.append(Misshapen(f'{name} -> {target}', tuple(tensor.shape), tuple(value.shape)))
        elif target.endswith('num_batches_tracked'):
            state[target] = torch.zeros_like(value, device='cpu')
        else:
            report.missing.append(target)
    return state
