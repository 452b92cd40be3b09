"""The ways to run a network that can be measured; an absent one is listed with its reason.

An engine is a class with :func:`register_engine`: in a file of this folder, which is found here, or in any module that
Python imports or a config names in ``custom_imports``.
"""
from importlib import import_module
from pkgutil import iter_modules

from lcvision.deploy.engines.best import BestEngine
from lcvision.deploy.engines.engine import ENGINES, Engine, EngineError, Prepared, first_ms, register_engine
from lcvision.deploy.load import HINTS
from lcvision.deploy.precision import check_cpu
from lcvision.errors import UserError

__all__ = ['ENGINES', 'Engine', 'EngineError', 'Prepared', 'availability', 'check_hint', 'check_precisions', 'first_ms',
           'register_engine', 'select_engine', 'select_engines']

# By which all others are judged.
_FIRST = 'eager'
for _module in sorted((_found.name for _found in iter_modules(__path__)), key=lambda name: name != _FIRST):
    import_module(f'{__name__}.{_module}')


def availability() -> dict[str, str | None]:
    """Every engine with the reason why it cannot be used here, None where it can."""
    return {name: engine.missing() for name, engine in ENGINES.items()}


def select_engines(spec: str, fresh: bool = False) -> list[Engine]:
    """Engines that a request names; a UserError where one is unknown or not installed.

    Args:
        spec: Names separated by commas, or 'all' for every installed one, or 'best' for the one that chooses among
            these for each network.
        fresh: Whether 'best' measures although it knows its choice.
    """
    missing = availability()
    here = [name for name, reason in missing.items() if reason is None]
    if spec in ('all', 'best'):
        engines = [ENGINES[name] for name in here]
        return [BestEngine(engines, fresh)] if spec == 'best' else engines
    names = list(dict.fromkeys(name.strip() for name in spec.split(',') if name.strip()))
    if not names:
        raise UserError(f"no engine named: give one or more of {', '.join(ENGINES)}, or 'all', or 'best'")
    for name in names:
        if name not in ENGINES:
            raise UserError(f"unknown engine {name!r}: engines are {', '.join(ENGINES)}, 'all' and 'best'; "
                            f"installed here: {', '.join(here)}")
        if missing[name] is not None:
            raise UserError(f"engine {name!r} is not installed: {missing[name]}; installed here: {', '.join(here)}")
    return [ENGINES[name] for name in names]


def select_engine(engine: str, precision: str) -> Engine:
    """The one engine that a network is to run on, by its name or 'best'; it and this CPU must have the precision."""
    chosen = select_engines(engine)
    if len(chosen) != 1:
        raise UserError(f'a network runs on one engine, {engine!r} names {len(chosen)}: give one of '
                        f"{', '.join(ENGINES)}, or 'best'")
    check_precisions([precision], chosen)
    return chosen[0]


def check_hint(hint: object, engines: list[Engine], scopes: list[str]) -> str:
    """The hint, 'latency' or 'throughput'; refuses another, and one that no engine or not this scope has."""
    if hint not in HINTS:
        raise UserError(f"unknown hint {hint!r}: hints are {' and '.join(HINTS)}")
    if hint == 'throughput' and scopes != ['net']:
        raise UserError("hint 'throughput' measures the network alone: take scope 'net'")
    if not any(hint in engine.hints for engine in engines):
        have = [name for name, engine in ENGINES.items() if hint in engine.hints]
        raise UserError(f"hint {hint!r} is not available on {', '.join(engine.name for engine in engines)}: take "
                        f"engine {' or '.join(have)}")
    return str(hint)


def check_precisions(precisions: list[str], engines: list[Engine]) -> None:
    """Refuses, with a UserError, a precision that none of the engines or not this CPU has."""
    for precision in precisions:
        if not any(precision in engine.precisions for engine in engines):
            have = '; '.join(f"{engine.name}: {', '.join(engine.precisions)}" for engine in engines)
            raise UserError(f'none of the engines asked for has precision {precision!r} ({have}): give one of these')
        check_cpu(precision)
