# PP-LCNet 2.5x with SSLD in the paper's table 2: 80.82 % top-1, 76.60 % without. PaddleClas' config of this width has
# 100 epochs, keeps the dropout and decays more. Its learning rate of 0.2 is 0.4 for the batch of 1024 if it means four
# GPUs (assumed).
_base_ = './pplcnet_1x_ssld.py'

max_epochs = 100
model = dict(backbone=dict(scale=2.5), head=dict(in_channels=1280, dropout=0.2))
train_cfg = dict(max_epochs=max_epochs)
optim_wrapper = dict(optimizer=dict(weight_decay=4e-5))
param_scheduler = _base_.param_scheduler
param_scheduler[1].update(T_max=max_epochs, end=max_epochs)
