"""The root of the commands: knows them by name, imports the one that is called, ends with its exit code."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from tidegate.cli import COMMANDS, overview
from tidegate.cli.failure import INTERRUPTED, exit_code_of, say_failure
from tidegate.cli.house import is_far, only_here

HELP = frozenset({"-h", "--help"})
HERE_ALONE = frozenset(
    {
        "backup", "demo", "doctor", "migrate", "restore", "retention", "scheduler", "secrets", "up", "upgrade", "web",
        "worker",
    }
)  # fmt: skip
"""Commands about the machine on which they run, its files and its database."""


class Root(TyperGroup):
    """Imports a command's module when its name is said."""

    def list_commands(self, ctx: typer.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in self.commands:
            module, attribute = COMMANDS[cmd_name][0].split(":")
            app = getattr(import_module(f"tidegate.cli.{module}"), attribute)
            command = typer.main.get_command(app)
            command.name = cmd_name
            self.commands[cmd_name] = command
        return self.commands[cmd_name]

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(_unknown(args[0]))
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:
        formatter.write(overview())


def _unknown(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, COMMANDS)
    return f"There is no command {word!r}." + (f" Did you mean {near[0]!r}?" if near else "")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"tidegate {version('tidegate')}")
        raise typer.Exit()


app = typer.Typer(
    cls=Root,
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": sorted(HELP)},
)


@app.callback()
def tidegate(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Say which version this is."
    ),
) -> None:
    """Tidegate keeps what your security tools find in step with the products you build."""


def run_command(arguments: list[str]) -> int:
    """Runs one command. The one place where every error ends: as a sentence with a next step, never as a traceback."""
    as_json = "--json" in arguments
    try:
        if is_far() and HERE_ALONE & set(arguments[:1]) and not HELP & set(arguments):
            raise only_here()
        code = typer.main.get_command(app).main(arguments, prog_name="tidegate", standalone_mode=False)
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last stop before the person
        return say_failure(error, as_json=as_json)
    if code == INTERRUPTED:  # Typer turns Ctrl-C into an exit code, and says nothing
        return say_failure(KeyboardInterrupt(), as_json=as_json)
    return exit_code_of(code)
