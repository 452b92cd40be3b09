"""Results out of raw maps."""
import pytest
import torch
from mmengine.config import Config

from lcvision.deploy.network import build_model, raw_network
from lcvision.errors import UserError
from lcvision.inference.postprocess import postprocess_for
from tests.deploy.test_network import CLASSIFIER, DETECTOR, SEGMENTOR

CLASSES = ('a', 'b', 'c', 'd', 'e', 'f', 'g')
TEST_CFG = dict(nms_pre=100, min_bbox_size=0, score_thr=0.01, nms=dict(type='nms', iou_threshold=0.6), max_per_img=20)


def model_of(scope, model, **changes):
    return build_model(Config(dict(default_scope=scope, model={**model, **changes})))


@torch.inference_mode()
def test_a_detector_of_mmdet():
    from mmdet.structures import DetDataSample
    model = model_of('mmdet', DETECTOR, test_cfg=TEST_CFG)
    network = raw_network(model, (64, 96))
    x = torch.randn(1, 3, 64, 96)
    meta = dict(ori_shape=(128, 96), img_shape=(64, 96), scale_factor=(1., 0.5), padded=(64, 96))
    expected = model.predict(x, [DetDataSample(metainfo=meta)])[0].pred_instances
    result = postprocess_for(model, network, CLASSES)(network(x), meta)
    assert len(result) == len(expected) > 3
    torch.testing.assert_close(torch.from_numpy(result.boxes), expected.bboxes)
    assert result.labels.tolist() == expected.labels.tolist()


@torch.inference_mode()
@pytest.mark.parametrize('corners', [False, True])
def test_a_segmentor_of_mmseg_padded_and_resized(corners):
    from mmseg.structures import SegDataSample
    model = model_of('mmseg', SEGMENTOR, decode_head={**SEGMENTOR['decode_head'], 'align_corners': corners})
    network = raw_network(model, (64, 96))
    x = torch.randn(1, 3, 64, 96)
    meta = dict(ori_shape=(75, 111), img_shape=(60, 90), padded=(64, 96), padding_size=(0, 6, 0, 4),
                img_padding_size=(0, 6, 0, 4), pad_shape=(64, 96))
    expected = model.predict(x, [SegDataSample(metainfo=meta)])[0].pred_sem_seg.data[0]
    labels = torch.from_numpy(postprocess_for(model, network, CLASSES)(network(x), meta).labels)
    assert labels.shape == (75, 111) and len(labels.unique()) > 2
    assert torch.equal(labels.long(), expected)


@torch.inference_mode()
def test_a_classifier_of_mmpretrain():
    model = model_of('mmpretrain', CLASSIFIER)
    network = raw_network(model, (32, 32))
    x = torch.randn(1, 3, 32, 32)
    for top, expected in ((3, 3), (99, 7)):
        result = postprocess_for(model, network, CLASSES, top)(network(x), {})
        scores = model.predict(x)[0].pred_score
        assert result.label == scores.argmax() and result.name == CLASSES[result.label]
        torch.testing.assert_close(torch.from_numpy(result.scores), scores.sort(descending=True).values[:expected])


@pytest.mark.parametrize('scope, model, changes, word', [
    ('mmseg', SEGMENTOR, dict(test_cfg=dict(mode='slide', crop_size=(32, 32), stride=(16, 16))), 'slides a window'),
    ('mmseg', SEGMENTOR, dict(decode_head={**SEGMENTOR['decode_head'], 'num_classes': 2, 'out_channels': 1,
                                           'threshold': 0.3}), 'one output channel'),
    ('mmpretrain', CLASSIFIER, dict(head=dict(type='MultiLabelLinearClsHead', num_classes=7, in_channels=512)),
     'MultiLabelLinearClsHead does not give one class'),
])
def test_results_made_in_another_way_are_refused(scope, model, changes, word):
    built = model_of(scope, model, **changes)
    with pytest.raises(UserError, match=word):
        postprocess_for(built, raw_network(built, (64, 64)), CLASSES)
