"""The token that an API key is exchanged for: good for half an hour, so it is asked for again and again."""

from dataclasses import dataclass
from urllib.parse import quote

from pydantic import SecretStr

from tidegate_sdk import (
    Ask,
    AuthRejected,
    ConnectorError,
    Grant,
    Header,
    Http,
    NotFound,
    Row,
    Talk,
    VendorChanged,
    jwt_end,
)

CLIENT = "ast-app"
"""Whom every API key is made for."""


@dataclass(frozen=True, slots=True)
class TokenExchange:
    """A Login at the tenant's realm. An API key is what OAuth calls a refresh token, and stays good when it is used."""

    logins: Http
    tenant: str
    key: SecretStr

    def door(self) -> Http:
        return self.logins

    def talk(self) -> Talk[Grant]:
        """The token, and until when it is good, by its own word."""
        path = f"auth/realms/{quote(self.tenant, safe='')}/protocol/openid-connect/token"
        form = {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": self.key}
        try:
            page = yield Ask(path, method="POST", form=form, bare=True, safe=True)
        except NotFound as error:
            raise NotFound(f"There is no tenant {self.tenant!r} there. {error.what}", _NEXT) from None
        except ConnectorError as error:
            if error.status == 400:
                raise AuthRejected(f"The API key is not accepted. {error.what}") from None
            raise
        given = Row(page.body)
        token, again = given["access_token"], given.get("refresh_token")
        if not isinstance(token, str) or not token.strip():
            raise VendorChanged("The login gave no token.")
        secrets = tuple(secret for secret in (token, again) if isinstance(secret, str) and secret)
        return Grant(Header("Authorization", SecretStr(token), "Bearer {}"), jwt_end(token), secrets)


_NEXT = "Check the tenant's name: it is told at Settings > Identity and Access Management, and in the login's address."
