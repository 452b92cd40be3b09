# PP-LCNet 0.5x in the paper's table 4: 20.3 mAP, 6.0 ms on 10 threads of a Xeon Gold 6148.
_base_ = './picodet_pplcnet_1x.py'

model = dict(backbone=dict(scale=0.5), neck=dict(in_channels=[64, 128, 256]))
