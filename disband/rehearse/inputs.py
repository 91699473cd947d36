"""What a rehearsal is asked, beside what a probe reads: how long, how fast, with what remedies."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ..probe.inputs import Probe
from ..terminal.errors import Refusal

if TYPE_CHECKING:
    from disband.lm.data.tokenize import TokenPair
    from disband.lm.training.optimizers import Rule

Optimizer = Literal["sgd", "momentum", "adam", "adamw"]
Schedule = Literal["constant", "linear"]
# What --quick does to the rate, and its inverse to the number of updates.
FASTER = 4


@dataclass(frozen=True)
class Rehearsal:
    """What is to be rehearsed.

    Args:
        probe: The model, the data and how they are read; ``sample`` is the pairs drawn, trained on
            and held out together, and ``batch`` the pairs in an update.
        steps: Updates of each copy.
        rate: Learning rate.
        remedies: What is tried on the first objective, beside training it plainly; see
            :mod:`disband.rehearse.arms`.
        held_out: Pairs followed and not trained on; their prompts are not trained on either.
        optimizer: See :class:`disband.lm.training.optimizers.Rule`.
        warmup: Updates over which the rate rises.
        schedule: ``constant``, or ``linear``: the rate falls to zero at the end.
        clip: Longer gradients are cut to this norm.
        foretell: Forecast the arms too; see :mod:`disband.rehearse.forecast`.
        quick: A quarter of the updates at four times the rate.
        workers: Copies trained at once, in processes here …
        cluster: … unless the workers of this Dask scheduler do it.
    """

    probe: Probe
    steps: int
    rate: float
    remedies: Sequence[str] = ()
    held_out: int = 64
    optimizer: Optimizer = "adamw"
    warmup: int = 0
    schedule: Schedule = "constant"
    clip: float | None = None
    foretell: bool = True
    quick: bool = False
    workers: int = 2
    cluster: str | None = None

    def __post_init__(self) -> None:
        if self.warmup >= self.steps:
            raise Refusal(
                f"the warm-up ends before the last update: got {self.warmup} of {self.steps}; "
                "lower --warmup"
            )

    @property
    def performed(self) -> "Rehearsal":
        """The rehearsal that is run: of a quick one the pilot, and no forecast."""
        if not self.quick:
            return self
        return replace(
            self, quick=False, foretell=False, steps=-(-self.steps // FASTER),
            rate=self.rate * FASTER, warmup=self.warmup // FASTER,
        )  # fmt: skip

    @property
    def rule(self) -> "Rule":
        """The optimizer with its numbers; weights do not decay."""
        from disband.lm.training.optimizers import Rule

        return Rule(self.optimizer, self.rate, self.warmup, decay=0.0)


def divided(
    pairs: "Sequence[TokenPair]", held_out: int
) -> "tuple[tuple[TokenPair, ...], tuple[TokenPair, ...]]":
    """Pairs to train on, and about ``held_out`` whose prompts are not among those.

    No more than a quarter of the pairs is held out. Where all of them have one prompt, pairs that
    share it are.

    Raises:
        ValueError: Fewer than four pairs.
    """
    if len(pairs) < 4:
        raise ValueError(
            f"a rehearsal trains on some pairs and holds others out: got {len(pairs)}, of at least "
            "4; give more data"
        )
    wanted = min(held_out, len(pairs) // 4)
    groups: dict[tuple[int, ...], list[TokenPair]] = {}
    for pair in pairs:
        groups.setdefault(pair.context, []).append(pair)
    apart: list[TokenPair] = []
    for group in groups.values():
        if len(apart) + len(group) <= wanted:
            apart += group
    if not apart:
        return tuple(pairs[wanted:]), tuple(pairs[:wanted])
    prompts = {pair.context for pair in apart}
    return tuple(pair for pair in pairs if pair.context not in prompts), tuple(apart)
