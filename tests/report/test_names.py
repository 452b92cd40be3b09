import pytest

from lcvision.report.names import data_named, data_of, drop_shared_start, engine_of, model_of


@pytest.mark.parametrize(('stem', 'model', 'data'), [
    ('picodet_pplcnet_0_5x_bccd', 'PicoDet PP-LCNet 0.5x', 'BCCD'),
    ('picodet_pplcnet_0_5x_bccd_reference', 'PicoDet PP-LCNet 0.5x reference', 'BCCD'),
    ('picodet_legacy_pplcnet_1_5x', 'PicoDet legacy PP-LCNet 1.5x', 'data not recorded'),
    ('picodet_v2_s_bccd_reference', 'PicoDet v2 S reference', 'BCCD'),
    ('picodet_v2_xs_320', 'PicoDet v2 XS 320', 'data not recorded'),
    ('deeplabv3plus_mobilenetv3_large_0_75x', 'DeepLabV3+ MobileNetV3-large 0.75x', 'data not recorded'),
    ('seesaw_share_v0_0_5d_cifar10', 'Seesaw-share v0 0.5D', 'CIFAR-10'),
    ('elite9_cifar100', 'eLite-9', 'CIFAR-100'),
    ('my_own_net', 'my own net', 'data not recorded'),
    ('sample', 'sample', 'sample')])
def test_names_of_configs(stem, model, data):
    assert (model_of(stem), data_of(stem)) == (model, data)


def test_names_of_folders():
    assert [data_named(name) for name in ('camvid', 'BCCD', 'coco_mini')] == ['CamVid', 'BCCD', 'coco_mini']
    assert [data_named(name) for name in ('cifar10_jpeg.npz', 'mine.npz')] == ['CIFAR-10', 'mine.npz']


def test_names_of_engines():
    assert [engine_of(name) for name in ('openvino', 'a-new-one')] == ['OpenVINO', 'a-new-one']


def test_shared_words_go_but_never_all():
    assert drop_shared_start(['PicoDet v2 S', 'PicoDet v2 M']) == ['S', 'M']
    assert drop_shared_start(['PicoDet v2 S', 'PicoDet v2 S']) == ['PicoDet v2 S'] * 2
    assert drop_shared_start(['PP-LCNet', 'PP-LCNet 1x']) == ['PP-LCNet', 'PP-LCNet 1x']
    assert drop_shared_start([]) == []
