"""What the abstract says of an early stage; objective by objective: verify.claims.disband."""

from sympy import And, Gt, Lt, Or

from disband.theory.objectives import BCE
from disband.theory.symbols import d_l, d_w

from ...deciding.claim import Claim, Kind
from ...deciding.logic import every, implies
from ..disband.early_stage import D_l, D_w, p, q, speeds, turn

LOCATOR = "Abstract, possibly after an early stage"
FROZEN = "Scores held fixed, step size to zero: r rises where N is positive."
bce_w, bce_l, bce_turn = speeds(BCE)

CLAIMS = (
    Claim(
        id="chen2026.early-stage",
        locator=LOCATOR,
        says="Training can enter the band after an early stage: outside it, the ratio of "
        "incentives can move towards it.",
        quote="we identify the disentanglement band (DB), a simple, testable condition "
        "that tells us when training can follow the desired path: suppress the loser while "
        "preserving the winner, possibly after an early stage.",
        holds=Or(And(Lt(bce_w, 0), Gt(bce_turn, 0)), And(Gt(bce_l, 0), Lt(bce_turn, 0))),
        exists=True,
        note=f"Shown for BCE. {FROZEN}",
    ),
    Claim(
        id="chen2026.early-stage.approaches",
        locator=LOCATOR,
        says="If each incentive depends on its own response alone, the pull weakening as the "
        "chosen rises and the push as the rejected falls, then outside the band the ratio of "
        "incentives moves towards it.",
        whose=Kind.OURS,
        given=(d_w > 0, d_l > 0, p > 0, q > 0),
        holds=every(
            implies(Lt(D_w, 0), Gt(turn, 0)),
            implies(Gt(D_l, 0), Lt(turn, 0)),
        ),
        note=f"p and q are the slopes −∂d_w/∂log π_w and ∂d_l/∂log π_l. {FROZEN}",
    ),
)
