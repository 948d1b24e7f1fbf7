"""One class for each thing that the operator must do about it. Messages are safe to show: the Session scrubs them."""

from __future__ import annotations


class ConnectorError(Exception):
    """Reading from the vendor stopped. `what` happened, to which thing; `next_step` is what the operator can do."""

    next_step = "Look at the log of the Operation."

    def __init__(self, what: str, next_step: str | None = None) -> None:
        super().__init__(what)
        self.what = str(what)
        self.status: int | None = None
        """The HTTP status the vendor refused with, where it was one."""
        if next_step is not None:
            self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what} {self.next_step}"


class AuthRejected(ConnectorError):
    """The vendor does not accept the credential."""

    next_step = "Enter a new credential for this Connection."


class AccessDenied(ConnectorError):
    """The credential is accepted and lacks a right."""

    next_step = "Give the account the missing permission in the tool."


class NotFound(ConnectorError):
    """The thing that was asked for is not there, or not visible to the account."""

    next_step = "Run Discover to see whether it still exists and is visible to the account."


class VendorDown(ConnectorError):
    """The vendor does not answer, or answers that it cannot. Tried again by itself."""

    next_step = "Wait: the next run tries again. If it lasts, check the location and the network between."


class Busy(VendorDown):
    """The vendor says that there are too many questions; for Tool.refusal, where its status does not say so.

    The Session slows down and asks again, as after a 429.
    """


class CertificateUnknown(VendorDown):
    """The server's certificate proves nothing to us: an unknown authority, too old, too young, of another host."""

    next_step = "Have it mended on the tool's server, or add the certificate of your authority to the Connection."


class PinMismatch(CertificateUnknown):
    """The server shows another certificate than the pinned one; nothing was sent."""

    next_step = "Ask the tool's administrator whether it has a new certificate; if so, enter its fingerprint as pin."


class ClientCertificateRefused(VendorDown):
    """Our own certificate cannot be used, or the server does not accept it."""

    next_step = "Enter the client certificate and its key anew (PEM) for this Connection."


class ProxyRefused(VendorDown):
    """The proxy does not let us through."""

    next_step = "Check the proxy of this Connection, or of the service (TIDEGATE_PROXY)."


class VendorChanged(ConnectorError):
    """The answer does not have the documented form."""

    next_step = (
        "Check that the location points at the tool's own API; if it does, report this as a bug in the connector."
    )


class Incomplete(ConnectorError):
    """The list could not be read to its proven end, so what is missing from it proves nothing."""

    next_step = "Nothing was closed. The next run tries again."


class TotalMoved(Incomplete):
    """The vendor's own count changed between two pages; the reading begins again, once."""


class AddressRefused(ConnectorError):
    """The location leads to an address that Tidegate does not call."""

    next_step = "Use the tool's own address; link-local and cloud-metadata addresses are never called."
