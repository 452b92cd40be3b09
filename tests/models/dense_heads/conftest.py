"""The parity tests' model and data; a module says which: ``FIXTURE``, and ``MODEL``, the arguments of small_model."""
import pytest
from mmengine.structures import InstanceData

from lcvision.weights.from_paddle import convert
from tests.fixture import Fixture
from tests.models.dense_heads.parity import small_model


@pytest.fixture(scope='module')
def fixture(request):
    return Fixture(request.module.FIXTURE)


@pytest.fixture
def model(fixture, request):
    model = small_model(**request.module.MODEL)
    model.load_state_dict(convert(fixture.params, model))
    return model.eval()


@pytest.fixture
def ground_truths(fixture):
    return [InstanceData(bboxes=fixture[f'train/gt_bbox/{b}'], labels=fixture[f'train/gt_class/{b}'][:, 0].long())
            for b in range(2)]
