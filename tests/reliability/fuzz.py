"""Gives readers spoiled inputs: each is read or refused with a sentence, within 10 s and 2 GiB, and nothing leaves.

Run by hand: ``python -m tests.reliability.fuzz --cases 10000 --out findings``. A case follows from reader, seed and
number alone: ``--reader coco --seed 0 --only 1234`` repeats one.
"""
import argparse
import contextlib
import copy
import importlib
import io
import json
import math
import mmap
import os
import random
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lcvision.errors import UserError, plain_errors

_SECONDS, _MEMORY, _BATCH = 10., 2 << 30, 400
_WAITING = 180.  # seconds by the clock; the others are the processor's, which somebody else may have, too
_STARTS = 'subprocess.Popen', 'os.system', 'os.exec', 'os.posix_spawn', 'socket.connect', 'os.fork'
_OURS = ('git', 'fc-list', 'uname')  # what the tools themselves start
_LONGEST = 1500  # characters of a message, whatever was given
Case = Callable[[], object]
READERS = {name: f'tests.reliability.readers.{module}' for name, module in {
    'Coco': 'data', 'Masks': 'data', 'Npz': 'data', 'Foreign': 'data', 'Images': 'images', 'Weights': 'weights',
    'Exported': 'exported', 'Reports': 'reports', 'Baselines': 'reports', 'Options': 'options',
    'Flags': 'options'}.items()}
"""Where each reader's class is: ``Reader(folder)`` makes inputs, ``case(rng)`` spoils them and returns what reads."""


class Hang(BaseException):
    """No reader may catch it."""


def spoil_bytes(rng: random.Random, content: bytes) -> bytes:
    """Changes some bytes, or leaves some out."""
    spoiled = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at, many = rng.randrange(len(spoiled) + 1), rng.choice((1, 2, 4, 8, 64))
        new = rng.choice((b'\0', b'\xff', b'\x7f', b'\x80', rng.randbytes(1))) * many
        change = rng.randrange(6)
        if change == 0:
            del spoiled[at:]
        elif change == 1:
            del spoiled[at:at + many]
        elif change == 2:
            spoiled[at:at] = spoiled[at:at + many] or new
        elif change == 3:
            spoiled[at:at] = new
        elif change == 4 and spoiled:
            spoiled[at % len(spoiled)] ^= 1 << rng.randrange(8)
        else:
            spoiled[at:at + many] = new
    return bytes(spoiled)


def hostile(rng: random.Random) -> Any:
    """A value that a JSON may have where another is expected."""
    deep: Any = 1
    for _ in range(rng.choice((5, 50))):
        deep = [deep] if rng.random() < .5 else {'a': deep}
    return rng.choice((
        None, True, False, 0, -1, 1, 2, 255, 256, 2 ** 31, 2 ** 53 + 1, -2 ** 63, 10 ** 400, 1e308, 1e-320, math.nan,
        math.inf, -math.inf, .5, -0., '', ' ', 'x', '0', '1.5', 'nan', 'é\ud800', 'a\0b', '\n\r\t', '\x1b[31m',
        'a' * 100_000, '<script>', '%s{0}', [], {}, [[]], [None], [1, 2], [1, 'x'], [0, 0, 0, 0], {'a': 1}, deep,
        list(range(300)), '../../outside.png', '/etc/passwd', '/dev/zero', '/proc/self/mem', 'pipe', 'loop/x',
        '~/x', 'file:///etc/passwd', 'http://127.0.0.1:9/x', 's3://a/b', 'npz:///a/b_0.jpg', '.', '..', '/'))


