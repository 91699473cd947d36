"""Scores of texts under one model, the fast way where there is one, and what they cost."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from ..model.gpt2 import Batch, Model
from .capture import eager, undisturbed
from .explicit import plain_logp, written_out
from .layers import Selection, Wanted, own_name, wanted
from .layout import Text, common_lengths, texts, together
from .products.metric import Preconditioner
from .products.terms import Scores
from .proof import Way, proof_of
from .split import shrinking
from .trace import Told, Tracer

# So many shared tokens are given up rather than that a batch be read in two groups.
MOST_GIVEN_UP = {"cpu": 64}
MOST_GIVEN_UP_ON_GPU = 2048

Array = npt.NDArray[np.float64]


class SlowScores(UserWarning):
    """Some parameters are measured exactly but slowly, one backward pass for each response."""


class Measurement:
    """Scores under one model, which is in evaluation mode with frozen weights meanwhile."""

    def __init__(self, model: Model, these: Wanted) -> None:
        self._model = model
        self._wanted = these
        self._slow = set(these.slow)
        self._proof = proof_of(model)
        self._device = model.get_input_embeddings().weight.device
        self.logp: Array = np.zeros(0)  # of the pairs read last, chosen first, nats

    def take(
        self, batch_w: Batch, batch_l: Batch, *, apart: bool = False
    ) -> tuple[list[Text], list[Text]]:
        """The texts of pairs to be measured, once it is proved how they may be.

        Args:
            batch_w: The chosen responses.
            batch_l: The rejected ones.
            apart: Whether tokens or positions are to be told apart: then nothing is shared.

        Raises:
            ValueError: The batches differ in size, or a response is empty.
        """
        if len(batch_w) != len(batch_l):
            raise ValueError(
                "chosen and rejected responses come in pairs: "
                f"got {len(batch_w)} chosen and {len(batch_l)} rejected"
            )
        chosen, rejected = texts(batch_w, self._device), texts(batch_l, self._device)
        if self._all_slow:
            return chosen, rejected
        common = [0] * len(chosen) if apart else self._common(chosen, rejected)
        shared = [min(common[i] for i in group) for group in self._together(common)]
        pairs = list(zip(chosen, rejected, strict=True))
        shrinking(lambda _: self._prove(pairs, shared, tokens=apart), 1)
        return chosen, rejected

    def _prove(
        self, pairs: Sequence[tuple[Text, Text]], shared: Sequence[int], *, tokens: bool
    ) -> None:
        proof, rows = self._proof, [text for pair in pairs for text in pair]
        way = proof.settle(self._model, rows, shared)
        shortest = min(pairs, key=lambda pair: pair[0].needed)
        self._slow |= proof.failing_rules(self._model, self._wanted, shortest, tokens=tokens)
        if proof.way is not way:
            proof.settle(self._model, rows, shared)
        if proof.way is Way.ALONE:
            self._slow |= set(self._wanted.parameters)

    def groups(self, chosen: Sequence[Text], rejected: Sequence[Text]) -> list[list[int]]:
        """Indices of pairs that are best read together, by what each pair has in common."""
        return self._together(self._common(chosen, rejected))

    def pairs(self, chosen: Sequence[Text], rejected: Sequence[Text]) -> list[Scores]:
        """Scores of the chosen and of the rejected responses."""
        shared = min(self._common(chosen, rejected))
        told = self._trace(lambda tracer: tracer.pairs(chosen, rejected, shared))
        if self._all_slow:
            self.logp = plain_logp(self._model, [*chosen, *rejected])
        slow = self._now_slow()
        return [
            self._fast(fast) | written_out(self._model, side, slow)
            for fast, side in zip(told, (chosen, rejected), strict=True)
        ]

    def tokens(self, pair: tuple[Text, Text], picks: tuple[list[int], list[int]]) -> list[Scores]:
        """Scores of the picked response tokens of the chosen and of the rejected, if any."""
        told = self._trace(lambda tracer: tracer.tokens(pair, picks))
        slow = self._now_slow()
        return [
            self._fast(fast) | written_out(self._model, [text], slow, pick)
            for fast, text, pick in zip(told, pair, picks, strict=True)
            if pick
        ]

    def resolved(self, pair: tuple[Text, Text]) -> list[Scores]:
        """Scores of a pair's two responses, with their positions kept apart.

        Raises:
            ValueError: Some parameters' gradients are only known as a whole.
        """
        told = self._trace(lambda tracer: tracer.pairs(pair[:1], pair[1:], 0, resolved=True))
        if self._slow:
            raise ValueError(
                "positions are told apart by layers that read row by row and position by position, "
                f"but these parameters belong to others: {sorted(self._slow)}; leave them out by "
                "parameters="
            )
        return [self._fast(fast) for fast in told]

    @property
    def parameters(self) -> list[str]:
        """Names of what is measured."""
        return list(self._wanted.parameters)

    def metric(self, preconditioner: Preconditioner | None) -> Preconditioner | None:
        """The preconditioner, if it fits what is measured.

        Raises:
            ValueError: It does not, or is not positive.
        """
        if preconditioner is not None:
            preconditioner = self.named("a preconditioner", preconditioner)
            for name in self._wanted.parameters:
                if not bool((preconditioner[name] >= 0).all()):
                    raise ValueError(
                        f"a preconditioner scales by numbers that are not negative: {name} has "
                        f"{float(preconditioner[name].min())}; give 1 / (sqrt(v) + eps), say"
                    )
        return preconditioner

    def named(self, what: str, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Values by the measured parameters' own names, if they fit what is measured.

        Raises:
            ValueError: A measured parameter is missing, or has another shape.
        """
        values = {own_name(name): value for name, value in values.items()}
        for name, parameter in self._wanted.parameters.items():
            shape = tuple(values[name].shape) if name in values else None
            if shape != tuple(parameter.shape):
                raise ValueError(
                    f"{what} has a tensor for each measured parameter, of its shape: {name} is "
                    f"{tuple(parameter.shape)}, got {shape or 'none'}; give all names of "
                    "model.named_parameters(), or select fewer by parameters="
                )
        return values

    def pair_cost(self, chosen: Text, rejected: Text) -> int:
        """About how many bytes a pair's scores take."""
        predictions = len(chosen.counted) + len(rejected.counted)
        # What layers read, gradients of what they give, and as much again for the graph.
        return self._cost(2 * (chosen.needed + rejected.needed), predictions, rows=2)

    def token_cost(self, text: Text) -> int:
        """About how many bytes the score of one of its tokens takes."""
        return self._cost(text.needed, 1, rows=1)

    def _cost(self, positions: int, predictions: int, rows: int) -> int:
        widths = [
            sum(module.weight.shape)
            for module in self._model.modules()
            if isinstance(getattr(module, "weight", None), nn.Parameter)
            and module.weight.dim() == 2
        ]
        head = max(widths, default=0)
        body = sum(width for width in widths if width < head)
        slow = sum(self._wanted.parameters[name].numel() for name in self._slow)
        size = max(4, *(p.element_size() for p in self._wanted.parameters.values()))
        # The head has logits, probabilities and gradients.
        return int(size * (positions * body + 3 * predictions * head + rows * slow))

    @property
    def _all_slow(self) -> bool:
        return self._slow >= set(self._wanted.parameters)

    def _common(self, chosen: Sequence[Text], rejected: Sequence[Text]) -> list[int]:
        """How many tokens of each pair may be read once."""
        if self._proof.way is Way.SHARED:
            return common_lengths(chosen, rejected)
        return [0] * len(chosen)

    def _together(self, common: Sequence[int]) -> list[list[int]]:
        return together(common, MOST_GIVEN_UP.get(self._device.type, MOST_GIVEN_UP_ON_GPU))

    def _trace(self, trace: Callable[[Tracer], list[Told]]) -> list[Told]:
        if self._all_slow:
            return [{}, {}]
        tracer = Tracer(self._model, self._wanted, numbered=self._proof.numbered)
        told = trace(tracer)
        self.logp = tracer.logp
        self._slow |= tracer.strange
        return told

    def _now_slow(self) -> dict[str, nn.Parameter]:
        slow = {n: p for n, p in self._wanted.parameters.items() if n in self._slow}
        if slow:
            names = ", ".join([*list(slow)[:4], *(["…"] if len(slow) > 4 else [])])
            warnings.warn(
                f"{len(slow)} of {len(self._wanted.parameters)} parameters are measured exactly "
                "but slowly, by one backward pass for each response, as no rule holds for their "
                f"layers: {names}; leave them out by parameters=, if need be",
                SlowScores,
                stacklevel=1,
            )
        return slow

    def _fast(self, told: Told) -> Told:
        return {n: told[n] for n in self._wanted.parameters if n not in self._slow}


@contextmanager
def measuring(model: Model, selection: Selection | None) -> Iterator[Measurement]:
    """A measurement of the model, which is as before when the context ends."""
    model = eager(model)
    these = wanted(model, selection)
    with undisturbed(model):
        yield Measurement(model, these)
