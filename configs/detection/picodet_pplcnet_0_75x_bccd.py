# The paper's PicoDet in the comparison of the three generations on BCCD: the backbone, width, images, rate and 27
# epochs of picodet_v2_s_bccd_reference.py (docs/reproduce.md).
_base_ = './picodet_pplcnet_0_5x_bccd_reference.py'
max_epochs = 27

model = dict(backbone=dict(scale=0.75), neck=dict(in_channels=[96, 192, 384]))
train_cfg = dict(max_epochs=max_epochs, val_interval=9)
param_scheduler = _base_.param_scheduler
# 100 steps
param_scheduler[0] = dict(type='LinearLR', start_factor=0.1, begin=0, end=100 / 18, convert_to_iter_based=True)
param_scheduler[1].update(T_max=max_epochs, end=max_epochs)
