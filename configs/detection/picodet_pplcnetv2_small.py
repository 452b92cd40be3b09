# PP-LCNetV2 small in the detector of the PP-LCNet paper's table 4. No results are published.
_base_ = './picodet_pplcnet_1x.py'

model = dict(
    backbone=dict(_delete_=True, type='lcvision.PPLCNetV2', arch='small', out_indices=(1, 2, 3)),
    neck=dict(in_channels=[192, 384, 768]))
