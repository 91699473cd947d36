"""A loss typed in the page is read as Python reads it: the same values, the same refusals."""

import json
import re
import subprocess

import pytest

from disband.explorer.page import FOLDER, grammar_script
from disband.theory.javascript import PRELUDE
from disband.theory.objectives import OBJECTIVES
from disband.theory.own_loss.declare import objective_of, typed_objective
from disband.theory.own_loss.source_text import FormulaError
from tests.engines import needs_node, node

PAIRS = [(-12, -15, -11, -12.5, 10, 14), (-40.0, -31, -38, -33, 30, 44), (-2.5, -0.5, -1, -1, 3, 2)]
FORMULAS = {
    "-logsigmoid(beta*(w - ref_w - l + ref_l))": {"beta": 0.1},
    "relu(goal - (w - l)/len_w) - lam*w": {"goal": 0.7, "lam": 0.1},
    "(w - l - 1/(2*beta))**2": {"beta": 0.3},
    "-sigmoid(w/len_w - l/len_l)*exp(0.1*w) + 1e-3*l**2": {},
    "-log(1 + exp(-0.2*(l - w)))/2 + sqrt(w**2 + 1)": {},
    "max(w - l, 0.5*l) - min(w, ref_w)*0.1": {},
    "abs(w - ref_w) + max(l, -3, w)/len_l": {},
    "- -w**2 + +l**-1 / 2 / 3 * 4 - (w - l)*-2": {},
    "-logodds(w/len_w) + expm1(l/len_l) + linlog(-w)": {},
    "-stop(exp(w/len_w + l/len_l))*logsigmoid(beta*(w - l))": {"beta": 0.1},
    "step(w - l)*(w - l)**2 + .5e1*logp_w - 5.*logp_l": {},
    "exp(log(-w)*0.5) + (w - l)**8/1e6": {},
    " -w \n + l": {},
}
# Texts that Python refuses at this column, by a rule of its own; the page by the same.
REFUSED = [
    "w + * l", "w +", "2*(w + l", "w + l)", "w^2", "w·l", "w − l", "[w]", "w < l", "w, l",
    "w + y_9999999999999999999999", "w + eta", "w + A", "w + exp", "w + sin(l)", "log1p(w)",
    "exp(w, l)", "max(w)", "exp()", "w**99", "w**l", "w**0.5", "w**-l", "w**--2", "w**+2",
    "((w**8)**8)**8", "1e999*w", "w + 1e-101", "w + 0x10", "w + 1_0", "1/0 + w", "(w - w)**-1",
    "w/(l - l)", "sqrt(-1)*w", "log(w)", "log(0)*w", "logodds(1)*w", "logodds(-w)", "exp(231)*w",
    "w + exp(exp(6))", "expm1(w + 1e9*log(2))", "exp(1e50*log(-w))", "1e99*w*1e99*1e99", "",
    "   ", "w" * 1001, "3 + beta", "step(w)", "stop(w - l)", "relu(step(w - l) + l)",
    "w/(2 + step(l - w))",
    "w.real", "w + True", "'w'", "w[0]", "007*w", "w ** 2.0", "alert(1)", "w; l", "__import__(os)",
    "w + `x`",
]  # fmt: skip


def asked(program, given):
    scripts = [(FOLDER / name).read_text("utf-8") for name in ("formula.js", "typed.js")]
    head = """
    "use strict";
    const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
    const DATA = { objectives: [] };
    """
    source = "\n".join([head, PRELUDE, grammar_script(), *scripts, program])
    done = subprocess.run(
        [node(), "-e", source], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def read():
    return asked(
        """
        const told = given.formulas.map(([text, values]) => {
          const { record, incentives } = typedObjective(text);
          const names = record.parameters.map((one) => one.name);
          return { names, values: given.pairs.map((pair) =>
            incentives(...pair, ...names.map((name) => values[name]))) };
        });
        console.log(JSON.stringify(told));
        """,
        {"formulas": list(FORMULAS.items()), "pairs": PAIRS},
    )


@needs_node
@pytest.mark.parametrize("text", FORMULAS)
def test_a_typed_loss_has_the_values_of_python(text, read):
    told, values = read[list(FORMULAS).index(text)], FORMULAS[text]
    objective = objective_of(text, **values)
    assert told["names"] == [symbol.name for symbol in objective.defaults]
    for pair, (loss, d_w, d_l) in zip(PAIRS, told["values"], strict=True):
        expected = [float(objective.kernel(what)(*pair)) for what in ("loss", "d_w", "d_l")]
        assert [loss, d_w, d_l] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def place_and_rule(message):
    column = re.search(r" at column (\d+) of ", message)
    return column and int(column[1]), message.partition(": got")[0]


@pytest.fixture(scope="module")
def refusals():
    program = """
    console.log(JSON.stringify(given.map((text) => {
      try {
        typedObjective(text);
        return "taken";
      } catch (error) {
        if (!(error instanceof FormulaFault)) throw error;
        return error.message;
      }
    })));
    """
    return asked(program, REFUSED)


@needs_node
@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text[:24]))
def test_what_python_refuses_the_page_refuses_at_the_same_place(text, refusals):
    with pytest.raises(ValueError, match=" ") as caught:
        typed_objective(text, {"beta": 1.0} if "beta" in text else {})
    place, rule = place_and_rule(str(caught.value))
    mine, said = place_and_rule(refusals[REFUSED.index(text)])
    assert said == rule
    assert mine == place or not isinstance(caught.value, FormulaError)


@needs_node
def test_losses_of_the_catalogue_are_what_they_are_when_they_are_typed():
    alike = [one for one in OBJECTIVES if re.fullmatch(r"[a-z0-9_ .+*/()-]+", str(one.loss))]
    assert len(alike) > 10
    told = asked(
        """
        console.log(JSON.stringify(given.map(([text, values, pair]) => {
          const { record, incentives } = typedObjective(text);
          return incentives(...pair, ...record.parameters.map(({ name }) => values[name]));
        })));
        """,
        [(str(one.loss), {s.name: v for s, v in one.defaults.items()}, PAIRS[0]) for one in alike],
    )
    for objective, values in zip(alike, told, strict=True):
        expected = [float(objective.kernel(what)(*PAIRS[0])) for what in ("loss", "d_w", "d_l")]
        assert values == pytest.approx(expected, rel=1e-9, abs=1e-12), objective.name


def test_nothing_typed_is_run():
    scripts = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.js"))
    assert not re.search(
        r"\beval\b|\bFunction\(|setTimeout\(\s*[\"'`]|innerHTML|document\.write", scripts
    )
