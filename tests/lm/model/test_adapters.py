"""Adapters that were saved without their model: put on it again, or refused."""

import shutil

import pytest
import torch

from disband.lm.model.gpt2 import encode, logp
from disband.lm.model.load import load_model, with_lora
from tests.lm.model.test_load import ANSWERS, PROMPTS, saved
from tests.lm.tiny import model_of, tokenizer_of

# transformers' own calls of names that it has deprecated itself
pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


def adapter_on(folder, tokenizer, config):
    """Folders of a saved model and of an adapter on it, and the adapted model."""
    peft = pytest.importorskip("peft")
    base, own = folder / "base", folder / "adapter"
    adapted = peft.get_peft_model(model_of(tokenizer), config(peft))
    adapted.get_base_model().config._name_or_path = str(saved(base, model_of(tokenizer), tokenizer))
    adapted.peft_config["default"].base_model_name_or_path = str(base)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    return base, saved(own, adapted, tokenizer), adapted.eval()


def low_rank(peft):
    return peft.LoraConfig(
        r=2, target_modules=["c_attn"], fan_in_fan_out=True, task_type="CAUSAL_LM"
    )


def test_an_adapter_is_loaded_on_its_model_and_stays_on_below_another(tokenizer, tmp_path):
    base, own, adapted = adapter_on(tmp_path, tokenizer, low_rank)
    model, its_tokenizer, origin = load_model(own, device="cpu")
    batch = encode(its_tokenizer, PROMPTS, ANSWERS)
    torch.testing.assert_close(logp(model, batch), logp(adapted, batch))
    plain = load_model(base, device="cpu")
    assert (logp(plain.model, batch) - logp(model, batch)).abs().min() > 1e-3
    assert origin["adapter"] == f"merged into {base}"
    assert origin["base sha256"] == plain.provenance["sha256"]
    assert origin["trainable"] == origin["parameters"]
    torch.testing.assert_close(logp(with_lora(model, rank=2), batch), logp(adapted, batch))


def test_an_adapter_that_cannot_be_merged_or_whose_model_is_gone_is_refused(tokenizer, tmp_path):
    def virtual(peft):
        return peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)

    _, own, _ = adapter_on(tmp_path, tokenizer, virtual)
    with pytest.raises(ValueError, match="virtual tokens cannot be merged"):
        load_model(own)
    base, own, _ = adapter_on(tmp_path / "gone", tokenizer, low_rank)
    shutil.rmtree(base)
    with pytest.raises(ValueError, match=f"could be loaded on {base}"):
        load_model(own)
