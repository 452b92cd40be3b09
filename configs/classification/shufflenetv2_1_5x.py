# ShuffleNetV2 1.5x in the PP-LCNet paper's table 3: 3.5 M parameters, 301 M FLOPs, 71.63 % top-1.
_base_ = './shufflenetv2_0_5x.py'

model = dict(backbone=dict(scale=1.5), head=dict(in_channels=704))
optim_wrapper = dict(optimizer=dict(weight_decay=4e-5))
