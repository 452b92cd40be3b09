"""Assigners name mmdet's parts without a scope; tests of other tasks leave theirs behind."""
import pytest
from mmengine.registry import init_default_scope


@pytest.fixture(autouse=True)
def mmdet_scope():
    init_default_scope('mmdet')
