"""Reads the parity fixtures."""
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).parent / 'fixtures'


class Fixture:
    """One fixture file; float arrays come as float32 tensors.

    Args:
        name: File name without suffix.
    """

    def __init__(self, name: str):
        self.arrays = dict(np.load(ROOT / f'{name}.npz'))

    def __getitem__(self, key: str) -> torch.Tensor:
        array = self.arrays[key]
        return torch.from_numpy(array.astype(np.float32) if array.dtype.kind == 'f' else array)

    def keys(self, prefix: str) -> list[str]:
        """Keys below ``prefix``."""
        return [key for key in self.arrays if key.startswith(prefix)]

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The reference's weights under their own names, as float32."""
        return {key.removeprefix('param/'): self.arrays[key].astype(np.float32) for key in self.keys('param/')}


def assert_close(actual: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-4) -> None:
    """Compares within a share of the largest magnitude of ``expected``."""
    assert actual.shape == expected.shape
    error = (actual - expected).abs().max() / expected.abs().max().clamp(min=1e-12)
    assert error <= tolerance, f'differs by {error:.2e} of the largest magnitude'
