"""What an export asks of a kind of file."""
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from lcvision.deploy.export.graph import GRAPHS, ExportGraph, Layout
from lcvision.frameworks import absent_packages

Running = Callable[[np.ndarray], Mapping[str, np.ndarray]]


class Format(ABC):
    """One kind of file; everything that is known of it stands in its class.

    Attributes:
        name: As it is asked for.
        suffix: Ending of the file.
        beside: Endings of the files that come with it.
        packages: What writing and running it imports.
        extra: The extra of this package that brings them.
        precisions: That it can be computed in.
        graphs: That it holds; asked for another, it holds the first.
        dynamic: Whether its input may have a dynamic batch or size.
        uint8: Whether its input may be bytes.
    """

    name: str
    suffix: str
    beside: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    extra: str = ''
    precisions: tuple[str, ...] = ('fp32',)
    graphs: tuple[str, ...] = GRAPHS
    dynamic: bool = True
    uint8: bool = True

    def missing(self) -> str | None:
        """Why it cannot be written here and what would mend that; None when it can. Nothing is imported."""
        return absent_packages(self.packages, self.extra)

    def refusal(self, layout: Layout, precision: str) -> str | None:
        """Why it cannot hold a graph of this kind, as a clause; None when it can."""
        if precision not in self.precisions:
            return f"it computes in {' and '.join(self.precisions)}, not in {precision}"
        if layout.dynamic and not self.dynamic:
            return f'it is compiled for one size and batch, not for --dynamic {layout.dynamic}'
        return 'its input is float, not --input uint8' if layout.uint8 and not self.uint8 else None

    @abstractmethod
    def write(self, graph: ExportGraph, path: Path) -> None:
        """Writes a graph with its metadata.

        Raises:
            UserError: It cannot be written in this format.
        """

    @abstractmethod
    def read_metadata(self, path: Path) -> dict[str, Any]:
        """The metadata of a file; nothing in it is executed.

        Raises:
            UserError: It holds none, or is no file of this format.
        """

    @abstractmethod
    def open(self, path: Path, threads: int, extra: Sequence[str] = ()) -> Running:
        """Loads a file.

        Args:
            path: The file.
            threads: Threads of an operator.
            extra: Names of tensors inside that are given as well, as far as they are still there.

        Returns:
            Input -> outputs by name, which the next call may overwrite.
        """


_Kind = TypeVar('_Kind', bound=Format)
FORMATS: dict[str, Format] = {}
"""All that are registered, by name."""


def register_format(kind: type[_Kind]) -> type[_Kind]:
    """Decorates the class of a format, which ``--to`` then knows by its name.

    Raises:
        ValueError: The name cannot be asked for, or another format has the name or the ending.
    """
    name, suffix = getattr(kind, 'name', ''), getattr(kind, 'suffix', '')
    if not re.fullmatch(r'[\w.-]+', name) or not re.fullmatch(r'\.\w+', suffix):
        raise ValueError(f"a format's name is made of letters, digits, '-', '_' and '.', and its suffix is one such as "
                         f"'.onnx', got {name!r} and {suffix!r}")
    for known in FORMATS.values():
        same = (type(known).__module__, type(known).__qualname__) == (kind.__module__, kind.__qualname__)
        if not same and (known.name == name or known.suffix == suffix):
            raise ValueError(f'there is a format {known.name!r} with the ending {known.suffix} already, '
                             f'{type(known).__qualname__}: give yours another name and another ending')
    FORMATS[name] = kind()
    return kind
