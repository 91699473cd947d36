"""The settings that the papers argue about, each as a run with its first-order prediction."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.theory.band import Case, band, case
from disband.theory.objective import Objective

from ..methods.treatments import Alone
from .descent import Trajectory, train
from .policies import (
    AT,
    PLACES,
    Problem,
    edit_one_independent,
    edit_one_shared,
    single_token,
)

Array = NDArray[np.float64]
Row = dict[str, float | int | str | None]


def by_place(
    places: tuple[str, ...], tokens_w: Array, tokens_l: Array
) -> dict[str, tuple[Array, Array]]:
    """Return the sums over each place's contexts, ``(...)``; a place without any is left out."""
    where = {p: [i for i, q in enumerate(places) if q == p] for p in PLACES}
    return {p: (tokens_w[..., i].sum(-1), tokens_l[..., i].sum(-1)) for p, i in where.items() if i}


@dataclass(frozen=True, eq=False)
class Study:
    """One run of a toy.

    Args:
        toy: Name of the toy.
        objective: Name of the objective.
        parameters: What the run was made with: the toy's choices, ``lr``, ``steps`` and the
            objective's hyperparameters.
        places: Where each context lies, ``(C,)``.
        trajectory: The run; ``watched`` is the distribution at the differing position.
    """

    toy: str
    objective: str
    parameters: Mapping[str, Any]
    places: tuple[str, ...]
    trajectory: Trajectory

    def by_place(self) -> dict[str, tuple[Array, Array]]:
        """Chosen and rejected log-probability before, at and after the differing position.

        A place without contexts is left out; shape ``(T + 1, ...)`` each.
        """
        return by_place(self.places, self.trajectory.tokens_w, self.trajectory.tokens_l)

    def ahead_by_place(self) -> dict[str, tuple[Array, Array]]:
        """First-order changes of :meth:`by_place` by the step from each state, same shape."""
        return by_place(self.places, self.trajectory.ahead_w, self.trajectory.ahead_l)

    def cases(self) -> NDArray[np.int8]:
        """The :class:`Case` that first order predicts from each state, ``(T + 1, ...)``."""
        run = self.trajectory
        return case(run.d_w, run.d_l, run.gram)

    def summary(self) -> Row:
        """The run in a few numbers; of a batch, of the first problem.

        ``fell_at`` is the first step that lowers the chosen log-probability, ``None`` if none
        does; ``signs_right`` is the share of steps whose two changes have the predicted signs.
        """
        run, first = self.trajectory, _first_problem
        (change_w, change_l), (ahead_w, ahead_l) = run.measured, run.predicted
        falls = np.flatnonzero(first(change_w) < 0)
        right = (np.sign(first(change_w)) == np.sign(first(ahead_w)[:-1])) & (
            np.sign(first(change_l)) == np.sign(first(ahead_l)[:-1])
        )
        moved = {
            f"change_{side}_{p}": float(first(both[i])[-1] - first(both[i])[0])
            for p, both in self.by_place().items()
            for i, side in enumerate("wl")
        }
        return {
            "toy": self.toy,
            "objective": self.objective,
            "case_at_start": Case(int(first(self.cases())[0])).words,
            "cosine_at_start": float(first(np.asarray(run.gram.cosine))[0]),
            "change_w": float(first(run.logp_w)[-1] - first(run.logp_w)[0]),
            "change_l": float(first(run.logp_l)[-1] - first(run.logp_l)[0]),
            **moved,
            "fell_at": int(falls[0]) if falls.size else None,
            "signs_right": float(right.mean()) if right.size else None,
        }


