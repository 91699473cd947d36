"""Facts as sentences: built from their structure, in whatever notation the reader's page has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sympy import Basic, Eq, Expr, Function, Symbol, false, oo, true
from sympy.core.relational import Relational

from ..signs import LOGS, Signs, signs
from ..symbols import d_l, r_star
from . import Facts
from .abbreviations import chart
from .crossings import Crossing, crossings
from .limits import Limits, Way
from .motion import Motion
from .outcomes import SIGNS, change_signs
from .protection import Rule, rho

LONG = 25  # operations beyond which a sentence says r and not its formula
_FAR: dict[Way, str] = {
    "rejected": "As the rejected response becomes impossible",
    "chosen": "As the chosen response becomes impossible",
}
_BY = ("by way of the chosen response", "by way of the rejected response")


@dataclass(frozen=True)
class Words:
    """Writes the facts of one objective.

    Args:
        facts: The facts.
        print: Writes a formula, in the facts' short names, as text.
    """

    facts: Facts
    print: Callable[[Basic], str]

    def show(self, formula: Basic) -> str:
        """Write a formula in short names."""
        return self.print(self.facts.chart.short(formula))

    def limits(self, found: Limits) -> str:
        """Write one limit with its cases."""
        cases = []
        for limit in found:
            given = " and ".join(self.show(g) for g in limit.given)
            cases.append(self._value(limit.value) + (f" where {given}" if given else ""))
        return ", ".join(cases) or "not found"

    def _value(self, value: Expr | None) -> str:
        if value is None:
            return "no value"
        return self.print(chart(value).short(value)).replace("-oo", "−∞")

    def motion(self) -> list[str]:
        """Say which way the ratio of positive incentives moves along training."""
        if self.facts.motions is None:
            return ["the incentives are never positive together"]
        ways = [one.way for one in self.facts.motions]
        if ways == [0, 0]:
            return ["constant"]
        lines = [
            f"{by}: {self._moves(one)}"
            for one, by in zip(self.facts.motions, _BY, strict=True)
            if one.way != 0
        ]
        words = {1: "rises along training", -1: "falls along training"}
        net = next((words[w] for w in (1, -1) if set(ways) <= {w, 0}), None)
        if net is None:
            return lines
        plain = {f"{by}: {net.split()[0]}" for by in _BY}
        return [net] if set(lines) <= plain else [net, *lines]

    def _moves(self, one: Motion) -> str:
        parts = self._places(one.smooth, ("rises", "stands", "falls"))
        for jump in one.jumps:
            at = self.show(signs(jump.at).zero)
            parts += self._places(jump.signs, (f"jumps up at {at}", "", f"jumps down at {at}"))
        return ", ".join(parts)

    def _places(self, found: Signs, words: Sequence[str]) -> list[str]:
        said = [(word, found.of(sign)) for word, sign in zip(words, SIGNS, strict=True) if word]
        return [
            word if where == true else f"{word} where {self.show(where)}"
            for word, where in said
            if where != false and not (word == "stands" and isinstance(where, Eq))
        ]

    def band(self) -> list[str]:
        """Say for which scores both responses go as they should, incentives being positive."""
        band = self.facts.protection.band
        if band is None:
            return ["none: the incentives are never positive together"]
        if length(self.facts.chart.short(band.cosine)) > 2 * LONG:
            r = Symbol("r", positive=True)
            return [f"{self.print(rho)} ≤ min({self.print(r / r_star)}, {self.print(r_star / r)})"]
        low = self.show(band.low <= r_star)
        return [
            self.show(rho <= band.cosine),
            " and ".join([f"for {self.print(rho > 0)}: {low}", self.show(r_star <= band.high)]),
        ]

    def protection(self) -> str:
        """Say when the objective protects the chosen, in one paragraph."""
        name, found = self.facts.objective.name, self.facts.protection
        if len(found.chosen) == 1:
            (rule,) = found.chosen
            steady = not (rule.iff.free_symbols & LOGS)
            tail = ", at every state" if steady and rule.iff not in (true, false) else ""
            sentence = f"{name} protects the chosen {self._clause(rule)}{tail}."
        else:
            cases = "; ".join(f"where {self._region(r)}: {self._clause(r)}" for r in found.chosen)
            sentence = f"{name} protects the chosen {cases}."
        return " ".join([sentence, *self._bounds(), *self._far()])

    def _region(self, rule: Rule) -> str:
        """Write a rule's region; a long one by the sign of the rejected response's incentive."""
        short, of_l = self.facts.chart.short(rule.where), self.facts.objective.signs_l
        if length(short) > LONG:
            for condition, where in ((d_l > 0, of_l.positive), (d_l < 0, of_l.negative)):
                if rule.where == where:
                    return self.print(condition)
            return self.print(Eq(d_l, 0))
        return self.print(short)

    def _clause(self, rule: Rule) -> str:
        if rule.iff in (true, false):
            return "always" if rule.iff == true else "never"
        short = self.facts.chart.short(rule.iff)
        if length(short) > LONG:
            short = type(rule.iff)(rho * r_star, Symbol("r", real=True))
        return f"iff {self.print(short)}"

    def _bounds(self) -> list[str]:
        found, product = self.facts.protection, rho * r_star
        where = "" if self.facts.objective.signs_l.positive == true else f", where {self._push()}"
        said = []
        if found.enough is not None:
            said.append(f"{self.show(product <= found.enough)} is enough{where}.")
        if found.needed is not None:
            said.append(f"{self.show(product > found.needed)} is too much{where}.")
        return said

    def _push(self) -> str:
        return self.show(self.facts.objective.signs_l.positive)

    def _far(self) -> list[str]:
        """Say what becomes of pairs far out, where the rejected one is pushed down everywhere."""
        if self.facts.objective.signs_l.positive != true:
            return []
        said = []
        for way, ends in self.facts.ends.items():
            if len(ends.ratio) == 1 and ends.ratio[0].value in (oo, 0, -oo):
                given = " and ".join(self.show(g) for g in ends.ratio[0].given)
                fate = {
                    oo: "every pair is protected in the end",
                    0: f"no pair with {self.print(rho > 0)} is protected in the end",
                    -oo: "no pair is protected in the end",
                }[ends.ratio[0].value]
                where = f" and {given}" if given else ""
                said.append(f"{_FAR[way]}{where}, {fate}.")
        return said

    def undefined(self) -> str:
        """Say where the loss or an incentive has no value; nothing if that is nowhere."""
        where = self.facts.undefined
        return "" if where == false else f"no value where {self.show(where)}"

    def crossings(self) -> list[tuple[Symbol, Crossing]]:
        """Return certified sign changes of the chosen incentive, where they were not solved for."""
        names, d_w = [*self.facts.chart.meanings], self.facts.objective.d_w
        where = self.facts.objective.signs_w.positive
        unsolved = any(
            isinstance(call, Function) and call.free_symbols & LOGS
            for atom in where.atoms(Relational)
            for call in atom.atoms(Function)
        )
        if len(names) != 1 or not unsolved:
            return []
        found = crossings(self.facts.chart.short(d_w), names[0], self.facts.objective.defaults)
        return [(names[0], one) for one in found]


def length(formula: Basic) -> int:
    """Return how many operations a formula or the comparisons of a condition have."""
    if isinstance(formula, Expr):
        return int(formula.count_ops())
    return sum(int(part.count_ops()) for atom in formula.atoms(Relational) for part in atom.args)


def fate(d_w: int, d_l: int, dot: int) -> tuple[str, str]:
    """Say what happens to the chosen and to the rejected response, by signs alone.

    The signs are those of both incentives and of the scores' product.
    """
    every = change_signs(d_w, d_l, dot)
    words = {1: "rises", 0: "stays", -1: "falls"}
    said = []
    for side in (0, 1):
        signs = {pair[side] for pair in every}
        said.append(words[signs.pop()] if len(signs) == 1 else "either")
    return said[0], said[1]
