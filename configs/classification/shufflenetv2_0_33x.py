# ShuffleNetV2 0.33x in the PP-LCNet paper's table 3: 0.6 M parameters, 24 M FLOPs, 53.73 % top-1.
_base_ = './shufflenetv2_0_5x.py'

model = dict(backbone=dict(scale=0.33), head=dict(in_channels=128, mid_channels=512))
