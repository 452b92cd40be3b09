import torch

from lcvision.latency.profiler import peak


def test_the_best_run_of_the_best_size_on_one_thread(monkeypatch):
    monkeypatch.setattr(peak, '_SIZES', (16, 64))
    used = []
    mm = torch.mm
    monkeypatch.setattr(torch, 'mm', lambda a, b, out: used.append((torch.get_num_threads(), a.dtype)) or
                        mm(a, b, out=out))
    peak.peak_gflops.cache_clear()
    try:
        assert peak.peak_gflops('bf16') > 0
        assert set(used) == {(1, torch.bfloat16)}
        count = len(used)
        peak.peak_gflops('bf16')
        assert len(used) == count
    finally:
        peak.peak_gflops.cache_clear()
