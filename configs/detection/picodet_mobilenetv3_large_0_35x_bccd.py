# MobileNetV3-large 0.35x in the comparison of the backbones at equal training (docs/results.md).
_base_ = './picodet_pplcnet_0_5x_bccd.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='lcvision.MobileNetV3',
        arch='large',
        scale=0.35,
        style='paddle',
        out_indices=(1, 2, 3)),
    neck=dict(in_channels=[16, 40, 56]))
