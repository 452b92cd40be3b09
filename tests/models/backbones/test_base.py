"""Wrong arguments of what all backbones inherit."""
import pytest

from lcvision.models.backbones.pplcnet import PPLCNet


@pytest.mark.parametrize('arguments, words', [
    *((dict(out_indices=wrong), [f'out_indices={wrong}', '0..3', 'ascend'])
      for wrong in ((), (0, 0), (1, 0), (4,), (-1,), (0.5,))),
    *((dict(frozen_stages=wrong), [f'frozen_stages={wrong}', '-1..5']) for wrong in (-2, 99, 1.5)),
    (dict(output_stride=4), ['output_stride=4 must be one of 8, 16, 32'])], ids=str)
def test_wrong_arguments_are_explained(arguments, words):
    with pytest.raises(ValueError) as error:
        PPLCNet(scale=0.25, **arguments)
    assert all(word in str(error.value) for word in ['PPLCNet: ', *words])
