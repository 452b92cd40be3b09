from lcvision.visualization.painter import Style


def test_sizes_grow_with_the_image_and_have_a_floor():
    small, usual, large = (Style.for_image(shape) for shape in ((50, 50), (480, 640, 3), (3000, 4000)))
    assert (small.font, small.line, small.dash) == (11, 2, 4)
    assert usual.font == 14 and usual.line == 2
    assert large.font > 4 * usual.font and large.line > 4 * usual.line and large.dash > 4 * usual.dash
