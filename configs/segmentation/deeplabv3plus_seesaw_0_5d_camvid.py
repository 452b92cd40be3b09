# Seesaw-shuffleNet 0.5D in the comparison of the backbones at equal training (docs/results.md).
_base_ = './deeplabv3plus_pplcnet_0_5x_camvid.py'

model = dict(
    backbone=dict(_delete_=True, type='lcvision.SeesawNet', arch='shuffle', depth='0.5D', output_stride=32),
    decode_head=dict(in_channels=[24, 320]))
