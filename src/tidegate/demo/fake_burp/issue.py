"""Issues as the fake Burp finds them: plain facts, deterministic, and the object the schema shows of one."""

import hashlib
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of issue, with the index and name it has in Burp's own list (https://portswigger.net/kb/issues)."""

    index: int
    name: str
    severity: str
    confidence: str
    cwe: tuple[tuple[int, str], ...] = ()
    topic: str = ""


KINDS = (
    Kind(1049088, "SQL injection", "high", "firm", ((89, "SQL Injection"), (94, "Code Injection")), "sql-injection"),
    Kind(2097920, "Cross-site scripting (reflected)", "high", "certain", ((79, "Cross-site Scripting"),),
         "cross-site-scripting/reflected"),
    Kind(5245344, "Frameable response (potential Clickjacking)", "info", "firm", ((1021, "Frame Injection"),),
         "clickjacking"),
    Kind(16777984, "Strict transport security not enforced", "low", "certain", ((523, "Unprotected Credentials"),)),
    Kind(5244416, "Cookie without HttpOnly flag set", "low", "firm", ((16, "Configuration"),)),
    Kind(1049344, "File path traversal", "high", "firm", ((22, "Path Traversal"),), "file-path-traversal"),
    Kind(3146256, "External service interaction (HTTP)", "high", "certain", ((918, "SSRF"),), "ssrf"),
    Kind(2098688, "Cross-origin resource sharing", "info", "certain", ((942, "Permissive Policy"),), "cors"),
    Kind(16777472, "TLS certificate", "medium", "certain", ((295, "Improper Certificate Validation"),)),
    Kind(6291968, "Email addresses disclosed", "info", "certain", ((200, "Information Exposure"),)),
    Kind(8389120, "HTML does not specify charset", "info", "certain", ((16, "Configuration"),)),
    Kind(1051648, "PHP code injection", "high", "tentative", ((94, "Code Injection"),), "os-command-injection"),
)  # fmt: skip
PATHS = (
    "/",
    "/login",
    "/search",
    "/cart",
    "/checkout",
    "/account/profile",
    "/api/v2/orders",
    "/static/app.js",
    "/help",
)
PARAMETERS = ("q", "id", "next", "lang", "page")


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of a site, as it is known over scans. `number` tells it from the site's others; the rest follows."""

    site: str
    number: int
    origin: str
    severity: str = ""
    confidence: str = ""
    accepted_risk: bool = False
    note: str = ""
    changes: tuple[dict[str, Any], ...] = field(default=())

    @property
    def kind(self) -> Kind:
        return KINDS[self.number % len(KINDS)]

    @property
    def path(self) -> str:
        return PATHS[self.number * 5 % len(PATHS)]

    @property
    def parameter(self) -> str:
        return f"{PARAMETERS[self.number * 3 % len(PARAMETERS)]}{self.number}"

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(f"{self.site} {self.number}".encode()).hexdigest()[:32]

    def shown(self, scan: str) -> dict[str, Any]:
        """The issue as the schema has it, in one scan: its serial number is another one in the next."""
        kind = self.kind
        payload = f"{self.parameter}'\"&lt;x&gt;"
        return {
            "serial_number": str(int(hashlib.sha256(f"{scan} {self.fingerprint}".encode()).hexdigest()[:15], 16)),
            "fingerprint": self.fingerprint,
            "issue_type": _issue_type(kind),
            "severity": self.severity or kind.severity,
            "original_severity": kind.severity,
            "confidence": self.confidence or kind.confidence,
            "original_confidence": kind.confidence,
            "accepted_risk": self.accepted_risk,
            "path": self.path,
            "origin": self.origin,
            "novelty": "repeat",
            "description_html": f"The payload <b>{payload}</b> was submitted in the <b>{self.parameter}</b> "
            f"parameter.{f' <i>{self.note}</i>' if self.note else ''}",
            "remediation_html": None,
            "evidence": self._evidence(payload) if self.number % len(KINDS) != 8 else None,
            "change_history": list(self.changes),
        }

    def _evidence(self, payload: str) -> list[dict[str, Any]]:
        host = self.origin.partition("://")[2]
        return [
            {
                "__typename": "Request",
                "request_index": 0,
                "request_count": 1,
                "request_segments": [
                    {"__typename": "DataSegment", "data_html": f"GET {self.path}?{self.parameter}="},
                    {"__typename": "HighlightSegment", "highlight_html": payload},
                    {"__typename": "DataSegment", "data_html": f" HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n"},
                ],
            },
            {
                "__typename": "Response",
                "response_index": 0,
                "response_count": 1,
                "response_segments": [
                    {
                        "__typename": "DataSegment",
                        "data_html": "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n&lt;p&gt;",
                    },
                    {"__typename": "HighlightSegment", "highlight_html": payload},
                    {"__typename": "SnipSegment", "snip_length": 1400 + self.number},
                ],
            },
        ]


def _issue_type(kind: Kind) -> dict[str, Any]:
    link = f"https://portswigger.net/web-security/{kind.topic}"
    classes = "\n".join(
        f'<li><a href="https://cwe.mitre.org/data/definitions/{number}.html">CWE-{number}: {name}</a></li>'
        for number, name in kind.cwe
    )
    return {
        "type_index": str(kind.index),
        "name": kind.name,
        "description_html": f"<p>{kind.name}: what it is and how an attacker may use it.</p>",
        "remediation_html": f"<p>How to prevent it: {kind.name.lower()}.</p>",
        "references_html": f'<ul><li><a href="{link}">{kind.name}</a></li></ul>' if kind.topic else None,
        "vulnerability_classifications_html": f"<ul>\n{classes}\n</ul>" if kind.cwe else None,
    }
