"""What every action is: one that this actor may take, in one transaction, with its line in the audit log.

    @action("operator", connection="connection_id")
    def pause_connection(actor, connection_id, because=""): …

says that it takes the role of an operator where the Connection of that number lies. Of several kinds the first that is
given counts; an action without any takes the role for everything. Whoever may not even see the thing is told that there
is none. An action that calls another answers for it: the inner one is neither asked nor written down again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar
from uuid import UUID

from tidegate.actions.errors import Forbidden, NotThere, Refused
from tidegate.actions.request import note_carried_out
from tidegate.actions.step import LARGEST_ID, not_there
from tidegate.actions.told import answer_of, arguments_of
from tidegate.ingest.apply import again_after_deadlock
from tidegate.reads.place import KINDS, places, places_before_step, places_of_operation, records_of_step
from tidegate.reads.share import visible_operations
from tidegate.reads.viewer import viewing
from tidegate.rules.access import ROLE_IN_WORDS, Role
from tidegate.rules.actor import Actor
from tidegate.rules.names import NameRefused
from tidegate.store.writers.audit import save_audit_line

P = ParamSpec("P")
R = TypeVar("R")

MOST_TARGETS: Final = 100
"""So many numbers of things stand in a line of the audit log; beyond, how many they were."""


MAKES: Final = ("add_", "draft_", "save_draft", "request_")
"""So begin the names of actions that answer with the number of what they made."""


@dataclass(frozen=True)
class Action:
    """One action, as the matrix of roles, the parity of faces and the documentation know it."""

    name: str
    """The module and the function: `record.map_records`."""
    role: Role
    targets: Mapping[str, str]
    """By kind of thing the parameter that holds its number, or several."""
    anywhere: bool
    """The role is needed somewhere; the action itself looks where."""
    work: Callable[..., Any]
    chosen: str = ""
    """The parameter that chooses things by a filter; where it is given the same holds."""

    @property
    def noun(self) -> str:
        return self.name.partition(".")[0]


ACTIONS: Final[dict[str, Action]] = {}

_inside: ContextVar[bool] = ContextVar("inside an action", default=False)


def action(
    role: Role, *, at_once: bool = True, begins: bool = False, anywhere: bool = False, chosen: str = "", **targets: str
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """See above. `at_once` is one transaction around it, again after a deadlock; without it the action only asks
    somebody outside, or it commits by itself: then it `begins`, and has a line in the audit log before its first commit
    too. What is `chosen` by a filter, and not by number, the action finds itself, where the role is held. A name that
    cannot be used is refused with its why."""

    def decorate(work: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(work)
        assert {kind.replace("_", " ") for kind in targets} <= {*KINDS, "step"}, targets  # noqa: S101 - a slip in the code
        name = f"{work.__module__.rpartition('.')[2]}.{work.__name__}"
        one = ACTIONS[name] = Action(
            name,
            role,
            {kind.replace("_", " "): parameter for kind, parameter in targets.items()},
            anywhere,
            work,
            chosen,
        )

        @wraps(work)
        def inside(*args: P.args, **kwargs: P.kwargs) -> R:
            if _inside.get():
                return _refusing_names(lambda: work(*args, **kwargs))
            given = signature.bind(*args, **kwargs).arguments
            actor: Actor = given["actor"]
            with _only_the_outermost(), viewing(actor.access):
                kind, ids = _targets(one, given)

                def done() -> R:
                    answer = work(*args, **kwargs)
                    _write(one, actor, kind, ids, given, answer)
                    note_carried_out()
                    return answer

                try:
                    _permit(one, actor, kind, ids, somewhere=not kind and given.get(chosen) is not None)
                    if begins:
                        _write(one, actor, kind, ids, given, None, outcome="begun")
                        note_carried_out()
                    return _refusing_names(lambda: again_after_deadlock(done) if at_once else done())
                except Forbidden:  # by its own line, or by what it found out within
                    _write(one, actor, kind, ids, given, None, outcome="forbidden")
                    raise

        return inside

    return decorate


def demand(actor: Actor, role: Role, kind: str, ids: Sequence[Any], what: str) -> None:
    """What an action asks for beyond its own line: this role where these lie. Raises NotThere or Forbidden."""
    if actor.access.may(role):
        return
    if kind == "step":
        _demand_of_steps(actor, role, ids, what)
        return
    if kind == "operation":
        ids = [id for id in ids if not _of_its_records(actor, role, id, what)]
    found = places(kind, [id for id in ids if 0 < id <= LARGEST_ID])
    if missing := [id for id in ids if id not in found or actor.access.role_at(found[id]) is None]:
        raise not_there(_word(kind), missing)
    if any(not actor.access.may(role, place) for place in found.values()):
        raise _forbidden(actor, role, what)


def _of_its_records(actor: Actor, role: Role, operation: int, what: str) -> bool:
    """Whether somebody without its Connection holds the role for an Operation: for each Record that it was asked for.
    Who sees one of these sees the Operation, so is told which role it takes."""
    place = places("operation", [operation] if 0 < operation <= LARGEST_ID else []).get(operation)
    if place is None or actor.access.role_at(place) is not None or not visible_operations(operation).exists():
        return False
    parts = places_of_operation(operation)
    if parts is None or any(not actor.access.may(role, part) for part in parts):
        raise _forbidden(actor, role, what)
    return True


def _demand_of_steps(actor: Actor, role: Role, steps: Sequence[UUID], what: str) -> None:
    """A step is there for who sees each Record that it was about; and for who took Records away by it, as long as these
    flow nowhere: with the role where they lay."""
    for step in steps:
        lay_in = places_before_step(step, str(actor))
        records = [id for id in records_of_step(step) if id not in lay_in or not actor.access.may(role, lay_in[id])]
        if lay_in and not records:
            continue
        try:
            if not records:
                raise not_there("step", [step])
            demand(actor, role, "record", records, what)
        except NotThere:
            raise not_there("step", [step]) from None


def demand_everywhere(actor: Actor, role: Role, what: str) -> None:
    """The same for what is of the whole house. Raises Forbidden."""
    if not actor.access.may(role):
        raise _forbidden(actor, role, what)


def _targets(one: Action, given: Mapping[str, Any]) -> tuple[str, list[Any]]:
    for kind, parameters in one.targets.items():
        ids = [id for parameter in parameters.split() for id in _ids(given.get(parameter))]
        if ids:
            return kind, ids
    return "", []


def _ids(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return list(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return [value]


def _permit(one: Action, actor: Actor, kind: str, ids: Sequence[Any], *, somewhere: bool) -> None:
    if actor.access.may(one.role):
        return
    if one.anywhere or somewhere:
        if not actor.access.may_somewhere(one.role):
            raise _forbidden(actor, one.role, _what(one))
        return
    if not kind:
        raise _forbidden(actor, one.role, _what(one))
    demand(actor, one.role, kind, ids, _what(one))


def _forbidden(actor: Actor, role: Role, what: str) -> Forbidden:
    return Forbidden(
        f"{actor} may not {what}: it takes the role {role} there.",
        f"Ask an administrator. Who is {role} {ROLE_IN_WORDS[role]}.",
    )


def _what(one: Action) -> str:
    return one.work.__name__.replace("_", " ")


def _word(kind: str) -> str:
    return {"step": "step", "rule": "rule", "route": "route"}.get(kind, kind.title())


def _write(
    one: Action,
    actor: Actor,
    kind: str,
    ids: Sequence[Any],
    given: Mapping[str, Any],
    answer: Any,
    *,
    outcome: str = "done",
) -> None:
    numbers = [id for id in ids if isinstance(id, int) and 0 < id <= LARGEST_ID]
    if not numbers and isinstance(answer, int) and one.work.__name__.startswith(MAKES):
        kind, numbers = one.noun, [answer]
    facts = {"arguments": arguments_of(given, checked=outcome == "done"), "answer": answer_of(answer)}
    if len(numbers) > MOST_TARGETS:
        facts["targets"] = len(numbers)
    save_audit_line(actor, one.name, outcome, kind or one.noun, numbers[:MOST_TARGETS], facts)


def _refusing_names(work: Callable[[], R]) -> R:
    try:
        return work()
    except NameRefused as refused:
        raise Refused(str(refused), "Nothing was changed; enter another.") from refused


@contextmanager
def _only_the_outermost() -> Iterator[None]:
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)
