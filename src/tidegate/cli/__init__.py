"""The command line. `tidegate --help` is answered from here alone: Typer takes 200 ms to import, Django as much."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

WELCOME = """\
Tidegate keeps what your security tools find in step with what you build.

Connect a tool, let it be discovered, say which Product each thing it watches
belongs to; from then on the findings flow, and each of them can say why.
"""

# Section → command → (module:attribute, one line). The lines are also what the commands say of themselves first; a
# test compares.
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Look around": {
        "demo": ("demo:app", "Watch the whole story, from an empty folder, in two minutes."),
        "find": ("find:app", "Find anything by words of its name, or by its number."),
        "doctor": ("doctor:app", "Check that everything Tidegate stands on is in order."),
    },
    "Connect": {
        "tool": ("tool:app", "See which security tools Tidegate can talk to."),
        "connection": ("connection:app", "Connect a tool, look after it, let it go."),
        "schedule": ("schedule:app", "Say when each tool is asked by itself."),
        "discover": ("operation:discovering", "Ask a tool what it watches."),
        "sync": ("operation:syncing", "Bring the findings of mapped Records into their Products."),
        "operation": ("operation:app", "See what a run did and why, and decide what it held."),
    },
    "Decide": {
        "record": ("record:app", "Say which Product each thing a tool watches belongs to."),
        "rule": ("rule:app", "Say beforehand which Product things belong to."),
        "mapping": ("mapping:app", "Decide in a spreadsheet: mappings out and in."),
        "suggestion": ("suggestion:app", "See what looks like the same thing under a new id."),
        "product": ("product:app", "Look after your Products and see what was found in them."),
        "product-type": ("product_type:app", "Sort Products into Product Types."),
        "engagement": ("engagement:app", "See, rename and delete Engagements of Products."),
        "test": ("test:app", "See, rename and delete Tests, where findings lie."),
        "finding": ("finding:app", "Read findings and decide about them."),
    },
    "Hand findings on": {
        "destination": ("destination:app", "Say where findings are delivered to, and which of them."),
        "deliver": ("delivery:app", "Deliver what a Connection brought."),
    },
    "Keep it as code": {
        "export": ("configuration:export_app", "Write what is configured as a file for plan and apply."),
        "validate": (
            "configuration:validate_app",
            "Check a configuration file, without a database.",
        ),
        "plan": ("configuration:plan_app", "Show what a configuration file would change."),
        "apply": ("configuration:apply_app", "Make what is configured what a file says."),
    },
    "Let people in": {
        "user": ("user:app", "Say who may come in and what they may do."),
        "token": ("token:app", "Let scripts in, for a while and with no more than they need."),
        "audit": ("audit:app", "See who did what, and what was forbidden."),
    },
    "Run the service": {
        "up": ("service:up_app", "Run everything, in one terminal, until you stop it."),
        "web": ("service:web_app", "Answer the status page, health and metrics alone."),
        "worker": ("service:worker_app", "Run Operations that are due, here beside other machines."),
        "scheduler": ("service:scheduler_app", "Keep the time: begin what is due."),
    },
    "Look after the house": {
        "retention": ("retention:app", "See what is kept how long, and let old things go."),
        "migrate": ("migrate:app", "Bring your database up to this version, or come from DefectDojo."),
        "secrets": ("secrets:app", "See which key seals what, and change the key."),
        "backup": ("backup:app", "Write everything that is stored into one file."),
        "restore": ("backup:restore_app", "Put what a backup holds in place."),
        "upgrade": ("upgrade:app", "Bring the database's server up to the one that comes along."),
        "notify": ("route:app", "Say who is told when something needs a person."),
    },
}
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}

OPTIONS = {
    "-h, --help": "Say this. Every command explains itself the same way.",
    "--version": "Say which version this is.",
}
GOODBYE = "Every command that answers prints JSON with --json. Begin with: tidegate demo"


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script: runs one command and ends with its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    sys.exit(run(given))


def run(arguments: list[str]) -> int:
    """One command with its exit code: 0 done, 1 failed, 2 asked wrongly, 3 partial or held, 4 a plan that would change
    something, 130 interrupted."""
    prepare_streams()
    code = 0
    try:
        code = run_one(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()  # nobody reads any more
        return 1
    except OSError as error:
        silence_stdout()
        if not code:
            print(f"The answer could not be written: {error.strerror}.", file=sys.stderr)
        return code or 1
    return code


def run_one(arguments: list[str]) -> int:
    if arguments in ([], ["-h"], ["--help"]):
        print(overview())
        return 0
    from tidegate.cli.root import run_command

    return run_command(arguments)


def prepare_streams() -> None:
    """Where a stream was closed (`<&-`, `>&-`), an empty one: nobody can be asked there, and nobody reads. A terminal
    that is not UTF-8 still gets its answer."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - open as long as the process; pathlib costs time
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def silence_stdout() -> None:
    """What is still buffered must not raise again when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def overview() -> str:
    """What `tidegate --help` says."""
    width = max(len(word) for word in (*COMMANDS, *OPTIONS))
    lines = ["Usage: tidegate COMMAND …", "", *WELCOME.splitlines()]
    sections = {title: {name: line for name, (_, line) in section.items()} for title, section in SECTIONS.items()}
    for title, section in {**sections, "Options": OPTIONS}.items():
        lines += ["", f"{title}:", *(f"  {word:<{width}}  {line}" for word, line in section.items())]
    return "\n".join([*lines, "", GOODBYE])
