"""All that follows from an objective beside its incentives: limits, motion, protection, signs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from sympy import And, Basic, Expr, Or, oo

from ..objective import Objective
from ..signs import undefined
from ..symbols import logp_l, logp_w
from .abbreviations import Chart, chart
from .limits import WAYS, Ends, Way, ends
from .motion import Motion, motion, switched_on
from .protection import Protection, protection
from .regions import Region, regions
from .satisfiable import possible


@dataclass(frozen=True, eq=False)
class Facts:
    """What follows from ``objective``; each part is derived when it is first asked for."""

    objective: Objective

    @cached_property
    def chart(self) -> Chart:
        """Short names for what the objective sees of a pair."""
        return chart(self.objective.d_w, self.objective.d_l)

    @cached_property
    def undefined(self) -> Basic:
        """Where the loss or an incentive has no value."""
        own = self.objective
        return Or(*(undefined(expr) for expr in (own.loss, own.d_w, own.d_l)))

    @cached_property
    def ends(self) -> Mapping[Way, Ends]:
        """Limits far out, by the response that becomes impossible."""
        own = self.objective
        return {way: ends(own.d_w, own.d_l, own.ratio, way, own.defaults) for way in WAYS}

    @cached_property
    def positive(self) -> Basic:
        """Where both incentives are positive."""
        return And(self.objective.signs_w.positive, self.objective.signs_l.positive)

    @cached_property
    def ratio(self) -> Expr:
        """The ratio of incentives where both are positive."""
        own = self.objective
        return switched_on(switched_on(own.ratio, own.d_w), own.d_l)

    @cached_property
    def motions(self) -> tuple[Motion, Motion] | None:
        """How training moves the ratio by way of the chosen and of the rejected response.

        Where both incentives are positive; ``None`` if they never are together.
        """
        ratio = self.ratio
        if ratio == oo or not possible(self.positive):
            return None
        return motion(ratio, logp_w, self.positive), motion(ratio, logp_l, self.positive)

    @cached_property
    def protection(self) -> Protection:
        """When the chosen does not fall and when the rejected does not rise."""
        own = self.objective
        return protection(
            own.ratio, own.d_l, own.signs_w, own.signs_l, [self.ends[way] for way in WAYS]
        )

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """The combinations of signs that nothing refutes, each with a point if one was found."""
        return regions(self.objective)


@cache
def facts(objective: Objective) -> Facts:
    """Return what follows from ``objective``."""
    return Facts(objective)
