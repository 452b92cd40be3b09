import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import MODELS, init_default_scope
from mmengine.structures import PixelData
from mmseg.models import SegDataPreProcessor
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample
from torch.nn import functional as F

from lcvision.deploy.network import calibrate, raw_network
from lcvision.models import LeanEncoderDecoder
from lcvision.tasks import SEGMENTATION, task_of

CLASSES = 5


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


def config(kind='lcvision.LeanEncoderDecoder', test_cfg=None, head='FCNHead', **changes):
    return dict(
        type=kind, backbone=dict(type='lcvision.PPLCNet', scale=0.25),
        decode_head=dict(dict(type=head, in_channels=16, in_index=0, channels=8, num_convs=1, num_classes=CLASSES,
                              align_corners=False, norm_cfg=dict(type='BN')), **changes),
        test_cfg=ConfigDict(test_cfg or dict(mode='whole')))


def pair(test_cfg=None, **changes):
    """Our segmentor and mmseg's, with the same weights, whose labels change every few pixels."""
    ours = MODELS.build(config(test_cfg=test_cfg, **changes))
    calibrate(ours)
    torch.nn.init.normal_(ours.decode_head.conv_seg.weight)
    # No class is ahead everywhere.
    ours.decode_head.conv_seg.weight.data -= ours.decode_head.conv_seg.weight.data.mean(1, keepdim=True)
    theirs = MODELS.build(config('mmseg.EncoderDecoder', **changes)).eval()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def sample(**meta):
    return SegDataSample(metainfo=meta)


def compare(inputs, **meta):
    """Share of equal labels, and the gaps between the two best upsampled logits where they are not."""
    ours, theirs = pair()
    with torch.no_grad():
        expected, = theirs.predict(inputs, [sample(img_shape=inputs.shape[2:], **meta)])
        found, = ours.predict(inputs, [sample(img_shape=inputs.shape[2:], **meta)])
    best = expected.seg_logits.data.topk(2, dim=0).values
    labels = expected.pred_sem_seg.data
    assert labels.unique().numel() > 2 and (labels[..., 1:] != labels[..., :-1]).float().mean() > 0.02
    assert found.pred_sem_seg.data.shape == labels.shape == (1, *meta['ori_shape'])
    different = found.pred_sem_seg.data.long() != labels
    return different.float().mean().item(), (best[0] - best[1])[different[0]] / best.abs().max()


@pytest.mark.parametrize('height, width', [(64, 96), (61, 99)])
def test_whole_images_are_labelled_as_mmseg_labels_them(height, width):
    different, _ = compare(torch.randn(1, 3, height, width), ori_shape=(height, width))
    assert different == 0


@pytest.mark.parametrize('meta', [
    dict(ori_shape=(59, 93), img_padding_size=(0, 3, 0, 5)),
    dict(ori_shape=(59, 93), padding_size=(1, 2, 4, 1)),
    dict(ori_shape=(128, 192)),
    dict(ori_shape=(101, 150), img_padding_size=(0, 3, 0, 5)),
    dict(ori_shape=(40, 50)),
    dict(ori_shape=(64, 96), flip=True, flip_direction='horizontal'),
    dict(ori_shape=(99, 120), flip=True, flip_direction='vertical', img_padding_size=(0, 3, 0, 5)),
])
def test_padding_resizing_and_flips_are_undone_as_in_mmseg(meta):
    different, gaps = compare(torch.randn(1, 3, 64, 96), **meta)
    assert different < 1e-3 and (gaps < 1e-6).all()


def test_images_padded_by_the_preprocessor():
    ours, theirs = pair()
    padding = SegDataPreProcessor(test_cfg=dict(size_divisor=32))
    labels = []
    for model in (ours, theirs):
        data = dict(inputs=[torch.randn(3, 50, 70, generator=torch.Generator().manual_seed(0))],
                    data_samples=[sample(ori_shape=(50, 70), img_shape=(50, 70))])
        data = padding(data)
        assert data['inputs'].shape[2:] == (64, 96)
        with torch.no_grad():
            labels.append(model(**data, mode='predict')[0].pred_sem_seg.data.long())
    assert labels[0].shape == (1, 50, 70) and torch.equal(*labels)


def test_logits_are_not_kept_and_samples_are_filled():
    ours, _ = pair()
    given = [sample(ori_shape=(32, 32)), sample(ori_shape=(32, 32))]
    found = ours.predict(torch.randn(2, 3, 32, 32), given)
    assert all(a is b for a, b in zip(given, found, strict=True))
    assert all('seg_logits' not in one and one.pred_sem_seg.data.dtype == torch.uint8 for one in found)
    assert not torch.equal(found[0].pred_sem_seg.data, found[1].pred_sem_seg.data)


def test_without_data_samples_the_labels_have_the_size_of_the_input():
    ours, theirs = pair()
    inputs = torch.randn(2, 3, 40, 56)
    for found, expected in zip(ours(inputs, mode='predict'), theirs(inputs, mode='predict'), strict=True):
        assert torch.equal(found.pred_sem_seg.data.long(), expected.pred_sem_seg.data)


def test_coarse_takes_the_label_of_the_nearest_logits():
    ours, _ = pair(test_cfg=dict(mode='whole', argmax='coarse'))
    inputs = torch.randn(1, 3, 64, 64)
    labels = ours(inputs, mode='predict')[0].pred_sem_seg.data
    low = ours(inputs, mode='tensor').argmax(1)
    assert torch.equal(labels.long(), F.interpolate(low[None].float(), (64, 64)).long()[0])


@pytest.mark.parametrize('test_cfg, changes', [
    (dict(mode='whole', argmax='dense'), {}),
    (dict(mode='slide', stride=(32, 32), crop_size=(48, 48)), {}),
    (dict(mode='whole'), dict(num_classes=2, out_channels=1, threshold=0.4,
                              loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True))),
])
def test_what_needs_the_whole_map_goes_mmsegs_way(test_cfg, changes):
    model = MODELS.build(config(test_cfg=test_cfg, **changes)).eval()
    found, = model.predict(torch.randn(1, 3, 64, 64), [sample(ori_shape=(64, 64), img_shape=(64, 64))])
    assert found.seg_logits.data.shape == (model.out_channels, 64, 64)


def test_unknown_ways_and_heads_are_refused():
    with pytest.raises(ValueError, match="'exact', 'coarse', 'dense', got 'quick'"):
        MODELS.build(config(test_cfg=dict(mode='whole', argmax='quick')))

    class OwnHead(MODELS.get('mmseg.FCNHead')):
        def predict_by_feat(self, seg_logits, batch_img_metas):
            return seg_logits

    MODELS.register_module(module=OwnHead, name='OwnHeadOfThisTest', force=True)
    with pytest.raises(ValueError, match='OwnHead has a predict of its own; set test_cfg'):
        MODELS.build(config(head='OwnHeadOfThisTest'))


def test_training_and_the_raw_network_are_mmsegs():
    model = MODELS.build(config())
    assert isinstance(model, EncoderDecoder) and type(model) is LeanEncoderDecoder
    target = SegDataSample()
    target.gt_sem_seg = PixelData(data=torch.randint(0, CLASSES, (1, 64, 64)))
    loss = model(torch.randn(2, 3, 64, 64), [target, target], mode='loss')
    loss['decode.loss_ce'].backward()
    assert model.backbone.stem.conv.weight.grad.abs().sum() > 0
    assert task_of(model) is SEGMENTATION
    x = torch.randn(1, 3, 32, 48)
    torch.testing.assert_close(raw_network(model, (32, 48))(x)[0], model.eval()(x, mode='tensor'))
