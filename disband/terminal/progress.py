"""What a long job shows while it runs: a moving bar in a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

Advance = Callable[[float, float, str], None]

_QUIET_SECONDS = 15.0


class Screen:
    """Prints one line for each finished step, and how far the present one is.

    Args:
        steps: How many steps there will be.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._done = 0
        self._console = Console(highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    @contextmanager
    def step(self, name: str) -> Iterator["Step"]:
        """Show a step while the block runs; its line is printed when the block ends well."""
        self._done += 1
        step = Step(self, self._bar, f"[{self._done}/{self._steps}] {name:12}")
        yield step
        step.close()

    def line(self, text: str) -> None:
        """Print one line, above the bar if there is one."""
        if self._console.is_terminal:
            self._console.print(text, markup=False, soft_wrap=True)
        else:
            click.echo(text)


class Step:
    """One step on the screen."""

    def __init__(self, screen: Screen, bar: Progress, name: str) -> None:
        self.result = ""
        self._screen, self._bar, self._name = screen, bar, name
        self._start = self._spoke = monotonic()
        self._task = bar.add_task(name.replace("[", r"\["), total=None, said="")

    def advance(self, done: float, total: float, said: str) -> None:
        """Show that ``done`` of ``total`` is done."""
        self._bar.update(self._task, completed=done, total=total, said=said)
        if self._bar.disable and monotonic() - self._spoke > _QUIET_SECONDS:
            self._spoke = monotonic()
            self._screen.line(f"{self._name} {done / total:4.0%}  {said}")

    def close(self) -> None:
        """Print what the step came to and how long it took."""
        self._bar.remove_task(self._task)
        seconds = monotonic() - self._start
        self._screen.line(f"{self._name} {self.result}  ({seconds:.1f} s)")
