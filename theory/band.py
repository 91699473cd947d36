"""Where the ratio of incentives must lie, where it lies, and what would move it there."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .first_order import first_order
from .gram import Gram, html_table, printed
from .kernels.program import Builder, Node, Program, in_blocks

if TYPE_CHECKING:
    from .kernels.compiled import Compiled

Array = NDArray[np.float64]


class Case(IntEnum):
    """What one step does to the pair, to first order."""

    IDEAL = 0
    BOTH_FALL = 1
    BOTH_RISE = 2
    REVERSED = 3

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}: {self.words}"

    @property
    def words(self) -> str:
        """The case as a reader would say it."""
        return (
            "chosen up, rejected down",
            "both fall",
            "both rise",
            "reversed",
        )[self]


class Band(NamedTuple):
    """The disentanglement band: the closed interval of good ratios ``d_w / d_l``."""

    low: Array
    high: Array

    def __repr__(self) -> str:
        return f"Band(low={printed(self.low)}, high={printed(self.high)})"

    def _repr_latex_(self) -> str:
        """Return the interval for a notebook."""
        low, high = (printed(end).replace("inf", r"\infty") for end in self)
        return rf"${low} \le d_w/d_l \le {high}$"

    def _repr_html_(self) -> str:
        """Return both ends as a table for a notebook."""
        return html_table(
            zip(("least $d_w/d_l$", "greatest $d_w/d_l$"), map(printed, self), strict=True)
        )


def band(gram: Gram) -> Band:
    r"""Return the disentanglement band of each pair, for positive incentives.

    .. math:: \langle a,b\rangle/\|a\|^2 \le d_w/d_l \le \|b\|^2/\langle a,b\rangle,
        \quad\text{that is}\quad \rho\,r^* \le d_w/d_l \le r^*/\rho

    Where :math:`\langle a,b\rangle \le 0` every positive ratio is good: the band is
    :math:`[0, \infty]`. Shape: that of the Gram. NaN only where the Gram is.

    Source: chen2026 (disentanglement band); yuan2025, eqs. 9 and 10.
    """
    sq_w, sq_l, dot = (np.asarray(v, float) for v in (gram.sq_w, gram.sq_l, gram.dot))
    entangled = ~(dot <= 0)  # and so is what nobody knows, NaN
    with np.errstate(over="ignore"):
        low = np.divide(dot, sq_w, out=np.zeros(np.shape(dot)), where=entangled)
        high = np.divide(sq_l, dot, out=np.full(np.shape(dot), np.inf), where=entangled)
    return Band(low, high)


def case(d_w: Any, d_l: Any, gram: Gram) -> NDArray[np.int8]:
    r"""Return the :class:`Case` of each pair for incentives of any sign.

    The chosen does not fall iff :math:`d_w\|a\|^2 - d_l\langle a,b\rangle \ge 0`, the rejected
    does not rise iff :math:`d_w\langle a,b\rangle - d_l\|b\|^2 \le 0`. No division: a ratio
    forgets the signs. Shapes broadcast.

    Raises:
        ValueError: A change is NaN, for then no case holds.

    Source: yuan2025, Table 1 and Condition 2.
    """
    return case_of(*first_order(d_w, d_l, gram))


def case_of(change_w: Any, change_l: Any) -> NDArray[np.int8]:
    """Return the :class:`Case` of changes of both log-probabilities, predicted or measured.

    Raises:
        ValueError: A change is NaN, for then no case holds.
    """
    return _known(case_codes(change_w, change_l))


def cases(
    objective: "Compiled", data: Sequence[Any], gram: Gram, **hyper: float
) -> NDArray[np.int8]:
    r"""Return the :class:`Case` of each pair under ``objective``.

    The same as :func:`case` of its incentives, but one program in blocks: millions of pairs need
    hardly more memory than their own arrays.

    Args:
        objective: The objective as numbers: one of ``theory.catalogue``, or ``DPO.compiled``.
        data: ``(logp_w, logp_l, ref_w, ref_l, len_w, len_l)``, each ``(batch,)`` or broadcastable.
        gram: Score products of the same pairs, numbers or arrays.
        hyper: Hyperparameters by name; the others take the objective's defaults.

    Raises:
        ValueError: A change is NaN, or ``hyper`` is no hyperparameter of the objective.
    """
    program = _changes(objective, hyper)
    values = (*data, gram.sq_w, gram.sq_l, gram.dot)
    return _known(*in_blocks(program, values, [np.int8], lambda *changes: (case_codes(*changes),)))


def _changes(objective: "Compiled", hyper: Mapping[str, float]) -> Program:
    """Return the program of both first-order changes, of the data and of the Gram."""
    incentives = objective.program("incentives").bound(objective.values(hyper))
    builder = Builder([*incentives.arguments, "sq_w", "sq_l", "dot"])
    d_w, d_l = (Node(builder, node) for node in incentives.written(builder, {}))
    gram = Gram(*(Node(builder, builder.argument(name)) for name in ("sq_w", "sq_l", "dot")))
    return builder.program(change.place for change in first_order(d_w, d_l, gram))


def case_codes(change_w: Any, change_l: Any) -> NDArray[np.int8]:
    """Return the :class:`Case` of each pair, or -1 where no case holds, for a change is NaN."""
    falls, rises = np.less(change_w, 0), np.greater(change_l, 0)
    codes = np.asarray(falls.astype(np.int8) + (rises.astype(np.int8) << 1))
    unknown = (change_w != change_w) | (change_l != change_l)  # noqa: PLR0124
    return np.where(unknown, np.int8(-1), codes) if np.any(unknown) else codes


def _known(codes: NDArray[np.int8]) -> NDArray[np.int8]:
    if codes.size and codes.min() < 0:
        unknown = np.count_nonzero(codes < 0)
        raise ValueError(
            f"a case needs changes that are numbers: {unknown} of them are NaN; leave out the "
            "pairs whose incentives or score products are not finite"
        )
    return codes


def calibration(d_w: Any, d_l: Any, gram: Gram) -> Array:
    r"""Return the factor that puts the ratio of incentives on the centre of the band.

    :math:`\delta = \sqrt{r^* / r}` with :math:`r = d_w/d_l`, :math:`r^* = \|b\|/\|a\|`: scaling
    :math:`d_w` by :math:`\delta` and :math:`d_l` by :math:`1/\delta` gives
    :math:`\delta^2 r = r^*`. NaN where an incentive is not positive or a norm is zero, for
    then no positive factor does.

    Source: chen2026 (reward calibration).
    """
    d_w, d_l, sq_w, sq_l = np.broadcast_arrays(
        *(np.asarray(v, float) for v in (d_w, d_l, gram.sq_w, gram.sq_l))
    )
    exists = (d_w > 0) & (d_l > 0) & (sq_w > 0) & (sq_l > 0)
    # Roots first: the quotient of a vanishing incentive and another can leave the numbers.
    with np.errstate(invalid="ignore"):
        roots = (np.sqrt(v) for v in (d_l, d_w, sq_l, sq_w))
        d_l, d_w, norm_l, norm_w = (np.where(exists, root, np.nan) for root in roots)
    return np.asarray(np.sqrt(norm_l) / np.sqrt(norm_w) * (d_l / d_w))
