# PicoDet v2 L at 416: 39.4 mAP, 55.7 AP50 in PaddleDetection's picodet_l_416_coco_lcnet.
_base_ = './picodet_v2_s_416.py'

neck_channels = 160

model = dict(
    backbone=dict(scale=2.0),
    neck=dict(in_channels=[256, 512, 1024], out_channels=neck_channels),
    bbox_head=dict(in_channels=neck_channels, stacked_convs=4))
train_dataloader = dict(batch_size=24)
# Stops early: the cosine would end at epoch 300.
train_cfg = dict(max_epochs=250)
optim_wrapper = dict(optimizer=dict(lr=0.12))
auto_scale_lr = dict(base_batch_size=4 * 24)
