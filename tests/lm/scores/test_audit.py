"""An audit of score products finds no error, and finds one that is planted."""

from dataclasses import replace

import pytest
import torch

from disband import audit
from disband.lm.scores import audit as auditing
from tests.lm.tiny_models import pairs, tiny


@pytest.mark.parametrize("kind", ["gpt2", "qwen3", "lora", "gemma"])
def test_an_audit_finds_rounding_alone(kind):
    model = tiny(kind)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    errors = audit(model, *pairs())
    assert errors.pairs == 3
    assert max(errors.contributions, errors.gram) < (1e-7 if kind == "gemma" else 1e-12)
    assert errors.step < 1e-3
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name])


def test_an_audit_of_float32_finds_its_rounding():
    errors = audit(tiny("gpt2").float(), *pairs())
    assert max(errors.contributions, errors.gram) < 1e-5
    assert errors.step < 1e-3


def test_a_new_adapter_is_audited_too():
    model = tiny("lora")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.zero_()
    errors = audit(model, *pairs())
    assert max(errors.contributions, errors.gram) < 1e-12
    assert errors.step < 1e-3


@pytest.mark.parametrize(
    ("function", "part"),
    [("contributions", "contributions"), ("batch_gram", "gram"), ("directional", "step")],
)
def test_an_audit_finds_an_error(function, part, monkeypatch):
    plain = getattr(auditing, function)

    def wrong(*args, **named):
        result = plain(*args, **named)
        if function == "contributions":
            name = "transformer.wpe.weight"
            return result | {name: replace(result[name], dot=1.1 * result[name].dot)}
        return 1.1 * result

    monkeypatch.setattr(auditing, function, wrong)
    errors = audit(tiny("gpt2"), *pairs())
    for name in ("contributions", "gram", "step"):
        assert (getattr(errors, name) > 1e-3) == (
            name == part or (function == "contributions" and name == "gram")
        )
