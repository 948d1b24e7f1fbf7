"""Runs a connector's generator step by step."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from .ask import Ask
from .errors import ConnectorError, VendorChanged

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class End(Generic[T]):
    """The generator has returned."""

    value: T


def make(work: Callable[[], T], where: str) -> T:
    """What a connector's code makes: a generator, a door, the judgement of a body. See move()."""
    try:
        return work()
    except ConnectorError:
        raise
    except Exception as error:  # noqa: BLE001 - see move()
        raise VendorChanged(f"The connector for {where} failed ({brief(error)}).") from None


def move(step: Callable[[], T], where: str) -> T | End[Any]:
    """The result of one step of a connector's code, `where` being what it was given to read.

    Everything is caught, here and where a row is read: what a vendor sends can raise anything in code that does not
    expect it, and one Tool's surprise must end as one list's failure, not as the death of the Operation.
    """
    try:
        return step()
    except StopIteration as end:
        return End(end.value)
    except ConnectorError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        raise VendorChanged(f"The answer to {where} could not be read ({brief(error)}).") from None


def question(step: object) -> Ask:
    """The step, if it is a question; raises VendorChanged for what a connector must not yield here."""
    if not isinstance(step, Ask):
        raise VendorChanged(f"The connector yields {type(step).__name__} where a question is due.")
    path, query = cast("tuple[object, Mapping[object, object]]", (step.path, step.query))
    if not isinstance(path, str):
        raise VendorChanged(f"The connector asks for {type(path).__name__} where a path is due.")
    if not isinstance(query, Mapping) or not all(isinstance(name, str) for name in query):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise VendorChanged(f"The connector asks for {path or 'the location'} with a query that is none.")
    return step


def close(generator: Generator[Any, Any, Any]) -> None:
    """Ends a generator. What a connector raises while it cleans up changes nothing: its word no longer counts."""
    try:
        generator.close()
    except Exception:  # noqa: BLE001 - see move()
        return


def counted(number: int, thing: str) -> str:
    """ "1 row", "2 rows"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def brief(error: Exception) -> str:
    """A foreign exception in one line. Not shortened here: half a secret could no longer be found and masked."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
