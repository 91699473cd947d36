"""Every loss that TRL implements, by its own trainers and autograd, is ours."""

import ast
import inspect
import re
import textwrap
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("trl")

import trl

from disband.theory.objectives import ALIASES, find
from disband.theory.symbols import logp_l, logp_w, ref_l
from tests.trl.harness import (
    CONFIGS,
    CPOTrainer,
    DPOTrainer,
    KTOTrainer,
    ORPOTrainer,
    TPOTrainer,
    errors,
    plain,
    take,
)
from tests.trl.relations import CASES, same

# transformers' own calls of names that it has deprecated itself
pytestmark = [
    pytest.mark.filterwarnings("ignore:`(is_)?gradient_checkpointing` is deprecated:FutureWarning"),
]

TOLERANCE = 1e-5  # of float32


@pytest.fixture(autouse=True)
def silent(monkeypatch):
    """Nothing calls out: a trainer would report that it was made."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.mark.parametrize(("kind", "relation", "settings"), CASES)
def test_the_trainers_loss_and_its_pulls_are_ours(kind, relation, settings, tmp_path):
    step = take(kind, tmp_path, **settings)
    found = errors(step, relation(step, settings))
    assert max(found.values()) <= TOLERANCE, found


def names_compared(kind, attribute):
    """The strings that the trainer's code compares its attribute with."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    return {
        side.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and attribute in {getattr(node.left, "id", ""), getattr(node.left, "attr", "")}
        for side in ast.walk(node)
        if isinstance(side, ast.Constant) and isinstance(side.value, str)
    }


def names_covered(kind, setting):
    """The values of the setting in our cases."""
    values = (p.values[2].get(setting, []) for p in CASES if p.values[0] is kind)
    return {name for value in values for name in ([value] if isinstance(value, str) else value)}


@pytest.mark.parametrize(
    ("kind", "setting", "elsewhere"),
    [
        (DPOTrainer, "loss_type", set()),
        (DPOTrainer, "f_divergence_type", set()),
        (KTOTrainer, "loss_type", set()),
        # kto_pair is refused, and alphapo is the configuration's name for a simpo
        (CPOTrainer, "loss_type", {"kto_pair"}),
        (TPOTrainer, "loss_type", set()),
    ],
)
def test_every_loss_that_trl_implements_is_compared(kind, setting, elsewhere):
    covered = names_covered(kind, setting) - {"alphapo"}
    assert names_compared(kind, setting) == covered | elsewhere


def test_every_trainer_of_pairs_is_compared():
    folder = Path(trl.__file__).parent
    found = {
        path.stem for path in folder.rglob("*.py") if re.search(r"\brejected_log", path.read_text())
    }
    compared = {Path(inspect.getfile(kind)).stem for kind in CONFIGS}
    # it generates its pairs itself, and its losses are DPO's and IPO's
    assert found == compared | {"online_dpo_trainer"}


@pytest.mark.parametrize("kind", CONFIGS)
def test_the_trainers_log_probabilities_are_those_of_a_plain_forward_pass(kind, tmp_path):
    step = take(kind, tmp_path)
    models = [(step.trainer.model, step.tokens)]
    if kind in {DPOTrainer, KTOTrainer}:
        models.append((step.trainer.ref_model, step.ref_tokens))
    for model, tokens in models:
        expected = plain(model, step.ids, step.attention) * step.mask
        assert torch.allclose(tokens.double(), expected, rtol=1e-6, atol=1e-6)
        assert tokens.abs().sum() > 100


def test_the_batch_has_margins_of_several_nats_on_both_sides(tmp_path):
    step = take(DPOTrainer, tmp_path)
    ratio_w, ratio_l = step.sums(step.tokens - step.ref_tokens, step.mask)
    for values in (ratio_w - ratio_l, ratio_w, ratio_l):
        assert values.min() < -2
        assert values.max() > 5
    assert len({*step.lengths[0]}) > 5
    assert (step.lengths[0] < step.lengths[1]).any()
    assert (step.lengths[0] > step.lengths[1]).any()
    for size in (0.2, 0.7):
        flat = same("Hinge")(step, {"beta": size}).loss == 0
        assert flat.any()
        assert not flat.all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"beta": 0.2 * 1.001},
        {"loss": find("DPO").loss.subs({logp_w: logp_l, logp_l: logp_w}, simultaneous=True)},
        {"loss": -find("DPO").loss},
        {"loss": find("DPO").loss.subs(ref_l, 0)},
        {"loss": find("DPO").loss + 1},
    ],
    ids=["beta", "swapped", "sign", "reference", "constant"],
)
def test_a_wrong_objective_is_noticed(wrong, tmp_path):
    step = take(DPOTrainer, tmp_path, beta=0.2)
    settings = {"beta": wrong.get("beta", 0.2)}
    mistaken = replace(find("DPO"), loss=wrong.get("loss", find("DPO").loss))
    found = errors(step, same(mistaken)(step, settings))
    assert max(found.values()) > 10 * TOLERANCE


@pytest.mark.parametrize(
    ("name", "kind", "taken"),
    [
        *((ALIASES[loss].name, DPOTrainer, {"beta": "beta"}) for loss in ("hinge", "sigmoid_norm")),
        ("DPO-alpha", DPOTrainer, {"alpha_f": "f_alpha_divergence_coef", "beta": "beta"}),
        ("DiscoPOP", DPOTrainer, {"tau": "discopop_tau", "beta": "beta"}),
        ("CPO-SimPO", CPOTrainer, {"beta": "beta", "gamma": "simpo_gamma", "lam": "cpo_alpha"}),
        ("ORPO", ORPOTrainer, {"lam": "beta"}),
    ],
)
def test_defaults_that_we_call_trls_are_trls(name, kind, taken):
    trls = {field.name: field.default for field in fields(CONFIGS[kind])}
    ours = {symbol.name: value for symbol, value in find(name).defaults.items()}
    assert {own: trls[its] for own, its in taken.items()} == ours
