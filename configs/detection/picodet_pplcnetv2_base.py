# PP-LCNetV2 base in the detector of the PP-LCNet paper's table 4. No results are published.
_base_ = './picodet_pplcnetv2_small.py'

model = dict(backbone=dict(arch='base'), neck=dict(in_channels=[256, 512, 1024]))
