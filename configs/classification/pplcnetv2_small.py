# PP-LCNetV2 small: 74.0 % top-1 in PaddleX' table.
_base_ = './pplcnetv2_base.py'

model = dict(backbone=dict(arch='small'), head=dict(in_channels=768))
