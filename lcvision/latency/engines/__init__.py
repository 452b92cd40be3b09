"""The ways to run a network that can be measured; an absent one is listed with its reason."""
from lcvision.errors import UserError
from lcvision.latency.engines.eager import EagerEngine
from lcvision.latency.engines.engine import Engine, EngineError, Prepared
from lcvision.latency.engines.inductor import InductorEngine

__all__ = ['ENGINES', 'Engine', 'EngineError', 'Prepared', 'availability', 'check_precisions', 'select_engines']

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (EagerEngine(), InductorEngine())}


def availability() -> dict[str, str | None]:
    """Every engine with the reason why it cannot be used here, None where it can."""
    return {name: engine.missing() for name, engine in ENGINES.items()}


def select_engines(spec: str) -> list[Engine]:
    """Engines that a request names.

    Args:
        spec: Names separated by commas, or 'all' or 'best' for every installed one.

    Raises:
        UserError: A name is unknown, or its engine is not installed.
    """
    missing = availability()
    if spec in ('all', 'best'):
        return [ENGINES[name] for name, reason in missing.items() if reason is None]
    installed = ', '.join(name for name, reason in missing.items() if reason is None)
    names = list(dict.fromkeys(name.strip() for name in spec.split(',') if name.strip()))
    if not names:
        raise UserError(f"no engine named: give one or more of {', '.join(ENGINES)}, or 'all', or 'best'")
    for name in names:
        if name not in ENGINES:
            raise UserError(f"unknown engine {name!r}: engines are {', '.join(ENGINES)}, 'all' and 'best'; "
                            f'installed here: {installed}')
        if missing[name] is not None:
            raise UserError(f'engine {name!r} is not installed: {missing[name]}; installed here: {installed}')
    return [ENGINES[name] for name in names]


def check_precisions(precisions: list[str], engines: list[Engine]) -> None:
    """Refuses a precision that one of the engines does not have.

    Raises:
        UserError: Names the precision and those supported.
    """
    for precision in precisions:
        for engine in engines:
            if precision not in engine.precisions:
                raise UserError(f'engine {engine.name!r} does not run in precision {precision!r}: '
                                f"it supports {', '.join(engine.precisions)}")
