"""What every fake vendor is made of: a world that changes, a port that answers from it, faults that wait for their
question, and, where a process of its own runs it, a second port through which both are told what to do."""

import inspect
import json
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from tidegate.demo.faults import FAULTS, Fault, Shape
from tidegate.demo.wire import Answer, Port, Request, as_json


class Lockable(Protocol):
    """A world that several threads look at."""

    lock: threading.RLock


W = TypeVar("W", bound=Lockable)


@dataclass(frozen=True, slots=True)
class Question:
    """What a request asks for, as faults and tests look at it.

    `list`: what it lists, a name in the fake's `shapes`; "" for what lists nothing, as a question for a count alone.
    `about`: of whom, a site or a project. `variables`: what cuts the list into pages, which faults may change before
    the fake answers. `name`: what the question is called, where it has a name. `what`: anything that the fake has
    already made of the request.
    """

    request: Request
    list: str = ""
    about: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    name: str = ""
    what: Any = None


@dataclass(slots=True)
class Strike:
    """A fault that waits for its question: about that list, of that site or project, the so many-th from now on."""

    name: str
    fault: Fault
    list: str
    about: str
    wait: int
    times: int | None
    walk: str = ""

    def hits(self, question: Question, shape: Shape) -> bool:
        """Whether it strikes here, counted; a walk that begins anew has got over its fault."""
        if (self.list and self.list != question.list) or (self.about and self.about != question.about):
            return False
        if self.fault.lasts == "walk" and self.times is not None:
            return self._hits_walk(f"{question.list} {question.about}", shape.begins(question.variables))
        self.wait -= 1
        if self.wait > 0 or self.times == 0:
            return False
        if self.times is not None and self.fault.lasts == "answer":
            self.times -= 1
        return True

    def _hits_walk(self, walk: str, begins: bool) -> bool:
        if not self.walk and self.times and begins:
            self.wait -= 1
            self.walk = walk if self.wait <= 0 else ""
            return bool(self.walk)
        if walk == self.walk and begins:
            self.times = 0
            self.walk = ""
        return bool(self.walk) and walk == self.walk


class Fake(ABC, Generic[W]):
    """A vendor on loopback: `with FakeAcme() as acme: acme.url, acme.world, acme.control.strike("500", "issues")`.

    A fake says what a request asks for (`ask`) and answers it from its world (`answer`); `shapes` says for each list
    where things stand in its answers, so that the faults of faults.py find them. `asked` is every question that came.
    `interfere` sees each of them before it is answered, may change the world, and may give an Answer, or the status to
    refuse it with.
    """

    shapes: ClassVar[Mapping[str, Shape]] = {}

    def __init__(
        self, world: W, *, port: int = 0, control_port: int | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.world = world
        self.asked: list[Question] = []
        self.strikes: list[Strike] = []
        self.interfere: Callable[[Question], Answer | int | None] = lambda question: None
        self.lock, self._closing = threading.Lock(), threading.Event()
        self.vendor = Port(self.reply, port, tls=tls, closing=self._closing)
        self.control = self.controls()
        self._controls = None if control_port is None else Port(self._told, control_port)
        self.vendor.bind()
        self.url = f"{'https' if tls else 'http'}://{'localhost' if tls else '127.0.0.1'}:{self.vendor.number}/"
        self.control_url = ""
        if self._controls is not None:
            self._controls.bind()
            self.control_url = f"http://127.0.0.1:{self._controls.number}/"

    @abstractmethod
    def ask(self, request: Request) -> Question | Answer:
        """What is asked for; an Answer for what is refused at once: another path, a wrong credential."""

    @abstractmethod
    def answer(self, question: Question) -> Answer:
        """The vendor's answer, from the world as it is now."""

    def controls(self) -> "Control":
        """What can be done to it; a fake with verbs of its own gives a Control of its own."""
        return Control(self)

    def standing(self) -> dict[str, Any]:
        """What a GET of the control port shows."""
        return {}

    def reply(self, request: Request) -> Answer:
        """The answer to one request, with the faults that strike it."""
        question = self.ask(request)
        if isinstance(question, Answer):
            return question
        shape = self.shapes.get(question.list, Shape())
        with self.lock:
            self.asked.append(question)
            struck = [strike.fault for strike in self.strikes if strike.hits(question, shape)]
        refused = self.interfere(question)
        if refused is not None:
            return refused if isinstance(refused, Answer) else as_json({"message": "An error has occurred."}, refused)
        variables = dict(question.variables)
        for fault in struck:
            variables = {name: told for name, told in fault.ask(variables, shape).items() if name in variables}
        with self.world.lock:
            answer = self.answer(replace(question, variables=variables))
        for fault in struck:
            answer = fault.change(answer, shape, question.variables)
        return answer

    def start(self) -> Self:
        self.vendor.open()
        if self._controls is not None:
            self._controls.open()
        return self

    def stop(self) -> None:
        """Closes its ports and every connection."""
        self._closing.set()
        if self._controls is not None:
            self._controls.close()
        self.vendor.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _told(self, request: Request) -> Answer:
        """An order that came through the control port: POST /<verb> with its arguments as JSON."""
        if request.method == "GET":
            with self.world.lock:
                return as_json({**self.standing(), "faults": [*FAULTS]})
        try:
            arguments = json.loads(request.content or b"{}")
            return as_json({"done": self.control.do(request.path.strip("/"), arguments)})
        except (KeyError, TypeError, ValueError, StopIteration) as error:
            return as_json({"error": f"{type(error).__name__}: {error}"}, 400)


class Control:
    """Everything that can be done to a fake, in Python or by name; what it does not know itself, its world does."""

    def __init__(self, fake: Fake[Any]) -> None:
        self._fake = fake

    @property
    def world(self) -> Any:
        return self._fake.world

    def strike(self, fault: str, list: str = "", about: str = "", at: int = 1, times: int | None = 1) -> None:
        """A fault by its name in demo/faults.py. `list`: one of the fake's, or any; `about`: of that site or project
        only; `at`: the so many-th such question from now on; `times`: None is for ever."""
        lasting = times if FAULTS[fault].lasts != "for ever" else None
        with self._fake.lock:
            self._fake.strikes.append(Strike(fault, FAULTS[fault], list, about, at, lasting))

    def calm(self) -> None:
        """No fault waits any more."""
        with self._fake.lock:
            self._fake.strikes.clear()

    def refuse(self) -> None:
        """Nobody listens on the vendor's port any more: connections are refused until `listen`."""
        self._fake.vendor.close()

    def listen(self) -> None:
        """The vendor's port is open again, the same one."""
        self._fake.vendor.open()

    def do(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        """One verb by name: this class's own, or one of the world's."""
        if verb.startswith("_") or verb in ("do", "world"):
            raise KeyError(verb)
        holder = self if hasattr(type(self), verb) else self.world
        method = getattr(holder, verb, None)
        if not inspect.ismethod(method):
            raise KeyError(verb)
        with self.world.lock:
            return method(**arguments)

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._fake.world, verb)
