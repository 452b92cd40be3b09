# EfficientNet-HF 2 in the paper's table 5: 2.77 M parameters, 246.86 M multiply-adds, 73.51 % top-1.
_base_ = './hf0.py'

model = dict(backbone=dict(arch='hf2'))
