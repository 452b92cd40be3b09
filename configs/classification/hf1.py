# EfficientNet-HF 1 in the paper's table 5: 3.17 M parameters, 296.37 M multiply-adds, 75.08 % top-1.
_base_ = './hf0.py'

model = dict(backbone=dict(arch='hf1'))
