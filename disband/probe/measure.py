"""Log-probabilities and score products of a sample, piece by piece; finished pieces are kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from disband.lm.data.tokenize import TokenPair, batches
from disband.lm.model.gpt2 import logp
from disband.lm.model.load import Loaded
from disband.lm.scores.audit import audit
from disband.lm.scores.grams import adam_preconditioner, batch_gram, pair_gram
from disband.lm.scores.products.metric import Preconditioner
from disband.lm.training.optimizers import Rule
from disband.theory.gram import Gram
from disband.theory.kernels.compiled import HasKernels
from disband.verify.kept.files import sweep
from disband.verify.kept.store import Store

Array = npt.NDArray[np.float64]
Advance = Callable[[float], None]
MODULE = "disband.probe.measure"


@dataclass(frozen=True)
class Plan:
    """What is measured together.

    Args:
        pairs: The sample.
        batch: Pairs in a batch.
        batches: How many batches are measured whole, every score with every other; of the other
            pairs only their own products are.
        memory: Bytes that scores may take at once.

    Raises:
        ValueError: A batch below one pair.
    """

    pairs: tuple[TokenPair, ...]
    batch: int = 16
    batches: int = 4
    memory: int = 2 << 30

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError(f"a batch has at least one pair: got {self.batch}")

    @property
    def size(self) -> int:
        """Pairs in a batch: no more than there are."""
        return min(self.batch, len(self.pairs))

    @property
    def whole(self) -> int:
        """How many batches are measured whole: no more than the pairs suffice for."""
        return min(self.batches, len(self.pairs) // self.size)

    @property
    def pieces(self) -> list[range]:
        """Indices of the pairs of each piece, those of whole batches first."""
        count = len(self.pairs)
        return [range(i, min(i + self.size, count)) for i in range(0, count, self.size)]


class Measured(NamedTuple):
    """What was measured of a sample of n pairs.

    Args:
        gram: Score products of each pair, ``(n,)`` each.
        products: All score products of each whole batch, ``(batches, 2 size, 2 size)``: of the
            first pairs of the sample, in order.
    """

    gram: Gram
    products: Array


def log_probabilities(loaded: Loaded, plan: Plan, store: Store, advance: Advance) -> Array:
    """Log-probability of each response, nats: float64 of shape ``(2, pairs)``, chosen first."""
    pieces = plan.pieces
    logps = np.empty((2, len(plan.pairs)))
    for done, piece in enumerate(pieces):
        pairs = [plan.pairs[i] for i in piece]
        key = {"model": loaded.provenance, "pairs": digest(pairs)}
        kept = store.load("log-probabilities", key)
        if kept is None:
            kept = {"logp": np.array([_logps(loaded, pair) for pair in pairs]).T}
            store.save("log-probabilities", key, kept)
        logps[:, piece] = kept["logp"]
        advance((done + 1) / len(pieces))
    return logps


def score_products(
    loaded: Loaded,
    plan: Plan,
    store: Store,
    settings: Mapping[str, Any],
    advance: Advance,
    metric: Preconditioner | None = None,
) -> Measured:
    """Score products of each pair, and of whole batches all of them.

    Args:
        loaded: The model.
        plan: What is measured together.
        store: Where finished pieces are kept, and found again.
        settings: What else the numbers depend on, such as adapters and the metric.
        advance: Called with the fraction done.
        metric: Of the products; plain ones if there is none.

    Raises:
        MemoryError: A single pair does not fit into memory.
    """
    pieces, n = plan.pieces, plan.size
    own = np.empty((3, len(plan.pairs)))
    products = np.empty((plan.whole, 2 * n, 2 * n))
    for done, piece in enumerate(pieces):
        pairs = [plan.pairs[i] for i in piece]
        whole = done < plan.whole
        key = _key(loaded, plan, settings, done)
        kept = store.load("products", key)
        if kept is None:

            def report(part: float, before: int = done) -> None:
                advance((before + part) / len(pieces))

            kept = _products(loaded, pairs, plan.memory, metric, report, whole=whole)
            store.save("products", key, kept)
        own[:, piece] = kept["own"]
        if whole:
            products[done] = kept["all"]
        advance((done + 1) / len(pieces))
    return Measured(Gram(*own), products)


def audited(
    loaded: Loaded, plan: Plan, store: Store, settings: Mapping[str, Any]
) -> dict[str, float] | None:
    """Errors of the shortest pair's products; None if there is no memory to know them.

    Raises:
        ValueError: They are more than rounding.
    """
    trained = [p for p in loaded.model.parameters() if p.requires_grad]
    if 3 * sum(p.numel() * p.element_size() for p in trained) > plan.memory:
        return None
    pair = min(plan.pairs, key=lambda p: len(p.context) + len(p.chosen) + len(p.rejected))
    key = {**settings, "model": loaded.provenance, "pairs": digest([pair])}
    kept = store.load("audit", key)
    if kept is None:
        errors = audit(loaded.model, *batches(loaded.tokenizer, [pair]))
        kept = {"errors": np.array([errors.contributions, errors.gram, errors.step])}
        store.save("audit", key, kept)
    contributions, gram, step = (float(error) for error in kept["errors"])
    if not max(contributions, gram) <= (0.1 if trained[0].element_size() < 4 else 1e-3):
        raise ValueError(
            "score products are those of written-out gradients, but of this model they differ by "
            f"{max(contributions, gram):.1g} of the scores' norms; choose another --dtype, or "
            "leave this model out"
        )
    return {"contributions": contributions, "gram": gram, "step": step}


def start_metric(
    loaded: Loaded,
    plan: Plan,
    refs: Array,
    objective: HasKernels,
    settings: Mapping[str, float],
    gaps: Array,
) -> Preconditioner:
    r"""Adam's scale :math:`1/(\sqrt{\hat v}+\varepsilon)` if it had seen each batch once.

    :math:`\hat v` is the mean of the squared gradients of the objective's loss over the batches
    of the sample, all taken at the start: an update of rate zero is made with each. Over all of
    them, for an entry that none of them moves would have a scale of :math:`1/\varepsilon`.

    Args:
        loaded: The model.
        plan: The sample and its batches.
        refs: Reference log-probabilities, ``(2, pairs)``, nats.
        objective: Whose gradients.
        settings: Its hyperparameters that are not its defaults.
        gaps: Score gaps of the pairs, ``(pairs,)``, for a loss that reads them.
    """
    model = loaded.model
    device = model.get_input_embeddings().weight.device
    loss = objective.kernel("loss", "torch", **settings)
    reads_gaps = "gap" in objective.arguments
    optimizer = Rule("adamw", 0.0).build(model)
    was_training = model.training
    model.eval()
    try:
        for piece in plan.pieces:
            optimizer.zero_grad()
            for index in piece:
                pair = plan.pairs[index]
                sides = [side.to(device) for side in batches(loaded.tokenizer, [pair])]
                logps = [logp(model, side).double() for side in sides]
                known = [torch.tensor([ref], device=device).double() for ref in refs[:, index]]
                gap = [torch.tensor([gaps[index]], device=device)] if reads_gaps else []
                lengths = [side.lengths.double() for side in sides]
                (loss(*logps, *known, *lengths, *gap).sum() / len(piece)).backward()
            optimizer.step()
        metric = dict(adam_preconditioner(optimizer, model))
    finally:
        optimizer.zero_grad()
        model.train(was_training)
    for name, parameter in model.named_parameters():
        # What no gradient reaches has no score either, so any scale will do.
        if parameter.requires_grad and name not in metric:
            metric[name] = torch.ones_like(parameter)
    return metric


def is_measured(loaded: Loaded, plan: Plan, store: Store, settings: Mapping[str, Any]) -> bool:
    """Whether all score products are kept already, so that no metric needs to be made."""
    return all(
        store.load("products", _key(loaded, plan, settings, number)) is not None
        for number in range(len(plan.pieces))
    )


def kept_in(folder: Path, module: str = MODULE, *, fresh: bool = False) -> Store:
    """Where finished pieces live; what a killed run left half written is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    return Store(folder, module, fresh)


