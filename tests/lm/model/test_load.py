"""Loading any causal language model, and refusing what is none."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from disband.lm.model import gguf as dequantized
from disband.lm.model.gguf import cache_folder, converted, first_line, packaged
from disband.lm.model.gpt2 import encode, logp
from disband.lm.model.load import load_model, require_causal, torch_device, with_lora
from disband.lm.scores.grams import pair_gram
from tests.lm.tiny import model_of, tokenizer_of

PROMPTS = ("what a day", "the train was late")
ANSWERS = ("Positive sentiment.", "Negative")
SIZES = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
}


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


def saved(folder, model, tokenizer):
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def architecture(name, tokenizer):
    import transformers

    config = getattr(transformers, f"{name}Config")
    own = {"Roberta": {"is_decoder": True}, "OPT": {"word_embed_proj_dim": 16}}.get(name, {})
    # The usual start is so flat that a fault would hide in it.
    more = {"initializer_range": 0.5, "vocab_size": len(tokenizer), "pad_token_id": 0}
    torch.manual_seed(0)
    return getattr(transformers, f"{name}ForCausalLM")(config(**SIZES, **own, **more)).eval()


def test_a_saved_model_is_loaded_with_its_tokenizer(tokenizer, tmp_path):
    model = model_of(tokenizer)
    loaded, its_tokenizer, origin = load_model(saved(tmp_path, model, tokenizer), device="cpu")
    batch, again = (encode(t, PROMPTS, ANSWERS) for t in (tokenizer, its_tokenizer))
    assert torch.equal(batch.ids, again.ids)
    assert not loaded.training
    torch.testing.assert_close(logp(loaded, again), logp(model.eval(), batch))
    assert origin["kind"] == "folder"
    assert origin["parameters"] == sum(p.numel() for p in model.parameters())
    assert (origin["dtype"], origin["positions"]) == ("float32", 64)


def test_the_provenance_notices_other_weights(tokenizer, tmp_path):
    hashes = [
        load_model(saved(tmp_path / name, model_of(tokenizer, seed), tokenizer)).provenance[
            "sha256"
        ]
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_a_precision_can_be_chosen(tokenizer, tmp_path, dtype):
    loaded = load_model(saved(tmp_path, model_of(tokenizer), tokenizer), dtype=dtype)
    assert next(loaded.model.parameters()).dtype == getattr(torch, dtype)
    assert loaded.provenance["dtype"] == dtype


@pytest.mark.parametrize("name", ["Llama", "GPTNeoX", "OPT"])
def test_other_causal_models_are_measured_too(tokenizer, tmp_path, name):
    model, its_tokenizer, origin = load_model(
        saved(tmp_path, architecture(name, tokenizer), tokenizer), dtype="float64"
    )
    assert origin["architecture"] == f"{name}ForCausalLM"
    batch = encode(its_tokenizer, PROMPTS, ANSWERS)
    alone = torch.cat([logp(model, batch.row(i)) for i in range(2)])
    torch.testing.assert_close(logp(model, batch), alone, rtol=1e-5, atol=1e-6)


def test_a_model_that_sees_later_tokens_is_refused(tokenizer):
    from transformers import BertConfig, BertLMHeadModel

    torch.manual_seed(0)
    config = BertConfig(**SIZES, vocab_size=len(tokenizer), initializer_range=0.5, is_decoder=False)
    with pytest.raises(ValueError, match=r"depend on neither later tokens nor padding.*BertLMHead"):
        require_causal(BertLMHeadModel(config).eval(), tokenizer)


class Spoiled(torch.nn.Module):
    """A model whose padding does what it should not."""

    def __init__(self, model, how):
        super().__init__()
        self.model, self.how = model, how
        self.get_input_embeddings = model.get_input_embeddings

    def forward(self, input_ids, attention_mask):
        if self.how == "no mask":
            return self.model(input_ids=input_ids)
        out = self.model(input_ids=input_ids, attention_mask=attention_mask)
        out.logits[attention_mask == 0] = torch.nan
        return out


@pytest.mark.parametrize(
    ("how", "complaint"),
    [("no mask", "nor padding, but those of Spoiled"), ("no numbers", "those of padding too")],
)
def test_a_model_that_minds_padding_is_refused(tokenizer, how, complaint):
    model = model_of(tokenizer).eval()
    require_causal(model, tokenizer)
    with pytest.raises(ValueError, match=complaint):
        require_causal(Spoiled(model, how), tokenizer)


def test_broken_weights_and_foreign_tokenizers_are_refused(tokenizer):
    model = model_of(tokenizer)
    model.transformer.ln_f.weight.data[0] = torch.nan
    with pytest.raises(ValueError, match="logits are finite"):
        require_causal(model, tokenizer)
    with pytest.raises(ValueError, match=r"has 300, its tokenizer \d+ tokens"):
        require_causal(model_of(range(300)), tokenizer)
    with pytest.raises(ValueError, match="takes attention_mask and input_ids"):
        require_causal(torch.nn.Linear(2, 2), tokenizer)


def test_an_encoder_decoder_is_refused(tokenizer, tmp_path):
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(vocab_size=420, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    with pytest.raises(ValueError, match=r"no causal language model.*T5Config") as caught:
        load_model(saved(tmp_path, T5ForConditionalGeneration(config), tokenizer))
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("missing", ["everything", "the tokenizer", "the weights"])
def test_an_incomplete_folder_is_refused(tokenizer, tmp_path, missing):
    if missing != "everything":
        model_of(tokenizer).save_pretrained(tmp_path)
    if missing == "the weights":
        tokenizer.save_pretrained(tmp_path)
        (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"no causal language model|none is there; save it"):
        load_model(tmp_path)


@pytest.mark.parametrize("source", ["./absent", "~/absent", "a/b/c"])
def test_a_missing_path_is_not_looked_for_on_the_hub(source):
    with pytest.raises(ValueError, match=f"got {source}, which is none of them"):
        load_model(source)


def test_a_hub_out_of_reach_is_said_at_once(monkeypatch):
    monkeypatch.setattr("disband.lm.model.hub.out_of_reach", lambda: True)
    with pytest.raises(ValueError, match=r"out of reach; give a folder.*make smollm2"):
        load_model("someone/no-such-model")


def test_unknown_devices_and_precisions_are_refused():
    for name in ("quantum", "meta:x", "cuda:99"):
        with pytest.raises(ValueError, match=f"got '{name}'; choose cpu"):
            torch_device(name)
    with pytest.raises(ValueError, match="float16: got 'int8'"):
        load_model("x", dtype="int8", device="cpu")
    assert torch_device("auto").type in {"cpu", "cuda"}


def test_a_tokenizer_without_padding_is_given_one(tokenizer, tmp_path):
    saved(tmp_path, model_of(tokenizer), tokenizer)
    bare = tokenizer_of()
    bare.pad_token = None
    bare.save_pretrained(tmp_path)
    assert load_model(tmp_path).tokenizer.pad_token_id is not None


def test_adapters_change_no_answer_and_are_all_that_is_measured(tokenizer):
    model = model_of(tokenizer).eval()
    batches = [encode(tokenizer, PROMPTS, answers) for answers in (ANSWERS, ANSWERS[::-1])]
    before = logp(model, batches[0])
    adapted = with_lora(model, rank=2, alpha=4)
    torch.testing.assert_close(logp(adapted, batches[0]), before)
    trainable = {name for name, p in adapted.named_parameters() if p.requires_grad}
    assert trainable
    assert all("lora_" in name for name in trainable)
    again = with_lora(model_of(tokenizer).eval(), rank=2, alpha=4).state_dict()
    assert all(torch.equal(v, again[k]) for k, v in adapted.state_dict().items())
    other = with_lora(model_of(tokenizer).eval(), rank=2, alpha=4, seed=1).state_dict()
    assert not all(torch.equal(v, other[k]) for k, v in again.items())
    assert (pair_gram(adapted, *batches).sq_w > 0).all()


@pytest.mark.parametrize("targets", ["all-linear", ["c_fc", "c_proj"]])
def test_adapters_go_where_they_are_asked_to(tokenizer, targets):
    adapted = with_lora(model_of(tokenizer), targets=targets)
    names = {
        name.split(".lora_")[0].rsplit(".", 1)[-1]
        for name in adapted.state_dict()
        if "lora_" in name
    }
    assert names == ({"c_attn", "c_fc", "c_proj"} if targets == "all-linear" else set(targets))


def test_adapters_that_cannot_be_are_refused(tokenizer, monkeypatch):
    with pytest.raises(ValueError, match=r"layers that GPT2LMHeadModel has.*all-linear"):
        with_lora(model_of(tokenizer), targets=["q_proj"])
    with pytest.raises(ValueError, match="1 or more: got 0"):
        with_lora(model_of(tokenizer), rank=0)
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(ImportError, match="adapters need peft"):
        with_lora(model_of(tokenizer))


def test_the_offline_model_is_named_with_its_command_where_it_is_missing(monkeypatch):
    monkeypatch.setattr(dequantized, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match="make smollm2"):
        load_model("smollm2")


def test_a_gguf_file_is_converted_once(tokenizer, tmp_path, monkeypatch):
    calls = []

    def read(path):
        calls.append(path)
        return tokenizer, model_of(tokenizer)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(dequantized, "_read", read)
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"one")
    for _ in range(2):
        loaded = load_model(path)
    assert calls == [path]
    assert loaded.provenance["kind"] == "gguf"
    path.write_bytes(b"two")
    load_model(str(path))
    assert calls == [path, path]
    assert len(list(cache_folder().iterdir())) == 2


def test_a_damaged_conversion_is_done_again(tokenizer, tmp_path, monkeypatch):
    calls = []

    def read(path):
        calls.append(path)
        return tokenizer, model_of(tokenizer)

    monkeypatch.setattr(dequantized, "_read", read)
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"one")
    folder = Path(converted(path, tmp_path / "cache")[0])
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    assert len(files) > 3
    for file in files:
        whole = file.read_bytes()
        for other in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-1], b""):
            file.write_bytes(other)
            calls.clear()
            assert converted(path, tmp_path / "cache")[0] == str(folder)
            assert calls == [path], file.name
            assert file.read_bytes() == whole
    calls.clear()
    converted(path, tmp_path / "cache")
    assert calls == []


def test_a_gguf_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "bad.gguf"
    with pytest.raises(ValueError, match="no such file"):
        load_model(path)
    path.write_bytes(b"GGUF nonsense")
    with pytest.raises(ValueError, match=r"bad\.gguf: this GGUF file holds no model"):
        converted(path, tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*"))


def test_an_error_is_told_in_one_line():
    assert first_line(ValueError("one\ntwo")) == "one"
    assert first_line(KeyError()) == "KeyError"
    assert len(first_line(ValueError("x" * 999))) < 250


@pytest.mark.slow
def test_the_packaged_model_speaks_learns_and_is_kept(tmp_path, monkeypatch):
    try:
        packaged()
    except ImportError as error:
        pytest.skip(str(error))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model, tokenizer, origin = load_model("smollm2", device="cpu")
    assert origin["parameters"] == 134_515_008
    assert origin["licence"] == "Apache-2.0"
    question = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    answer = model.generate(**question, max_new_tokens=12, do_sample=False)
    assert "Paris" in tokenizer.decode(answer[0])
    batch = encode(tokenizer, PROMPTS, ANSWERS)
    before = logp(model, batch).sum()
    value = before.item()
    (-before).backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.sub_(1e-4 * parameter.grad)
        assert logp(model, batch).sum() > before
    (folder,) = cache_folder().iterdir()
    monkeypatch.setattr(dequantized, "_convert", None)
    again = load_model("smollm2", device="cpu").model
    assert logp(again, batch).sum().item() == pytest.approx(value, abs=1e-3)
    shutil.rmtree(folder)


def test_a_model_that_brings_code_of_its_own_is_refused_and_none_is_run(tokenizer, tmp_path):
    saved(tmp_path, model_of(tokenizer), tokenizer)
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoModelForCausalLM": "own.Model"}}
    config["auto_map"]["AutoConfig"] = "own.Config"
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text("raise SystemExit('this was run')")
    with pytest.raises(ValueError, match="brings code of its own, which is not run"):
        load_model(tmp_path)


def change(folder, weights):
    """Rewrite the weights of a saved model."""
    path = folder / "model.safetensors"
    save_file(weights(load_file(path)), path, {"format": "pt"})


LACKING = {
    "missing": lambda w: {n: v for n, v in w.items() if "h.1.mlp.c_fc" not in n},
    "another shape": lambda w: w | {"transformer.h.1.mlp.c_fc.bias": torch.zeros(3)},
}


@pytest.mark.parametrize("weights", LACKING.values(), ids=LACKING)
def test_a_model_that_lacks_weights_is_refused(weights, tokenizer, tmp_path, capfd):
    change(saved(tmp_path, model_of(tokenizer), tokenizer), weights)
    capfd.readouterr()
    with pytest.raises(ValueError, match=r"loaded whole, .* such as transformer\.h\.1\.mlp\.c_fc"):
        load_model(tmp_path)
    assert not "".join(capfd.readouterr()).strip()


def test_weights_that_a_model_has_no_place_for_are_named(tokenizer, tmp_path):
    change(saved(tmp_path, model_of(tokenizer), tokenizer), lambda w: w | {"h.9": torch.zeros(1)})
    assert load_model(tmp_path).provenance["unused weights"] == ["h.9"]


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_weights_that_are_none_are_refused_in_one_line(file, tokenizer, tmp_path):
    saved(tmp_path, model_of(tokenizer), tokenizer)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / file).write_bytes(b"no weights" * 1000)
    with pytest.raises(ValueError, match="could be loaded") as raised:
        load_model(tmp_path)
    assert len(str(raised.value)) < len(str(tmp_path)) + 400
    assert "\n" not in str(raised.value)


def test_a_model_whose_places_begin_elsewhere_is_refused(tokenizer):
    with pytest.raises(ValueError, match="counted from 0, but that changes the logits of Roberta"):
        require_causal(architecture("Roberta", tokenizer), tokenizer)
