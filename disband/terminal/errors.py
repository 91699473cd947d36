"""What people do wrong is told in one line; what the program does wrong keeps its traceback."""

import errno
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NoReturn

import click

INTERRUPTED = 130
# Control characters but line breaks and tabs, and marks that turn the direction of writing.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_FOLDER_TROUBLE = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)
)


class Refusal(click.ClickException):
    """Input that cannot be used: what the rule is, what came, what to do next."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(visible(message))


class Interrupted(click.ClickException):
    """Somebody pressed Ctrl-C; the message says what is kept."""

    exit_code = INTERRUPTED

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message alone: this is no error."""
        click.echo(self.message, file=file, err=file is None)


class Group(click.Group):
    """A group of commands whose every error is one line on stderr."""

    def main(  # type: ignore[override]  # click's overloads tell apart what is one case here
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; raises :class:`SystemExit` unless ``standalone_mode`` is off."""
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **extra)
        _print_any_character()
        try:
            sys.exit(super().main(args, prog_name, standalone_mode=False, **extra))
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.UsageError as error:
            _exit_on_usage(error)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except click.Abort:
            click.echo("interrupted", err=True)
            sys.exit(INTERRUPTED)


@contextmanager
def user_input() -> Iterator[None]:
    """Turn the errors of code that reads what a person gave into a :class:`Refusal`.

    It belongs around that code alone: the same exceptions elsewhere are faults of the program.
    """
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        raise Refusal(one_line(str(error))) from error


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn trouble of the disk while working in ``folder`` into a :class:`Refusal`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FOLDER_TROUBLE:
            raise
        raise Refusal(
            f"writing to {folder} failed: {error.strerror}; make room or choose another --out"
        ) from error


def require_writable(folder: Path) -> None:
    """Make ``folder`` and try a file in it, before any work is done for it.

    Raises:
        Refusal: The folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Refusal(
            f"the output folder must be writable: got {folder} ({error.strerror}); "
            "choose another with --out"
        ) from error


def one_line(text: str) -> str:
    """Return ``text`` with every run of white space as one space, fit for a terminal."""
    return visible(" ".join(text.split()))


def visible(text: str) -> str:
    """Return ``text`` with what would steer a terminal, such as colour codes, spelt out."""
    return _STEERING.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _exit_on_usage(error: click.UsageError) -> NoReturn:
    message = one_line(error.format_message()).rstrip(".")
    path = error.ctx.command_path if error.ctx else "disband"
    click.echo(f"Error: {message}; see {path} --help", err=True)
    sys.exit(error.exit_code)


def _print_any_character() -> None:
    """Let a terminal that lacks Greek show question marks, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
