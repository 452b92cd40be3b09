# EfficientNet-eLite 9 in the comparison of the backbones at equal training (docs/results.md).
_base_ = './deeplabv3plus_pplcnet_0_5x_camvid.py'

model = dict(
    backbone=dict(_delete_=True, type='lcvision.EfficientNetELite', arch='elite9', output_stride=32),
    decode_head=dict(in_channels=[16, 168]))
