"""The short form of the campaign."""
import pytest
import torch

from tests.reliability.kill_campaign import Campaign


@pytest.mark.skipif(torch.cuda.is_available(), reason='a process that knows GPUs cannot be forked')
def test_a_killed_training_leaves_whole_files_and_goes_on_to_the_same_end(tmp_path):
    campaign = Campaign(tmp_path, ['classification'], seed=0)
    for saving in (True, False, True, True):
        campaign.kill('classification', saving)
    campaign.finish()
    assert not campaign.faults and campaign.found['kills'] >= 2 and campaign.found['runs that reached their end']
