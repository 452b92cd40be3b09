"""One thread and one seed for every test."""
import pytest
import torch

import lcvision  # noqa: F401  (installs compat before any mm* import)

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)
