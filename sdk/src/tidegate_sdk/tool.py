"""The contract. A Tool does no I/O: it says what to ask and how to read the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, SecretStr

from .ask import Count, Families, List, SharedFamilies, Talk
from .auth import Credential, reveal
from .errors import ConnectorError
from .finding import Account, Severity, Vep
from .proxy import Proxy

_WORDS = (str, int, float)  # made once: `str | int` would be put together anew for every row


class Settings(BaseModel):
    """What a person enters for one Connection: form, flags, documentation and validation come from its fields.

    Secrets are SecretStr. Each field has a title, and a description that says where in the tool to find the value and
    which rights it needs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


if TYPE_CHECKING:
    from .session import Session

S = TypeVar("S", bound=Settings)


UNVERIFIED = "Certificates are not verified: whoever stands between can read the credential and change the answers."


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What we show a server that asks who we are: certificate and private key, both PEM."""

    certificate: str
    key: SecretStr | None = None
    password: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Http:
    """The door to a vendor over HTTP(S). `location` ends where the paths of Asks begin.

    `certificates` is a PEM text of authorities to trust beside the system's; `verify=False` is a person's choice,
    shown as a warning. `per_second` bounds the rate of one Session, and of all together where they share a turnstile; 0
    declares none. `pins` are SHA-256 fingerprints in hex, of a certificate or of its key: the server shows one of them,
    or nothing is sent. `proxy`: a Proxy, or "direct" for none, or "" for the Session's own.

    Tools whose settings are HttpSettings have it made of what a person said: `self.settings.door(location, auth)`.
    """

    location: str
    auth: Credential | None = None
    certificates: str | None = None
    verify: bool = True
    per_second: float = 10
    pins: tuple[str, ...] = ()
    client: ClientCertificate | None = None
    proxy: Proxy | str = ""

    @property
    def warning(self) -> str:
        """What a person must know of this door, shown wherever its Connection is; "" where there is nothing.

        A server that is known by its pin needs no authority.
        """
        return "" if self.verify or self.pins else UNVERIFIED


@dataclass(frozen=True, slots=True)
class Folder:
    """The door to a folder of this machine. An Ask's path is relative to the root and never leaves it.

    A path that ends in "/" (and "") asks for a listing, one row an entry: `{"name", "path", "folder": bool,
    "size": bytes, "modified": ISO 8601 UTC}`. Any other path is a file and needs a reader.
    """

    root: Path
    warning: ClassVar[str] = ""
    """As of Http; of a folder there is nothing to warn."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The door to a folder in S3, or in what speaks like it; it is asked as a Folder is.

    `http` leads to the bucket: its location ends in "/", what follows is a key. `prefix` is "" or ends in "/". An
    object that no path can name (`a//b`, `../a`) is left out of listings. A prefix with nothing below it is NotFound:
    an empty answer is what a wrong prefix looks like.
    """

    http: Http
    prefix: str = ""

    @property
    def warning(self) -> str:
        """As of Http."""
        return self.http.warning


Door = Http | Folder | Bucket


class Tool(ABC, Generic[S]):
    """A kind of vendor product that Tidegate can connect to. One subclass a tool, without I/O.

    A third party registers its class under the entry point `tidegate.tools`, by the slug.
    """

    slug: ClassVar[str]
    name: ClassVar[str]
    a_record_is: ClassVar[str]
    """The tool's own word for its VEP, with article: "a site"."""
    has_branches: ClassVar[bool] = False
    """Whether families() may ask for Branches: then people are asked what becomes of one that vanished."""
    mapping_version: ClassVar[int] = 1
    """Raised when the same row is read into other fields: findings are rewritten once, as one line of the Operation."""
    severities: ClassVar[Mapping[str, Severity]] = {severity.value.lower(): severity for severity in Severity}
    """The vendor's words, in lower case."""

    def __init__(self, settings: S) -> None:
        self.settings = settings

    @abstractmethod
    def door(self) -> Door:
        """Where the vendor is and how one logs in."""

    @abstractmethod
    def account(self) -> Talk[Account]:
        """The first call of *Test connection*: proves the login and names the account."""

    @abstractmethod
    def veps(self) -> List[Vep]:
        """Every vendor-equivalent product the account can see."""

    @abstractmethod
    def families(self, vep: Vep) -> Families:
        """What can be read of one VEP. Nothing, where shared() yields it all: `yield from ()`."""

    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        """What one walk reads for many VEPs, where the vendor lists or exports everything at once; by default nothing.

        `veps` are those that findings are wanted of, never none: a Tool may narrow its question to them, or ask only
        the organizations that they lie in. A VEP gets each Family and Branch once, from here or from families(); where
        it is named twice, neither is believed.
        """
        yield from ()

    def open_findings(self) -> Sequence[Count]:
        """Where the vendor says cheaply how many open findings there are, for *Test connection*; by default nowhere.

        Several are added up, so each must count something else.
        """
        return ()

    def witness(self, vep: Vep) -> Talk[bool] | None:
        """Whether the vendor still names the VEP; None (the default) means: look into the list of VEPs, once."""
        return None

    def refusal(self, body: Any) -> ConnectorError | None:
        """The error that a decoded body stands for, where this vendor says in it what its status does not; else None.

        Asked for the body of every answer that is JSON, before the Session's own judgement. Pure.
        """
        return None

    def open(self, **how: Any) -> Session:
        """A Session with this Tool's vendor; takes what Session takes. `async with tool.open() as session: …`"""
        from .session import Session  # the Session knows Tools, so here it can only be met late

        return Session(self, **how)

    @classmethod
    def settings_type(cls) -> type[S]:
        """The Settings class given in brackets: `class Burp(Tool[BurpSettings])`."""
        for base in getattr(cls, "__orig_bases__", ()):
            if arguments := get_args(base):
                return arguments[0]
        raise TypeError(f"{cls.__name__} must name its settings: class {cls.__name__}(Tool[...Settings]).")

    def severity(self, word: Any) -> Severity:
        """The severity for a vendor's word or number; *Unknown* for one never seen before, and for none at all."""
        if not isinstance(word, _WORDS) or isinstance(word, bool):
            return Severity.UNKNOWN
        return self.severities.get(str(word).strip().lower(), Severity.UNKNOWN)

    def unknown_severity(self, field: str, word: Any) -> tuple[str, ...]:
        """What `unknown_words` says of a severity that is in no table, `("severity: grave",)`; nothing of one that is.

        `field` is where the word stands.
        """
        told = "" if word is None else str(word).strip().lower()
        return () if told in self.severities else (f"{field}: {told[:100] or 'none'}",)

    def secrets(self) -> tuple[str, ...]:
        """The settings' secrets in the clear, for the Session to scrub; nobody else calls this."""
        return tuple(_secrets_in(self.settings))


def _secrets_in(value: Any) -> Iterator[str]:
    """Every secret of some settings, also those in lists and in settings of their own."""
    if isinstance(value, SecretStr):
        secret = reveal(value)
        # Of a key in PEM each line is one: a library quotes a line of it, if anything.
        yield from _lines_of(secret) if "-----BEGIN" in secret else (secret,)
    elif isinstance(value, BaseModel):
        for _, inner in value:
            yield from _secrets_in(inner)
    elif isinstance(value, Mapping):
        for inner in cast("Mapping[Any, Any]", value).values():
            yield from _secrets_in(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in cast("Iterable[Any]", value):
            yield from _secrets_in(inner)


def _lines_of(pem: str) -> Iterator[str]:
    return (line.strip() for line in pem.splitlines() if line.strip() and not line.lstrip().startswith("-----"))