def spoil_tree(rng: random.Random, tree: Any) -> Any:
    """Changes some values of parsed JSON, in place where it can."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        places = [(part, key) for part in _containers(tree) for key in (part if isinstance(part, dict) else
                                                                        range(len(part)))]
        if not places:
            return hostile(rng)
        part, key = rng.choice(places)
        change = rng.randrange(8)
        if change == 0:
            del part[key]
        elif change == 1 and isinstance(part, dict):
            part[str(hostile(rng))[:200]] = part.pop(key)
        elif change == 2:
            other, place = rng.choice(places)
            with contextlib.suppress(LookupError):
                part[key] = copy.deepcopy(other[place]) if len(json.dumps(other[place], default=str)) < 10_000 else None
        elif change == 3 and isinstance(part, list):
            part += part[:rng.choice((1, 1000))] * rng.choice((1, 1, 20))
        elif isinstance(part[key], int | float) and change < 6:
            part[key] = rng.choice((-part[key], part[key] + 1, part[key] * 10 ** 9, str(part[key]), [part[key]]))
        else:
            part[key] = hostile(rng)
    return tree


def _containers(tree: Any, depth: int = 0) -> Iterator[Any]:
    if isinstance(tree, dict | list) and depth < 20:
        yield tree
        for part in list(tree.values() if isinstance(tree, dict) else tree)[:50]:
            yield from _containers(part, depth + 1)


def spoil_json(rng: random.Random, content: Any) -> bytes:
    """A spoiled file of some JSON."""
    tree = json.loads(json.dumps(content))
    if rng.random() < .8:
        tree = spoil_tree(rng, tree)
    try:
        text = json.dumps(tree)
    except (RecursionError, ValueError):
        text = '[' * rng.choice((10, 200_000))
    coded = text.encode(rng.choice(('utf-8',) * 12 + ('utf-8-sig', 'utf-16', 'utf-32')), 'replace')
    return spoil_bytes(rng, coded) if rng.random() < .2 else coded


def png_size(content: bytes, width: int, height: int) -> bytes:
    """A PNG that claims another size."""
    import zlib
    header = b'IHDR' + struct.pack('>II', width, height) + content[24:29]
    return content[:12] + header + struct.pack('>I', zlib.crc32(header)) + content[33:]


class Watch:
    """Notes what a process opens to write, starts or connects to outside of a folder; hooks cannot be removed."""

    def __init__(self, folder: Path, forbidden: Path) -> None:
        self.found: list[str] = []
        self._allowed = tuple(map(str, (folder, folder.resolve(), '/dev/null', '/dev/tty', '/proc/self/', '/dev/shm/')))
        self._forbidden = str(forbidden)
        self.on = False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple) -> None:
        if not self.on:
            return
        if event == 'open' and isinstance(args[0], str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(args[0]))  # noqa: PTH100
            flags = args[2] if isinstance(args[2], int) else 0
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and not path.startswith(self._allowed):
                self.found.append(f'writes {path}')
            elif os.path.realpath(path).startswith(self._forbidden):
                self.found.append(f'reads {path}')
        elif event in ('os.mkdir', 'os.rename', 'os.remove', 'os.symlink', 'os.link', 'shutil.rmtree'):
            if not os.path.abspath(os.fsdecode(args[0])).startswith(self._allowed):  # noqa: PTH100
                self.found.append(f'{event} {args[0]}')
        elif event in _STARTS and not (args and args[0] in _OURS):
            self.found.append(f'{event} {args!r}'[:200])


def _peak() -> int:
    text = Path('/proc/self/status').read_text()
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith('VmHWM'))


def run_case(read: Case, watch: Watch) -> tuple[str, str]:
    """What became of a case, 'read', 'refused' or the kind of a finding, and its text."""
    with contextlib.suppress(OSError):
        Path('/proc/self/clear_refs').write_text('5')
    before, kind, text = _peak(), 'read', ''
    watch.found.clear()
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    try:
        watch.on = True
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), plain_errors():
            read()
    except UserError as error:
        kind, text = 'refused', str(error)
        if '\n' in text.strip() or len(text) > _LONGEST:
            kind = 'clumsy'
    except SystemExit as error:
        kind, text = ('refused', '') if error.code in (0, 2) else ('traceback', f'SystemExit: {error.code}')
    except Hang:
        kind, text = 'hang', traceback.format_exc()
    except BaseException:
        kind, text = 'traceback', traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        watch.on = False
    if watch.found:
        kind, text = 'outside', '\n'.join(watch.found)
    if _peak() - before > _MEMORY:
        kind, text = 'memory', f'{(_peak() - before) >> 20} MiB\n{text}'
    return kind, text


def _raise_hang(*_: Any) -> None:
    raise Hang


def load(name: str, folder: Path) -> Any:
    """Makes the reader of this name, whose inputs are in a folder."""
    return getattr(importlib.import_module(READERS[name]), name)(folder)


def _work(name: str, seed: int, numbers: range, folder: Path, place: mmap.mmap, out: int) -> None:
    """A child: runs cases and writes a line for each."""
    signal.signal(signal.SIGPROF, _raise_hang)
    warnings.simplefilter('ignore')
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = resource.getpagesize() * int(Path('/proc/self/statm').read_text().split()[0]) + 2 * _MEMORY + (1 << 30)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))  # the machine is not ours alone
    outside = folder / 'outside'
    outside.mkdir(parents=True)
    work = folder / 'work'
    work.mkdir()
    os.chdir(work)
    os.environ['HOME'] = tempfile.tempdir = str(work)
    reader = load(name, work)
    watch = Watch(work, outside)
    for number in numbers:
        place[:8] = struct.pack('q', number)
        rng = random.Random(f'{name} {seed} {number}')
        kind, text = run_case(reader.case(rng), watch)
        os.write(out, json.dumps([number, kind, text[-3000:]]).encode() + b'\n')
    os._exit(0)


def run(name: str, seed: int, numbers: range, keep: Path | None = None,
        show: Callable[[str], None] = lambda _: None) -> tuple[Counter, list[tuple[int, str, str]]]:
    """Runs cases in children; returns how often each kind of outcome came, and the findings."""
    counts: Counter = Counter()
    findings = []
    importlib.import_module(READERS[name])  # once, before the children are forked
    while numbers:
        batch = numbers[:_BATCH]
        folder = Path(tempfile.mkdtemp(prefix='lcvision-fuzz-')).resolve()
        rows, last, ended = _run_child(name, seed, batch, folder)
        if ended and last not in {row[0] for row in rows}:
            rows.append([last, ended, ''])
        for number, kind, text in rows:
            counts[kind] += 1
            if kind not in ('read', 'refused'):
                findings.append((number, kind, text))
                show(f'{name} seed {seed} case {number}: {kind}: {(text.strip().splitlines() or [""])[-1][:200]}')
                if keep:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f'{name}-{seed}-{number}.txt').write_text(f'{kind}\n{text}')
        numbers = numbers[len(rows):] if rows else numbers[1:]
        shutil.rmtree(folder, ignore_errors=True)
    return counts, findings


def _run_child(name: str, seed: int, batch: range, folder: Path) -> tuple[list, int, str]:
    """What a child wrote, the case that it was at, and how it ended otherwise than well."""
    place, (source, sink) = mmap.mmap(-1, 8), os.pipe()
    place[:8] = struct.pack('q', -1)
    child = os.fork()
    if not child:
        os.close(source)
        try:
            _work(name, seed, batch, folder, place, sink)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(sink)
    os.set_blocking(source, False)
    content, at, since, ended = b'', -2, time.monotonic(), ''
    while True:
        with contextlib.suppress(BlockingIOError):
            while part := os.read(source, 1 << 16):
                content += part
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            with contextlib.suppress(BlockingIOError):
                while part := os.read(source, 1 << 16):
                    content += part
            ended = ended or (f'crash, status {status}' if status else '')
            break
        if (now := struct.unpack('q', place[:8])[0]) != at:
            at, since = now, time.monotonic()
        elif time.monotonic() - since > _WAITING and not ended:  # for a pipe, or in a library that handles no signal
            os.kill(child, signal.SIGKILL)
            ended = 'hang'
        time.sleep(.02)
    os.close(source)
    return [json.loads(line) for line in content.splitlines()], struct.unpack('q', place[:8])[0], ended


def main() -> int:
    """Runs and prints a line for each reader; returns 1 if there are findings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--cases', type=int, default=1000)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--reader', choices=READERS, action='append', help='[all]')
    parser.add_argument('--only', type=int, metavar='NUMBER', help='one case')
    parser.add_argument('--start', type=int, default=0, metavar='NUMBER')
    parser.add_argument('--out', type=Path, metavar='DIR', help='where to write findings')
    args = parser.parse_args()
    numbers = range(args.start, args.start + args.cases) if args.only is None else range(args.only, args.only + 1)
    failed = False
    for name in args.reader or READERS:
        start = time.monotonic()
        counts, findings = run(name, args.seed, numbers, args.out, print)
        failed |= bool(findings)
        print(f'{name}: {len(numbers)} cases, seed {args.seed}: {dict(counts)}, {time.monotonic() - start:.0f} s',
              flush=True)
        for _, _, text in findings if args.only is not None else ():
            print(text)
    return int(failed)


if __name__ == '__main__':
    raise SystemExit(main())
