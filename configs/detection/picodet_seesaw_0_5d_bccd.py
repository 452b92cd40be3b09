# Seesaw-shuffleNet 0.5D in the comparison of the backbones at equal training (docs/results.md).
_base_ = './picodet_pplcnet_0_5x_bccd.py'

model = dict(
    backbone=dict(_delete_=True, type='lcvision.SeesawNet', arch='shuffle', depth='0.5D', out_indices=(1, 2, 3)),
    neck=dict(in_channels=[32, 96, 320]))
