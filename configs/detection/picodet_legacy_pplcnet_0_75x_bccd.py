# The PicoDet of October 2021 in the comparison of the three generations at equal training (docs/results.md).
_base_ = [
    '../_base_/models/picodet_legacy.py',
    '../_base_/datasets/bccd_small_data.py',
    '../_base_/schedules/small_data_adamw.py',
    '../_base_/runtime.py',
]
model = dict(
    backbone=dict(scale=0.75),
    neck=dict(in_channels=[96, 192, 384], out_channels=96),
    bbox_head=dict(num_classes=3, in_channels=96, stacked_convs=2))
