"""Routes: configuration as code. The text of a file comes and goes, and the secrets it refers to come along, found by
whoever has the file: nothing that it names (a variable, a file, a command) is looked up here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from tidegate.actions import configuration as actions
from tidegate.actions import validation
from tidegate.api.answer import Answered
from tidegate.api.route import Routes
from tidegate.reads import configuration as reads
from tidegate.reads.viewer import NotShown
from tidegate.rules.actor import Actor

routes = Routes("configuration")

Document = Annotated[str, Field(max_length=1_000_000, description="The text of a configuration file, as YAML.")]
Path = Annotated[str, Field(max_length=500)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=100_000)]
Secrets = Annotated[
    dict[Path, Secret] | None,
    Field(
        max_length=10_000,
        description="The secrets that the file refers to, by the path of the reference:"
        " `connections[0].secrets.api_key`. Those that are not given stay as they are stored.",
    ),
]
Source = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="By which name the file is known; what it manages says so.",
    ),
]
Prune = Annotated[bool, Field(description="Delete what the file does not name, of the kinds that stand in it.")]
Renew = Annotated[bool, Field(description="Store every secret that is given anew, also where one is stored.")]
EXAMPLE = {
    "document": "version: 1\nproduct_types:\n  - name: Web\n",
    "secrets": {},
    "source": "tidegate.yaml",
    "prune": False,
    "renew_secrets": False,
}


@routes.read("/configuration/export", reads.export, reads.Exported, role="administrator")
def export(mappings: reads.Mappings = "people") -> reads.Exported:
    found = reads.export(mappings)
    if found is None:
        raise NotShown("What is configured", "administrator")
    return found


@routes.act(
    "POST",
    "/configuration/validate",
    validation.validate,
    validation.Validated,
    sends={"document": EXAMPLE["document"]},
)
def validate(document: Document) -> validation.Validated:
    return validation.validate(document)


@routes.act("POST", "/configuration/plan", actions.plan, reads.Planned, sends=EXAMPLE)
def plan(
    actor: Actor,
    document: Document,
    secrets: Secrets = None,
    source: Source = "the file",
    prune: Prune = False,
    renew_secrets: Renew = False,
) -> reads.Planned:
    return actions.plan(actor, document, secrets=secrets, source=source, prune=prune, renew_secrets=renew_secrets)


@routes.act("POST", "/configuration/apply", actions.apply, reads.Applied, sends=EXAMPLE)
def apply(
    actor: Actor,
    document: Document,
    secrets: Secrets = None,
    source: Source = "the file",
    prune: Prune = False,
    renew_secrets: Renew = False,
) -> Answered:
    done = actions.apply(actor, document, secrets=secrets, source=source, prune=prune, renew_secrets=renew_secrets)
    right = sum(change.ok for change in done.changes)
    return Answered(done, 200 if right == len(done.changes) else 207 if right else 409)
