"""The `anymask` command: its sub-commands, and what the user sees when something goes wrong."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from anymask._version import __version__
from anymask.cli.terminal import one_line, say
from anymask.core.errors import AnymaskError, InputError

FAILED = 1
WRONG_INPUT = 2
INTERRUPTED = 130

COMMANDS = {
    "studio": "anymask.cli.studio",
    "segment": "anymask.cli.segment",
    "convert": "anymask.cli.convert",
    "everything": "anymask.cli.everything",
    "find": "anymask.cli.find",
    "stats": "anymask.cli.stats",
    "evaluate": "anymask.cli.evaluate",
    "finetune": "anymask.cli.finetune",
    "synthesize": "anymask.cli.synthesize",
    "learn": "anymask.cli.learn",
    "models": "anymask.cli.models",
    "serve": "anymask.cli.serve",
    "doctor": "anymask.cli.doctor",
}
"""Sub-command -> module with a typer `app`. A module is imported when its command is asked for."""


class _LazyCommands(TyperGroup):
    """Imports a command's module when the command is used or listed."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_LazyCommands,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Segment Anything: click, box, lasso or brush a thing in a picture and get its mask.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"anymask {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0 done, 1 the work failed, 2 wrong usage or input.

    Never raises for what a user can cause: every failure is one line on stderr. With ANYMASK_DEBUG=1 the
    exception is raised instead, for its traceback.
    """
    try:
        words = list(sys.argv[1:] if arguments is None else arguments)
        command = typer.main.get_command(app)
        code = command.main(words or ["--help"], prog_name="anymask", standalone_mode=False)
        sys.stdout.flush()
        if code == INTERRUPTED:  # what Typer makes of Ctrl-C
            say("anymask: interrupted")
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        _close_stdout()
        return FAILED
    except (KeyboardInterrupt, typer.Abort):
        say("anymask: interrupted")
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("ANYMASK_DEBUG") == "1":
            raise
        message, code = _explain(error)
        if message:
            say(f"anymask: error: {message}")
        return code


def main() -> NoReturn:
    """Entry point of the `anymask` command."""
    sys.exit(run())


def _explain(error: Exception) -> tuple[str, int]:
    """One line for the user and the exit code."""
    if isinstance(error, AnymaskError):
        return one_line(str(error)), WRONG_INPUT if isinstance(error, InputError) else FAILED
    # Wrong usage: an exception of click, of which Typer brings its own copy or not, depending on its version.
    format_message = getattr(error, "format_message", None)
    if format_message is not None:
        return one_line(format_message()), getattr(error, "exit_code", WRONG_INPUT)
    if isinstance(error, MemoryError):
        return "not enough memory; close other programs, or use a smaller image or model.", FAILED
    if isinstance(error, UnicodeEncodeError):  # a name that no file on this system can have
        return one_line(f"{error.object!r} cannot be the name of a file; check the spelling."), WRONG_INPUT
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return one_line(f"{place}{error.strerror}."), FAILED
    what = one_line(f"{type(error).__name__}: {error}")
    return f"unexpected {what} (set ANYMASK_DEBUG=1 to see the traceback)", FAILED


def _close_stdout() -> None:
    """Point stdout at nothing, so that Python's flush at exit does not meet the closed pipe again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
