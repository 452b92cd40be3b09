"""The width rule all three families share."""


def make_divisible(width: float, divisor: int = 8) -> int:
    """Rounds a channel count to a multiple of ``divisor``, never losing more than a tenth of it.

    Args:
        width: Unrounded channels, e.g. base width times scale.
        divisor: What the result is a multiple of; also its least value.

    Source: MobileNetV2's reference code; identical in PaddleClas, torchvision and mmpretrain.
    """
    rounded = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * width else rounded
