"""What takes long says how far it is; what does not is silent."""
from lcvision import progress as module
from lcvision.progress import progress


def test_lines_come_every_few_seconds(monkeypatch):
    lines, now = [], [0.]
    monkeypatch.setattr(module, '_log', lambda text: lines.append(text))
    monkeypatch.setattr(module.time, 'monotonic', lambda: now[0])
    for item in progress(range(8), 'counting'):
        now[0] += 0.1 if item < 4 else 3
    assert lines == ['counting: 6 of 8']
