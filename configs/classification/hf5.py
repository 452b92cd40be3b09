# EfficientNet-HF 5 in the paper's table 5: 2.77 M parameters, 62.66 M multiply-adds, 66.76 % top-1.
_base_ = './hf3.py'

model = dict(backbone=dict(arch='hf5'))
