# EfficientNet-eLite 9 in the comparison of the backbones at equal training (docs/results.md).
_base_ = './picodet_pplcnet_0_5x_bccd.py'

model = dict(
    backbone=dict(_delete_=True, type='lcvision.EfficientNetELite', arch='elite9', out_indices=(1, 2, 3)),
    neck=dict(in_channels=[24, 56, 168]))