def digest(pairs: Sequence[TokenPair]) -> str:
    """What tells one sample of pairs from another."""
    text = repr([(pair.context, pair.chosen, pair.rejected) for pair in pairs])
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _key(loaded: Loaded, plan: Plan, settings: Mapping[str, Any], number: int) -> dict[str, Any]:
    """What a piece of products depends on."""
    pairs = [plan.pairs[i] for i in plan.pieces[number]]
    whole = number < plan.whole
    return {**settings, "model": loaded.provenance, "pairs": digest(pairs), "whole": whole}


def _products(
    loaded: Loaded,
    pairs: Sequence[TokenPair],
    memory: int,
    metric: Preconditioner | None,
    report: Advance,
    *,
    whole: bool,
) -> dict[str, Array]:
    both = batches(loaded.tokenizer, pairs)
    if not whole:
        gram = pair_gram(loaded.model, *both, memory=memory, progress=report, preconditioner=metric)
        return {"own": np.array([gram.sq_w, gram.sq_l, gram.dot])}
    matrix = batch_gram(loaded.model, *both, memory=memory, progress=report, preconditioner=metric)
    n = len(pairs)
    squares = np.diagonal(matrix)
    return {"own": np.array([squares[:n], squares[n:], np.diagonal(matrix, n)]), "all": matrix}


def _logps(loaded: Loaded, pair: TokenPair) -> tuple[float, float]:
    # One text at a time: the logits of a large vocabulary take much memory.
    device = loaded.model.get_input_embeddings().weight.device
    was_training = loaded.model.training
    loaded.model.eval()
    try:
        with torch.no_grad():
            sides = batches(loaded.tokenizer, [pair])
            w, l = (float(logp(loaded.model, side.to(device))[0]) for side in sides)  # noqa: E741
    finally:
        loaded.model.train(was_training)
    return w, l
