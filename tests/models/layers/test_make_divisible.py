import pytest

from lcvision.models.layers import make_divisible


@pytest.mark.parametrize('width, expected', [
    (4, 8), (8, 8), (11.9, 16), (12, 16), (11.2, 16), (22.4, 24), (20, 24), (89.6, 88), (179.2, 176), (0.1, 8),
    (1280, 1280), (44.8, 48), (19.9, 24), (18, 24), (17.7, 16)])
def test_rounds_to_eighths_without_losing_a_tenth(width, expected):
    assert make_divisible(width) == expected


@pytest.mark.parametrize('divisor', [1, 2, 4, 8, 16])
def test_never_loses_more_than_a_tenth(divisor):
    for tenths in range(1, 6000, 7):
        width = tenths / 10
        result = make_divisible(width, divisor)
        assert isinstance(result, int) and result % divisor == 0 and result >= divisor
        assert 0.9 * width <= result < width + 1.5 * divisor
