"""One thread and one seed for every test."""
import pytest
import torch

import lcvision  # noqa: F401  (installs compat before any mm* import)

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def pytest_collection_modifyitems(items):
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker('gpu'):
                item.add_marker(pytest.mark.skip(reason='there is no GPU'))
