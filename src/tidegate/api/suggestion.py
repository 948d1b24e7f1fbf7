"""Routes: Records that look like the same thing under a new id."""

from __future__ import annotations

from tidegate.actions import suggestion as actions
from tidegate.api.answer import Answered, Done, StepAnswer, step_answer
from tidegate.api.route import Routes
from tidegate.api.words import Id
from tidegate.reads import suggestion as reads
from tidegate.rules.actor import Actor

routes = Routes("suggestion")


@routes.read("/suggestions", reads.suggestions, answers=reads.SuggestionList)
def suggestions(connection_id: Id | None = None) -> reads.SuggestionList:
    return reads.suggestions(connection_id)


@routes.act("POST", "/suggestions/accept", actions.accept_suggestion, answers=StepAnswer)
def accept_suggestion(actor: Actor, missing_id: Id, new_id: Id) -> Answered:
    return step_answer(actions.accept_suggestion(actor, missing_id, new_id))


@routes.act("POST", "/suggestions/dismiss", actions.dismiss_suggestion, answers=Done)
def dismiss_suggestion(actor: Actor, missing_id: Id, new_id: Id) -> Done:
    actions.dismiss_suggestion(actor, missing_id, new_id)
    return Done(done="It is not suggested any more.")


@routes.act("POST", "/suggestions/suggest-again", actions.suggest_again, answers=Done)
def suggest_again(actor: Actor, missing_id: Id, new_id: Id) -> Done:
    actions.suggest_again(actor, missing_id, new_id)
    return Done(done="It may be suggested again.")
