"""Parameters and multiply-adds that the three papers print."""
from dataclasses import dataclass

# Model's config | table | params in millions | FLOPs in millions, as printed; '-' where nothing is; then a remark.
_PP_LCNET = """
pplcnet_0_25x | 2 | 1.5 | 18
pplcnet_0_35x | 2 | 1.6 | 29
pplcnet_0_5x | 2 | 1.9 | 47
pplcnet_0_75x | 2 | 2.4 | 99
pplcnet_1x | 2 | 3.0 | 161
pplcnet_1_5x | 2 | 4.5 | 342
pplcnet_2x | 2 | 6.5 | 590
pplcnet_2_5x | 2 | 9.0 | 906
mobilenetv2_0_25x | 3 | 1.5 | 34
mobilenetv3_small_0_35x | 3 | 1.7 | 15
shufflenetv2_0_33x | 3 | 0.6 | 24 | params cut, not rounded
mobilenetv2_0_5x | 3 | 2.0 | 99
mobilenetv3_large_0_35x | 3 | 2.1 | 41
shufflenetv2_0_5x | 3 | 1.4 | 43
mobilenetv1_1x | 3 | 4.3 | 578 | FLOPs cut, not rounded
mobilenetv2_1x | 3 | 3.5 | 327 | FLOPs cut, not rounded
mobilenetv3_small_1_25x | 3 | 3.6 | 100
shufflenetv2_1_5x | 3 | 3.5 | 301
"""
_ELITE = """
elite0 | 5 | 5.33 | 385.81
elite1 | 5 | 4.74 | 362.62
elite2 | 5 | 4.42 | 313.86
elite3 | 5 | 3.78 | 296.88
elite4 | 5 | 3.17 | 231.88 | params misprinted: those of HF1; the paper's own figure has 3.53
elite5 | 5 | 2.68 | 206.72
elite6 | 5 | 2.52 | 181.32
elite7 | 5 | 2.18 | 127.99
elite8 | 5 | 1.6 | 114.52
elite9 | 5 | 1.34 | 74.56
hf0 | 5 | 3.81 | 383.49
hf1 | 5 | 3.17 | 296.37
hf2 | 5 | 2.77 | 246.86
hf3 | 5 | 3.44 | 92.29
hf4 | 5 | 2.98 | 65.55
hf5 | 5 | 2.77 | 62.66
"""
_SEESAW = """
seesaw_shuffle_1d_imagenet | 5 | 3.6 | 361
seesaw_shuffle_0_5d_imagenet | fig. 2 | - | 209 | read off the figure
seesaw_share_v1_1d_imagenet | - | - | - | not in the paper
seesaw_share_v1_0_5d_imagenet | - | - | - | not in the paper
seesaw_share_v0_1d_imagenet | - | - | - | not in the paper; widths reconstructed
seesaw_share_v0_0_5d_imagenet | - | - | - | not in the paper; widths reconstructed
seesaw_shuffle_1d_cifar10 | 3 | 2.4 | 181
seesaw_shuffle_0_5d_cifar10 | 3 | 1.5 | 108
seesaw_share_v1_1d_cifar10 | 3 | 2.4 | 181
seesaw_share_v1_0_5d_cifar10 | 3 | 1.5 | 108
seesaw_share_v0_1d_cifar10 | 3 | 2.3 | 175 | widths reconstructed
seesaw_share_v0_0_5d_cifar10 | 3 | 1.4 | 104 | widths reconstructed
seesaw_shuffle_1d_cifar100 | 4 | 2.5 | 181
seesaw_shuffle_0_5d_cifar100 | 4 | 1.6 | 108
seesaw_share_v1_1d_cifar100 | 4 | 2.5 | 181
seesaw_share_v1_0_5d_cifar100 | 4 | 1.6 | 108
seesaw_share_v0_1d_cifar100 | 4 | 2.4 | 175 | widths reconstructed
seesaw_share_v0_0_5d_cifar100 | 4 | 1.5 | 104 | widths reconstructed
"""


@dataclass(frozen=True)
class Paper:
    """A paper and what it counts.

    Attributes:
        title: Its name.
        params: 'params' or 'with_statistics', whichever its parameters are.
        flops: 'macs' or 'paddle_flops', whichever its FLOPs are.
        rows: Config, table, printed parameters and FLOPs in millions ('-' for none), and a remark or ''.
    """

    title: str
    params: str
    flops: str
    rows: tuple[tuple[str, str, str, str, str], ...]


def _rows(text: str) -> tuple[tuple[str, str, str, str, str], ...]:
    lines = ([*line.split(' | '), ''] for line in text.strip().splitlines())
    return tuple((config, table, params, flops, remark) for config, table, params, flops, remark, *_ in lines)


PAPERS = (
    Paper('PP-LCNet (arXiv 2109.15099)', 'with_statistics', 'paddle_flops', _rows(_PP_LCNET)),
    Paper('EfficientNet-eLite and -HF (arXiv 2009.07409)', 'with_statistics', 'macs', _rows(_ELITE)),
    Paper('Seesaw-Net (arXiv 1905.03672)', 'params', 'macs', _rows(_SEESAW)),
)
"""The three papers' rows, in their order."""
