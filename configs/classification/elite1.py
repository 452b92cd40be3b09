# EfficientNet-eLite 1 in the paper's table 5: 4.74 M parameters, 362.62 M multiply-adds, 76.62 % top-1.
_base_ = './elite0.py'

model = dict(backbone=dict(arch='elite1'))
