"""What became of every tensor of a converted file."""
from dataclasses import dataclass, field
from typing import NamedTuple

from lcvision.errors import UserError
from lcvision.text import listing

Shape = tuple[int, ...]


class Misshapen(NamedTuple):
    """A tensor whose shape in the file is not that of the model."""
    name: str
    file: Shape
    model: Shape

    def __str__(self) -> str:
        return f'{self.name} is {_times(self.file)} in the file and {_times(self.model)} in the model'


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

    def __str__(self) -> str:
        lines = [f'{len(self.mapped)} tensors mapped']
        lines += [f'note: {note}' for note in self.notes]
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.dropped.items():
            by_reason.setdefault(reason, []).append(name)
        lines += [f'{len(names)} dropped, {reason}: {listing(names, 6)}' for reason, names in by_reason.items()]
        for what in ('missing', 'unexpected', 'misshapen'):
            names = getattr(self, what)
            lines += [f'{len(names)} {what}' + (':' if names else '')] + [f'  {name}' for name in names]
        return '\n'.join(lines)


class ConversionError(UserError, ValueError):
    """A file does not fit a model.

    Args:
        report: All that is known of the attempt; its ``missing``, ``unexpected`` and ``misshapen`` are also attributes.
    """

    def __init__(self, report: ConversionReport) -> None:
        self.report = report
        self.missing, self.unexpected, self.misshapen = report.missing, report.unexpected, report.misshapen
        parts = [f'{len(names)} {what} ({listing(names)})' for what, names in (
            ('missing', self.missing), ('unexpected', self.unexpected), ('misshapen', self.misshapen)) if names]
        super().__init__(f'The file does not fit the model: {len(report.mapped)} tensors fit, {"; ".join(parts)}; '
                         'give the config of the architecture, width and number of classes the file was made with.')


def _times(shape: Shape) -> str:
    return 'x'.join(map(str, shape)) or 'a single number'
