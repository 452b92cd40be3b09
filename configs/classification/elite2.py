# EfficientNet-eLite 2 in the paper's table 5: 4.42 M parameters, 313.86 M multiply-adds, 76.14 % top-1.
_base_ = './elite0.py'

model = dict(backbone=dict(arch='elite2'))
