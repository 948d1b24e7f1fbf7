"""Routes: oneself. With one's number one logs out everywhere: POST /users/{user_id}/logout."""

from __future__ import annotations

from tidegate.api.route import Routes
from tidegate.reads import me as reads
from tidegate.rules.actor import Actor

routes = Routes("me")


@routes.read("/me", reads.me, answers=reads.Me)
def me(actor: Actor) -> reads.Me:
    return reads.me(actor.user_id, actor.name, actor.token, actor.access)
