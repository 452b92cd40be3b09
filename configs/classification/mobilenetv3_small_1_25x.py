# MobileNetV3-small 1.25x in the PP-LCNet paper's table 3: 3.6 M parameters, 100 M FLOPs, 70.67 % top-1.
# The accuracy is that of PaddleClas' recipe, which differs from PP-LCNet's in learning rate (1.3) and weight decay.
_base_ = './mobilenetv3_small_0_35x.py'

model = dict(backbone=dict(scale=1.25), head=dict(in_channels=120, mid_channels=720))
optim_wrapper = dict(optimizer=dict(weight_decay=2e-5))
