"""Weights that describe themselves: safetensors whose header carries the recipe. Nothing is ever unpickled.

A file is refused by name, before a tensor of it is used, when it is not ours (`ForeignWeights`) or not whole
(`DamagedWeights`).
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from workers.imagery.durable import flush
from workers.learning import catalog
from workers.learning.weight_header import DamagedWeights, ForeignWeights, read_header

__all__ = [
    "DamagedWeights", "ForeignWeights", "Learned", "Recipe", "WrongBands", "config_of", "load", "read_header",
    "read_recipe", "save", "sha256", "trial",
]  # fmt: skip

CODE_VERSION = "0.1.0"
"""Version of the science half that writes the recipe; goes up when a network or its input changes meaning."""

FORMAT = "glacierweb-weights-1"


class WrongBands(ValueError):
    """The input does not offer the bands that a trained network expects."""

    def __init__(self, expected: Sequence[str], got: Sequence[str]) -> None:
        self.expected, self.got = tuple(expected), tuple(got)
        missing = [name for name in self.expected if name not in self.got]
        super().__init__(
            f"This version expects the bands {', '.join(self.expected)}; got {', '.join(self.got) or 'none'}. "
            f"Missing: {', '.join(missing) or 'none, but the order differs'}. "
            "Choose a version trained without them, or a scene that has them."
        )


@dataclass(frozen=True)
class Recipe:
    """All that is needed to use a trained network, and to say how it was made."""

    architecture: str
    """Name in `catalog.ARCHITECTURES`."""

    preset: str
    """"paper", "small" or another preset of the architecture."""

    config: Mapping[str, Any]
    """The fields of the architecture's Config."""

    bands: tuple[str, ...]
    """Names of the input channels, in the network's order."""

    normalisation: Mapping[str, Any] = field(default_factory=lambda: {"kind": "none"})
    """{"kind": "none"} | {"kind": "image_minmax"} | {"kind": "dataset_minmax", "low": [...], "high": [...]}."""

    task: str = "segment"
    """"segment", "forecast", "sar" or "video"."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """How it is used: residual, months, threshold, patch, stride, temperature ..."""

    trained: Mapping[str, Any] = field(default_factory=dict)
    """settings, manifest (sha256 of the training data's list), seed, metrics."""

    code_version: str = CODE_VERSION

    def __post_init__(self) -> None:
        object.__setattr__(self, "bands", tuple(self.bands))

    def require_bands(self, got: Sequence[str]) -> None:
        """Raise `WrongBands` unless every band is offered (by name, never by position)."""
        if not set(self.bands) <= set(got):
            raise WrongBands(self.bands, got)


@dataclass(frozen=True)
class Learned:
    """A trained network with its recipe; the network is in eval mode."""

    network: Any
    recipe: Recipe
    sha256: str = ""
    """Of the file it was read from; empty for one that was never saved."""


def save(path: Path, network: Any, recipe: Recipe) -> str:
    """Write network and recipe to one file, all or nothing; return its sha256.

    Raises DamagedWeights when a parameter is not finite (a failed training must not become a version).
    """
    path = Path(path)
    tensors = {name: tensor.contiguous() for name, tensor in _tensors_of(network).items()}
    _check_finite(path, tensors)
    metadata = {"format": FORMAT, "recipe": json.dumps(asdict(recipe), allow_nan=True, default=_plain)}
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".weights-", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        save_file(tensors, temporary, metadata=metadata)
        _order_metadata(temporary)
        flush(temporary)
        temporary.chmod(0o644)
        digest = sha256(temporary)
        temporary.replace(path)
        flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return digest


def load(path: Path, expected_sha256: str | None = None) -> Learned:
    """Rebuild what was saved: network, bands, normalisation. Needs no flags, unpickles nothing.

    Raises ForeignWeights or DamagedWeights with what was expected; FileNotFoundError when there is no file.
    """
    path = Path(path)
    header = read_header(path)
    digest = sha256(path)
    if expected_sha256 and digest != expected_sha256:
        raise DamagedWeights(f"{path.name}: sha256 is {digest}, the registry says {expected_sha256}. Copy it again.")
    recipe = read_recipe(path, header)
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise DamagedWeights(f"{path.name}: cannot be read as safetensors ({error}). Copy it again.") from error
    _check_finite(path, tensors)
    return Learned(_rebuild(path, recipe, tensors), recipe, digest)


def sha256(path: Path) -> str:
    """The file's SHA-256 as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_recipe(path: Path, header: Mapping[str, Any]) -> Recipe:
    """The recipe in a checked header; raises ForeignWeights when it is absent or not understood."""
    metadata = header.get("__metadata__") or {}
    if metadata.get("format") != FORMAT or "recipe" not in metadata:
        raise ForeignWeights(f"{path.name}: carries no recipe of format {FORMAT}. Only weights saved here can be used.")
    try:
        recipe = Recipe(**json.loads(metadata["recipe"]))
    except (TypeError, ValueError) as error:
        known = ", ".join(f.name for f in fields(Recipe))
        raise ForeignWeights(f"{path.name}: the recipe is not understood ({error}). Expected {known}.") from error
    if not isinstance(recipe.architecture, str) or recipe.architecture not in catalog.ARCHITECTURES:
        known = ", ".join(sorted(catalog.ARCHITECTURES))
        raise ForeignWeights(f"{path.name}: unknown architecture {recipe.architecture!r}. Known: {known}.")
    return recipe


def trial(learned: Learned) -> dict[str, Any]:
    """Run once on a fixed input (seed 0) and say what came out: {"shape", "mean", "std"}.

    Raises DamagedWeights when the output is not finite: a version that cannot answer is not registered.
    """
    output = catalog.ARCHITECTURES[learned.recipe.architecture].trial(learned.network)
    values = np.asarray(output, dtype=np.float64)
    if not np.isfinite(values).all():
        raise DamagedWeights(f"{learned.recipe.architecture}: the trial inference gave values that are not finite.")
    return {"shape": list(values.shape), "mean": float(values.mean()), "std": float(values.std())}


def config_of(architecture: str, values: Mapping[str, Any]) -> Any:
    """The architecture's Config from JSON values (lists become tuples).

    Raises ForeignWeights on unknown fields, and on values of another kind than the presets have.
    """
    usual = next(iter(catalog.ARCHITECTURES[architecture].presets.values()))
    try:
        config = type(usual)(**{name: _tuples(value) for name, value in values.items()})
    except (TypeError, ValueError, AttributeError) as error:
        known = ", ".join(f.name for f in fields(usual))
        raise ForeignWeights(f"{architecture}: unusable config ({error}). Expected the fields {known}.") from error
    for name, expected in asdict(usual).items():
        if not _alike(getattr(config, name), expected):
            raise ForeignWeights(f"{architecture}: unusable config: {name} is {getattr(config, name)!r}; expected a "
                                 f"value like {expected!r}.")  # fmt: skip
    return config


def _alike(value: Any, usual: Any) -> bool:
    """Whether a JSON value is of the kind of `usual`: flag, whole number from 0, finite number, text, or several."""
    if isinstance(usual, tuple):
        return isinstance(value, tuple) and bool(value) and all(_alike(one, usual[0]) for one in value)
    if isinstance(usual, bool) or isinstance(value, bool):
        return type(value) is type(usual)
    if isinstance(usual, int):
        return isinstance(value, int) and 0 <= value < 2**63
    if isinstance(usual, float):
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, str)


def _tensors_of(network: Any) -> dict[str, torch.Tensor]:
    if hasattr(network, "arrays"):  # a forest: its nodes
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in network.arrays().items()}
    state = network.state_dict()
    # the step counter of batch normalisation is int64 and of no use once momentum is fixed
    return {name: t.detach().cpu().float().clone() for name, t in state.items() if t.is_floating_point()}


def _order_metadata(path: Path) -> None:
    """Write the header's metadata in one order (safetensors draws it anew): the same weights make the same file."""
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(text) > length:
            raise RuntimeError(f"{path.name}: the ordered header has {len(text)} bytes, there is room for {length}")
        file.seek(8)
        file.write(text.ljust(length))


def _rebuild(path: Path, recipe: Recipe, tensors: dict[str, torch.Tensor]) -> Any:
    architecture = catalog.ARCHITECTURES[recipe.architecture]
    config = config_of(recipe.architecture, recipe.config)
    if architecture.fit is not None:
        try:
            return architecture.build(config, **{name: t.numpy() for name, t in tensors.items()})
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise DamagedWeights(f"{path.name}: the nodes do not make a {recipe.architecture} ({error}).") from error
    try:
        with torch.device("meta"):
            expected = {n: t for n, t in architecture.build(config).state_dict().items() if t.is_floating_point()}
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise ForeignWeights(f"{path.name}: no {recipe.architecture} can be built from its config ({error}). "
                             "Only weights saved here can be used.") from error  # fmt: skip
    _check_names_and_shapes(path, expected, tensors)
    network = architecture.build(config)
    network.load_state_dict({name: t.float() for name, t in tensors.items()}, strict=False)
    return network.eval()


def _check_names_and_shapes(path: Path, expected: Mapping[str, Any], got: Mapping[str, Any]) -> None:
    missing, extra = sorted(expected.keys() - got.keys()), sorted(got.keys() - expected.keys())
    if missing or extra:
        raise DamagedWeights(
            f"{path.name}: tensors missing: {missing[:5] or 'none'}; not expected: {extra[:5] or 'none'}."
        )
    for name, tensor in expected.items():
        shape, dtype = tuple(got[name].shape), got[name].dtype
        if tuple(tensor.shape) != shape:
            raise DamagedWeights(f"{path.name}: {name} has shape {shape}, expected {tuple(tensor.shape)}.")
        if not dtype.is_floating_point:
            raise DamagedWeights(f"{path.name}: {name} has dtype {dtype}, expected float32 or float16.")


def _check_finite(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise DamagedWeights(f"{path.name}: {name} holds values that are not finite. Train it again.")


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)
