# A worked example: a few hundred images of your own, from scratch, on a CPU. BCCD has 292 training images of blood
# cells; docs/reproduce.md has the curve, and what each difference from the reference's recipe is worth.
_base_ = [
    '../_base_/models/picodet_paper.py',
    '../_base_/datasets/bccd_small_data.py',
    '../_base_/schedules/small_data_adamw.py',
    '../_base_/runtime.py',
]
model = dict(backbone=dict(scale=0.5), neck=dict(in_channels=[64, 128, 256]), bbox_head=dict(num_classes=3))
