"""What a search or a sweep is: written once into its folder, the same for every process that works in it."""
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lcvision.errors import UserError
from lcvision.files import write_atomically, writing
from lcvision.search.tournament import Rules, units_in_round

FILE = 'plan.json'


@dataclass(frozen=True)
class Member:
    """A candidate with all that is known of it before it trains.

    Attributes:
        name: Within the plan.
        title: What people call it.
        config: Path or name of its config.
        options: Entries of the config that make it.
        params: Parameters with the statistics of norms; ``macs`` multiply-adds of one image; 0 where not counted.
        ms: Record of its latency, where the groups are made by it.
        load: See :func:`lcvision.search.groups.loads`.
        reference: Whether it does not compete.
    """

    name: str
    title: str
    config: str
    options: dict[str, Any]
    params: int = 0
    macs: int = 0
    ms: dict | None = None
    load: float = 0.
    reference: bool = False


@dataclass(frozen=True)
class Plan:
    """A search, or a sweep, whose candidates all train to the end.

    Attributes:
        kind: 'search' or 'sweep'.
        members: Candidates.
        groups: Places of those that compete with each other; empty in a sweep.
        epochs: Length of the training; 0 leaves it to the configs.
        epochs_per_round: Epochs of a unit; 0 for all of them.
        seeds: Runs of each candidate.
        metric: What ranks them, such as 'accuracy/top1'.
        data: As ``--data`` gives it; empty for the config's own.
        options: Entries of every config to override.
        memory_format: Of the activations; measured choices differ from one run to the next.
        threads: That a unit computes with; other numbers round differently.
        children: Units at once, where the plan was made.
        val_interval: Epochs between two validations.
        request: What was asked for, by which a second command in the folder is known as the same.
        machine: Where the milliseconds were measured.
    """

    kind: str
    members: Sequence[Member]
    groups: Sequence[Sequence[int]]
    epochs: int
    epochs_per_round: int
    seeds: int
    metric: str
    data: str
    options: dict[str, Any]
    memory_format: str
    threads: int
    children: int
    val_interval: int
    request: dict[str, Any]
    machine: dict[str, Any] = field(default_factory=dict)

    @property
    def rules(self) -> Rules:
        """What the tournament is played by; in a sweep every candidate is a group of its own."""
        groups = self.groups or [[place] for place in range(len(self.members))]
        epochs = self.epochs or 1
        return Rules(groups, [member.load for member in self.members], epochs, self.epochs_per_round or epochs,
                     self.seeds)

    @property
    def hash(self) -> str:
        """First 16 hex digits of the SHA-256 of the content."""
        return hashlib.sha256(self.to_bytes()).hexdigest()[:16]

    def threads_in(self, round_: int) -> int:
        """Threads of a round's units: where fewer are left than run at once, they share the others' cores."""
        playing = units_in_round(self.rules, round_)
        return max(self.threads, self.threads * self.children // max(1, min(playing, self.children)))

    def to_bytes(self) -> bytes:
        """The file."""
        return (json.dumps(asdict(self), indent=1) + '\n').encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> 'Plan':
        """Reads the file."""
        values = json.loads(content)
        return cls(**{**values, 'members': [Member(**member) for member in values['members']]})


def read_plan(folder: Path) -> Plan | None:
    """The plan of a folder; None where there is none."""
    path = folder / FILE
    try:
        return Plan.from_bytes(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f'{path} is no plan that this version reads ({str(error)[:100]}): give another --work-dir') \
            from error


def check_same(plan: Plan, request: dict[str, Any], folder: Path) -> None:
    """Refuses arguments that are not those of the folder's plan."""
    request = json.loads(json.dumps(request))
    other = [key for key in dict.fromkeys([*plan.request, *request]) if plan.request.get(key) != request.get(key)]
    if other:
        changes = ', '.join(f'{key} {str(plan.request.get(key))[:60]} there and {str(request.get(key))[:60]} here'
                            for key in other[:3])
        raise UserError(f'{folder} holds another {plan.kind} ({changes}): give the arguments it was started with, or '
                        'another --work-dir')


def write_plan(folder: Path, plan: Plan) -> Plan:
    """Writes the plan, unless another process was quicker; returns that of the folder."""
    draft = folder / f'.{FILE}.{os.getpid()}'
    with writing(f'--work-dir {folder}'):
        write_atomically(draft, plan.to_bytes())
        try:
            os.link(draft, folder / FILE)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    known = read_plan(folder)
    assert known is not None
    check_same(known, plan.request, folder)
    return known
