"""Weights describe themselves, and whatever is foreign or damaged is refused by name."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from workers.learning import catalog, weights
from workers.learning.weights import DamagedWeights, ForeignWeights, Recipe, WrongBands
from workers.segmentation import random_forest


@pytest.fixture
def kept(tmp_path):
    """A small ConvLSTM on disk: (path, network, recipe)."""
    torch.manual_seed(0)
    row, config = catalog.preset("conv-lstm", "small")
    network = row.build(config).eval()
    recipe = Recipe("conv-lstm", "small", asdict(config), ("t-3", "t-2", "t-1", "t"), task="forecast",
                    trained={"seed": 1, "manifest": "ab", "metrics": {"mse": 0.1}})
    path = tmp_path / "version.safetensors"
    weights.save(path, network, recipe)
    return path, network, recipe


def parts(path):
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def rewrite(path, header, payload):
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + payload)


def test_saved_and_loaded_a_network_says_the_same(kept):
    path, network, recipe = kept
    learned = weights.load(path)
    frames = torch.rand(2, 4, 20, 20)
    with torch.no_grad():
        assert torch.equal(network(frames), learned.network(frames))
    said = learned.recipe
    assert (said.architecture, said.bands, said.trained) == (recipe.architecture, recipe.bands, recipe.trained)
    assert learned.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not learned.network.training


def test_the_same_weights_make_the_same_file_byte_for_byte(kept, tmp_path):
    _, network, recipe = kept
    named = replace(recipe, trained={"note": 'Müller "2023"\n\t\\ \u2028 \x7f /', "rate": 1e-7})
    digests = {weights.save(tmp_path / f"copy {k}", network, named) for k in range(12)}
    assert len(digests) == 1
    assert weights.load(tmp_path / "copy 3", digests.pop()).recipe.trained == named.trained


def test_statistics_of_batch_normalisation_are_kept(tmp_path):
    row, config = catalog.preset("unet", "small")
    network = row.build(config)
    network.train()(torch.rand(4, 4, 20, 20))
    weights.save(tmp_path / "w", network, Recipe("unet", "small", asdict(config), ("a",)))
    learned = weights.load(tmp_path / "w")
    frames = torch.rand(1, 4, 20, 20)
    with torch.no_grad():
        assert torch.equal(network.eval()(frames), learned.network(frames))


def test_a_forest_is_kept_as_its_nodes_and_votes_the_same(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.random((400, 3), dtype=np.float32)
    truth = (pixels[:, 0] > 0.5).astype(np.float32)
    config = random_forest.Config(channels=3, trees=5)
    forest = random_forest.fit(pixels, truth, np.zeros(400), config)
    weights.save(tmp_path / "w", forest, Recipe("random-forest", "small", asdict(config), ("a", "b", "c")))
    header, _ = parts(tmp_path / "w")
    assert {entry["dtype"] for name, entry in header.items() if name != "__metadata__"} == {"I32", "F32"}
    learned = weights.load(tmp_path / "w")
    assert np.array_equal(learned.network.predict(pixels), forest.predict(pixels))
    assert weights.trial(learned)["shape"] == [1]


def test_a_forest_whose_children_lead_in_a_circle_is_refused(tmp_path):
    config = random_forest.Config(channels=1, trees=1)
    nodes = {"root": [0], "feature": [0, 0, 0], "left": [1, 0, 0], "threshold": [0.5, 0, 0],
             "leaf_probability": [0, 0.1, 0.9]}
    kinds = {name: torch.float32 if name in ("threshold", "leaf_probability") else torch.int32 for name in nodes}
    tensors = {name: torch.tensor(values, dtype=kinds[name]) for name, values in nodes.items()}
    recipe = Recipe("random-forest", "small", asdict(config), ("a",))
    metadata = {"format": weights.FORMAT, "recipe": json.dumps(asdict(recipe))}
    save_file(tensors, tmp_path / "good", metadata=metadata)
    weights.load(tmp_path / "good")
    tensors["left"][1] = 1
    save_file(tensors, tmp_path / "bad", metadata=metadata)
    with pytest.raises(DamagedWeights, match="children"):
        weights.load(tmp_path / "bad")


def test_the_trial_says_what_came_out(kept):
    assert weights.trial(weights.load(kept[0]))["shape"] == [1, 4, 20, 20]


def test_another_hash_than_the_registered_one_is_refused(kept):
    with pytest.raises(DamagedWeights, match="registry says 00"):
        weights.load(kept[0], expected_sha256="00" * 32)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + bytes(100), b"\x80\x04\x95" + bytes(200)])
def test_what_is_no_safetensors_file_is_foreign(tmp_path, content):
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(ForeignWeights):
        weights.load(tmp_path / "w")


def test_a_header_above_one_megabyte_is_refused_before_it_is_read(tmp_path):
    (tmp_path / "w").write_bytes((2_000_000).to_bytes(8, "little") + b"{" + b" " * 2_000_000)
    with pytest.raises(ForeignWeights, match="1,000,000"):
        weights.load(tmp_path / "w")


def test_safetensors_without_a_recipe_are_foreign(tmp_path):
    save_file({"a": torch.zeros(2)}, tmp_path / "w")
    with pytest.raises(ForeignWeights, match="no recipe"):
        weights.load(tmp_path / "w")


def changed(path, **fields):
    header, payload = parts(path)
    recipe = json.loads(header["__metadata__"]["recipe"])
    recipe.update(fields)
    header["__metadata__"]["recipe"] = json.dumps(recipe)
    rewrite(path, header, payload)


@pytest.mark.parametrize(("fields", "said"), [
    ({"architecture": "os.system"}, "unknown architecture 'os.system'.*random-forest"),
    ({"architecture": ["lstm"]}, "unknown architecture"),
    ({"config": {"width": 3}}, "Expected the fields encoder"),
    ({"config": None}, "Expected the fields encoder"),
    ({"config": {"residual": "yesterday"}}, "residual='yesterday'"),
    ({"config": {"encoder": 64}}, "encoder is 64; expected a value like"),
    ({"config": {"encoder": []}}, "encoder is .*; expected a value like"),
    ({"config": {"patch": -50}}, "patch is -50"),
    ({"config": {"patch": True}}, "patch is True"),
    ({"config": {"encoder": [16, 16, 8], "decoder": [8, 4]}}, "can be built from its config"),
    ({"surprise": 1}, "Expected architecture"),
])
def test_a_recipe_that_names_the_unknown_is_foreign(kept, fields, said):
    changed(kept[0], **fields)
    with pytest.raises(ForeignWeights, match=said):
        weights.load(kept[0])


@pytest.mark.parametrize(("key", "value"), [
    ("dtype", ["F32"]), ("shape", "three"), ("shape", None), ("data_offsets", ["a", "b"]), ("data_offsets", [None, 4]),
])
def test_a_tensor_entry_that_is_no_entry_is_refused_by_its_name(kept, key, value):
    header, payload = parts(kept[0])
    header["head.bias"][key] = value
    rewrite(kept[0], header, payload)
    with pytest.raises((ForeignWeights, DamagedWeights), match=r"head\.bias"):
        weights.load(kept[0])


@pytest.mark.parametrize("metadata", ["text", 5, ["format"]])
def test_metadata_that_are_no_object_are_foreign(kept, metadata):
    header, payload = parts(kept[0])
    rewrite(kept[0], header | {"__metadata__": metadata}, payload)
    with pytest.raises(ForeignWeights, match="JSON object"):
        weights.load(kept[0])


def test_a_file_cut_short_is_damaged(kept):
    kept[0].write_bytes(kept[0].read_bytes()[:-4])
    with pytest.raises(DamagedWeights, match="bytes"):
        weights.load(kept[0])


def test_bytes_behind_the_last_tensor_are_refused(kept):
    kept[0].write_bytes(kept[0].read_bytes() + b"stowaway")
    with pytest.raises(DamagedWeights, match="bytes"):
        weights.load(kept[0])


def test_a_missing_tensor_is_named(kept):
    path, network, recipe = kept
    state = {name: t for name, t in network.state_dict().items() if name != "head.bias"}
    save_file(state, path, metadata={"format": weights.FORMAT, "recipe": json.dumps(asdict(recipe))})
    with pytest.raises(DamagedWeights, match=r"missing: \['head.bias'\]"):
        weights.load(path)


def test_a_shape_of_another_config_is_named_with_both_shapes(kept):
    header, _ = parts(kept[0])
    changed(kept[0], config=json.loads(header["__metadata__"]["recipe"])["config"] | {"encoder": [16, 32, 8]})
    with pytest.raises(DamagedWeights, match=r"has shape .* expected"):
        weights.load(kept[0])


def test_a_dtype_that_is_not_expected_is_refused(kept):
    path, network, recipe = kept
    state = {name: t.double() for name, t in network.state_dict().items()}
    save_file(state, path, metadata={"format": weights.FORMAT, "recipe": json.dumps(asdict(recipe))})
    with pytest.raises(DamagedWeights, match="F64"):
        weights.load(path)


def test_overlapping_tensors_are_refused(kept):
    header, payload = parts(kept[0])
    names = [name for name in header if name != "__metadata__"]
    first = next(n for n in names if header[n]["data_offsets"][0] == 0)
    same = next(n for n in names if n != first and header[n]["shape"] == header[first]["shape"])
    header[same]["data_offsets"] = header[first]["data_offsets"]
    rewrite(kept[0], header, payload)
    with pytest.raises(DamagedWeights, match="contiguous"):
        weights.load(kept[0])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_neither_saved_nor_loaded(kept, value):
    path, network, recipe = kept
    before = path.read_bytes()
    with torch.no_grad():
        network.head.bias[0] = value
    with pytest.raises(DamagedWeights, match=r"head\.bias"):
        weights.save(path, network, recipe)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]
    save_file(network.state_dict(), path, metadata={"format": weights.FORMAT, "recipe": json.dumps(asdict(recipe))})
    with pytest.raises(DamagedWeights, match=r"head\.bias"):
        weights.load(path)


def test_bands_are_asked_for_by_name():
    recipe = replace(Recipe("random-forest", "small", {}, ("green", "swir1")), bands=("green", "swir1"))
    recipe.require_bands(("swir1", "blue", "green"))
    with pytest.raises(WrongBands, match="Missing: swir1") as refused:
        recipe.require_bands(("green", "blue"))
    assert refused.value.expected == ("green", "swir1") and refused.value.got == ("green", "blue")