@dataclass(frozen=True)
class Toy:
    """A toy setting.

    Args:
        name: Its name on the command line.
        summary: One line for people.
        build: Makes the problem from plain choices.
        lr: A step size at which DPO shows what the toy is for.
    """

    name: str
    summary: str
    build: Callable[..., Problem]
    lr: float

    @property
    def defaults(self) -> Mapping[str, Any]:
        """The toy's own choices and their defaults."""
        choices = signature(self.build).parameters.values()
        return MappingProxyType({choice.name: choice.default for choice in choices})

    def run(
        self,
        objective: Objective,
        *,
        steps: int = 100,
        lr: float | None = None,
        hyper: Mapping[str, float] | None = None,
        method: str = "none",
        **parameters: Any,
    ) -> Study:
        """Train the toy with an objective by gradient descent.

        ``method`` is what is done to the incentives, a name of
        ``sims.methods.treatments.TREATMENTS``.

        Raises:
            ValueError: The toy has no such choice, there is no such method, or what
                :func:`disband.sims.pairs.descent.train` raises.
        """
        if unknown := set(parameters) - set(self.defaults):
            raise ValueError(
                f"{self.name} has the choices {', '.join(self.defaults)}: got "
                f"{', '.join(sorted(unknown))}; set one of these"
            )
        problem = self.build(**parameters)
        rate = self.lr if lr is None else lr
        run = train(
            problem.policy,
            problem.pair,
            problem.theta0,
            objective,
            lr=rate,
            steps=steps,
            hyper=hyper,
            watch=problem.places.index(AT),
            method=None if method == "none" else Alone(method),
        )
        values = {symbol.name: value for symbol, value in objective.values(hyper or {}).items()}
        made = {**self.defaults, **parameters, "lr": rate, "steps": steps, **values}
        if method != "none":
            made["method"] = method
        return Study(self.name, objective.name, MappingProxyType(made), problem.places, run)


SINGLE_TOKEN = Toy(
    "single-token",
    "one token each from one hidden state: the chosen rises, the rejected falls (Theorem 1)",
    single_token,
    lr=1.0,
)
EDIT_ONE_SHARED = Toy(
    "edit-one-shared",
    "one token differs, logits shared up to a context offset: the suffix falls (Theorem 3)",
    edit_one_shared,
    lr=1.0,
)
EDIT_ONE_INDEPENDENT = Toy(
    "edit-one-independent",
    "one token differs, every context has its own logits: the suffix rises",
    edit_one_independent,
    lr=1.0,
)
TOYS: Mapping[str, Toy] = MappingProxyType(
    {toy.name: toy for toy in (SINGLE_TOKEN, EDIT_ONE_SHARED, EDIT_ONE_INDEPENDENT)}
)


def rows(study: Study) -> list[Row]:
    """Return one flat row per state, for a table; of a batch, of the first problem.

    ``predicted_*`` and ``measured_*`` are the first-order and the exact change by the step that
    leaves the state, so the last state has nothing measured (``None``). A name that ends in a
    place is that place's share. Units are nats.
    """
    run = study.trajectory
    edges = band(run.gram)
    columns: dict[str, Any] = {
        "d_w": run.d_w,
        "d_l": run.d_l,
        "sq_w": run.gram.sq_w,
        "sq_l": run.gram.sq_l,
        "dot": run.gram.dot,
        "cosine": run.gram.cosine,
        "band_low": edges.low,
        "band_high": edges.high,
    }
    parts: dict[str, Any] = {"": ((run.logp_w, run.logp_l), run.predicted)}
    ahead = study.ahead_by_place()
    parts |= {f"_{place}": (both, ahead[place]) for place, both in study.by_place().items()}
    for suffix, (states, changes) in parts.items():
        for side, logp, change in zip("wl", states, changes, strict=True):
            columns[f"logp_{side}{suffix}"] = logp
            columns[f"predicted_{side}{suffix}"] = change
            columns[f"measured_{side}{suffix}"] = np.append(np.diff(_first_problem(logp)), np.nan)
    flat = {name: _first_problem(np.asarray(values)) for name, values in columns.items()}
    words = [Case(int(c)).words for c in _first_problem(study.cases())]
    return [
        {
            "step": t,
            "case": words[t],
            **{n: None if np.isnan(v[t]) else float(v[t]) for n, v in flat.items()},
        }
        for t in range(len(words))
    ]


def _first_problem(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(len(values), math.prod(values.shape[1:]))[:, 0]
