# PP-LCNetV2 large: 78.5 % top-1 in PaddleX' table.
_base_ = './pplcnetv2_base.py'

model = dict(backbone=dict(arch='large'), head=dict(in_channels=1280))
