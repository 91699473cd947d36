"""A small report with one of everything, for tests of its page."""

from disband.verify.deciding.claim import Verdict


def claim(verdict, **changes):
    return {
        "id": f"yuan2025.{verdict}",
        "paper": "yuan2025",
        "locator": "section 3",
        "says": rf"The {verdict} one: $\Delta\log\pi_w \ge 0$.",
        "given": [r"d_w > 0"],
        "holds": r"d_w \|a\|^2 \geq d_l \langle a,b\rangle",
        "folded": r"D \geq 0",
        "verdict": str(verdict),
        "decided_by": "exact search",
        "seconds": 0.01,
        "example": {"d_w": "1/3"},
        "counterexample": None,
        "worked": [],
        "where": [{"name": "D", "latex": "D", "value": "", "means": "a change", "short": "x"}],
        "cases": {},
        "repaired": None,
        "repairs": None,
        "kind": "printed",
        "printed": True,
        "quote": r"a quotation of $d_w$",
        "grade": "sign or factor",
        "why": "Because of the sign.",
        "confirmed": {"answer": "agrees", "by": "cvc5", "second": ""},
        "note": "",
        "numbers": None,
    } | changes


def small_report():
    claims = [claim(verdict) for verdict in Verdict if verdict is not Verdict.REFUTED]
    printed = claim(
        "refuted",
        counterexample={"d_w": "-7/3"},
        worked=[
            {"comparison": r"D \geq 0", "left": "-1/2", "right": "0", "holds": False},
            {"comparison": r"E \geq 0", "left": "1/2", "right": "0", "holds": True},
        ],
        repaired="yuan2025.refuted.repaired",
    )
    mended = claim("proved", id="yuan2025.refuted.repaired", repairs="yuan2025.refuted")
    return {
        "claims": [*claims, printed, mended],
        "objectives": [
            {
                "name": "DPO",
                "source": "eq. 7",
                "loss": r"- \log{\left(x \right)}",
                "d_w": r"\beta",
                "d_l": r"\beta",
                "ratio": "1",
                "signs_w": {"positive": r"\text{True}", "zero": "x = 0", "negative": "x < 0"},
                "signs_l": {"positive": r"\text{True}", "zero": "x = 0", "negative": "x < 0"},
                "conditions": [r"x \geq 0", r"x \leq 0"],
                "short": {"d_w": r"$\beta$", "d_l": r"$\beta$", "ratio": "$1$"},
                "protects": r"iff $\rho r^* \le 1$",
                "needs": ["a reference model"],
                "at": {"start": [0.05, 0.05], "later": [0.03, 0.03]},
                "defaults": {r"\beta": 0.1},
            }
        ],
        "fixes": [
            {"title": "One pair", "command": "", "columns": ["a"], "rows": [["1"]], "says": ["So."]}
        ],
        "simulations": [
            {"name": "one pair", "objective": "DPO", "parameters": {"lr": 0.1}, "summary": {"n": 3}}
        ],
        "experiments": [
            {
                "name": "sentiment",
                "settings": {"layers": 4},
                "predictions": [
                    {
                        "name": "order",
                        "says": "Long falls more than short.",
                        "per_seed": [
                            {"seed": 0, "holds": True, "numbers": {"fall": -0.5}},
                            {"seed": 1, "holds": False, "numbers": {"fall": 0.5}},
                        ],
                    }
                ],
            }
        ],
        "provenance": {"command": "disband verify", "time": "now", "versions": {"numpy": "2"}},
    }
