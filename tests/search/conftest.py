"""A search looks at its units more often than it needs to where they take minutes."""
import pytest

from lcvision.search import drive


@pytest.fixture(scope='module', autouse=True)
def brisk():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drive, '_POLL_S', 0.01)
        yield
