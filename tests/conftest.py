"""One thread and one seed for every test."""
import gc
import sys
from functools import cache
from importlib import import_module
from types import SimpleNamespace

import pytest
import torch

import lcvision  # noqa: F401  (installs compat before any mm* import)
from lcvision.timing import rounds, yardstick

torch.set_num_threads(1)
# Seconds of every run: what the machine is, and the text of its config in columns.
runner, config = map(import_module, ('mmengine.runner.runner', 'mmengine.config.config'))
runner.collect_env = cache(runner.collect_env)
config.FormatCode = lambda text, **_: (text, True)
# What is None cannot be imported: OpenVINO, imported by a test, would report every conversion to a server.
sys.modules.setdefault('openvino_telemetry', None)
# What tests measure need not be right: cores are not woken up, and the fixed work beside it is the least.
rounds._WAKE_SECONDS = 0.
yardstick._SAMPLES, yardstick._MIN_STREAM = (1, 1, 1), 1 << 20
yardstick.environment = SimpleNamespace(largest_cache=lambda: 0)
# Seconds that an iterator over data waits for the ends of its processes before it ends them.
torch.utils.data._utils.MP_STATUS_CHECK_INTERVAL = 0.5


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def pytest_collection_modifyitems(items):
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker('gpu'):
                item.add_marker(pytest.mark.skip(reason='there is no GPU'))


def pytest_collection_finish():
    """Millions of objects that stay: every measurement would have the collector look at them."""
    gc.collect()
    gc.freeze()
