# EfficientNet-eLite 6 in the segmentor of the PP-LCNet paper's table 5. No results are published.
_base_ = './deeplabv3plus_pplcnet_1x.py'

model = dict(
    backbone=dict(_delete_=True, type='lcvision.EfficientNetELite', arch='elite6', output_stride=32),
    decode_head=dict(in_channels=[16, 224]))
