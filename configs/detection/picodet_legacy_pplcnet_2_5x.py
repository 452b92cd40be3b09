# PP-LCNet 2.5x in PaddleDetection's lcnet_2_5x_416, whose backbone starts from SSLD weights; no accuracy is published.
_base_ = './picodet_legacy_pplcnet_1x.py'

model = dict(backbone=dict(scale=2.5), neck=dict(in_channels=[320, 640, 1280]))
train_dataloader = dict(batch_size=48)
auto_scale_lr = dict(base_batch_size=4 * 48)
