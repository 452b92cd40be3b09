# PicoDet v2 M at 416: 37.5 mAP, 53.4 AP50 in PaddleDetection's picodet_m_416_coco_lcnet.
_base_ = './picodet_v2_s_416.py'

neck_channels = 128

model = dict(
    backbone=dict(scale=1.5),
    neck=dict(in_channels=[192, 384, 768], out_channels=neck_channels),
    bbox_head=dict(in_channels=neck_channels, stacked_convs=4))
# Stops early: the cosine would end at epoch 300.
train_cfg = dict(max_epochs=250)
