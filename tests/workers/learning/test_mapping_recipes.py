"""Mapping networks, radar series and video: taught in miniature, judged on groups that were held out, kept."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime, timedelta

import numpy as np
import pytest
import torch
from affine import Affine
from safetensors.torch import save_file

from workers.imagery.bands import CANONICAL
from workers.imagery.grid import Grid
from workers.imagery.rasters import MissingBands, Stack
from workers.imagery.splits import leave_last_years_out, leave_one_region_out
from workers.learning import catalog, mapping_recipes, recipes, weights
from workers.learning.samples import SegmentSample, TruthWindows
from workers.learning.series_recipes import BANDS, SeriesSample, baselines
from workers.learning.training import History
from workers.segmentation.segment import segment_stack

GRID = Grid("EPSG:32626", Affine(30, 0, 500_000, 0, -30, 5_100_000), 64, 64)
ICE, ROCK = np.array([0.5, 0.5, 0.45, 0.36, 0.05, 0.04]), np.array([0.1, 0.12, 0.14, 0.17, 0.22, 0.2])


def sample(group: str, *more: str) -> SegmentSample:
    rng = np.random.default_rng(list(group.encode()))
    row, col = np.mgrid[:64, :64]
    ice = (row - 32) ** 2 + (col - rng.integers(20, 44)) ** 2 < 18**2
    pixels = np.where(ice, ICE[:, None, None], ROCK[:, None, None]) + rng.normal(0, 0.05, (6, 64, 64))
    layers = [rng.random((1, 64, 64)) for _ in more]
    return SegmentSample(Stack(np.concatenate([pixels, *layers]), (*CANONICAL, *more), GRID, datetime(2000, 8, 1)), ice,
                         group)


def short(name: str) -> recipes.TrainSettings:
    return replace(recipes.defaults(name, "small"), epochs=1, epoch_steps=1, batch=2)


@pytest.mark.parametrize("name", ["fusion-unet", "setr", "glavitu", "resnet50-unet"])
def test_every_mapper_is_taught_judged_kept_and_says_the_same_again(name, tmp_path):
    some = [sample(group) for group in "abc"]
    trained = recipes.train_segmenter(name, "small", some, short(name), checkpoint=tmp_path / "c")
    card = trained.metrics
    assert card["samples_by_set"] == {"train": 1, "validation": 1, "test": 1}
    assert set(card["reliability"]) == {"before", "after"} and card["temperature"] > 0
    json.dumps(card, allow_nan=False)
    weights.save(tmp_path / "w", trained.learned.network, trained.learned.recipe)
    again = weights.load(tmp_path / "w")
    here, there = segment_stack(some[0].stack, trained.learned), segment_stack(some[0].stack, again)
    assert np.array_equal(here, there, equal_nan=True)
    with pytest.raises(MissingBands, match="swir1"):
        segment_stack(some[0].stack.select(("blue", "green", "red", "nir", "swir2")), again)


@pytest.mark.parametrize(("more", "sources", "names"), [
    ((), (6,), CANONICAL),
    (("elevation",), (6, 2), (*CANONICAL, "elevation", "slope")),
    (("elevation", "co_pol", "coherence"), (6, 2, 2), (*CANONICAL, "elevation", "slope", "co_pol_db", "coherence")),
    (("thermal",), (6,), CANONICAL),
])
def test_the_fusion_network_gets_a_stem_for_each_source_that_all_samples_offer(more, sources, names):
    _, config = catalog.preset("fusion-unet", "small")
    found, made = mapping_recipes.inputs_of("fusion-unet", config, [sample("a", *more), sample("b", *more)])
    assert (found, made.sources) == (names, sources)
    groups = mapping_recipes._groups(mapping_recipes.catalog.ARCHITECTURES["fusion-unet"].build(made))
    assert [len(group) for group in groups] == list(sources)
    assert [k for group in groups for k in group] == list(range(sum(sources)))


def test_thermal_joins_when_it_is_asked_for():
    _, config = catalog.preset("fusion-unet", "small")
    found, made = mapping_recipes.inputs_of("fusion-unet", config, [sample("a", "thermal")], (*CANONICAL, "thermal"))
    assert found[-1] == "thermal" and made.sources == (6, 1)


def test_limits_of_normalisation_come_from_the_training_samples():
    one, other = sample("a"), sample("b")
    other.stack.pixels[0] = 5
    found = mapping_recipes.normalisation_of("fusion-unet", CANONICAL, [one])
    assert found["high"][0] == pytest.approx(one.stack.pixels[0].max()) and found["kind"] == "dataset_minmax"


def test_limits_between_percentiles_are_not_stretched_by_a_cloud():
    one, other = sample("a"), sample("b")
    one.stack.pixels[:, :2, :4] = 3
    found = mapping_recipes.normalisation_of("fusion-unet", CANONICAL, [one, other], (1, 99))
    both = np.concatenate([s.stack.pixels[2].ravel() for s in (one, other)])
    assert [found[end][2] for end in ("low", "high")] == pytest.approx(list(np.percentile(both, [1, 99])), rel=1e-6)
    assert found["high"][2] < 1


def test_a_paper_preset_keeps_the_published_loss_augmentation_and_limits_and_a_small_one_says_what_it_uses():
    for name in ("fusion-unet", "resunet", "setr", "glavitu"):
        assert mapping_recipes.teaching_of(name, "paper") == mapping_recipes.Teaching("focal", "strong", (0, 100))
    assert mapping_recipes.teaching_of("resnet50-unet", "paper").loss == "cross-entropy"
    trained = recipes.train_segmenter("fusion-unet", "small", [sample(g) for g in "abc"], short("fusion-unet"))
    said = trained.learned.recipe.trained
    assert said["teaching"] == asdict(mapping_recipes.teaching_of("fusion-unet", "small"))
    assert said["settings"]["lr"] == 3e-3 and said["settings"]["warmup_steps"] == 20


def test_the_published_settings_are_those_of_the_papers():
    fusion, resnet = recipes.defaults("glavitu", "paper"), recipes.defaults("resnet50-unet", "paper")
    assert (fusion.epochs, fusion.lr, fusion.batch, fusion.schedule) == (150, 5e-4, 8, "warm-restarts")
    assert (resnet.lr, resnet.batch, resnet.weight_decay) == (1e-3, 32, 1e-5)
    published = {name: recipes.defaults(name, "paper") for name in ("lstm", "unet", "sa-lstm-h", "conv-lstm")}
    assert {n: (s.lr, s.weight_decay, s.epochs, s.batch, s.clip_value) for n, s in published.items()} == {
        "lstm": (1e-4, 1e-3, 40, 100, 3.0), "unet": (1e-3, 1e-2, 20, 100, 3.0),
        "sa-lstm-h": (1e-4, 1e-3, 40, 100, 3.0), "conv-lstm": (1e-4, 1e-3, 35, 100, 3.0)}
    assert fusion.warmup_steps == resnet.warmup_steps == 0
    assert all(s.validate_every == 100 and s.patience == 5 for s in published.values())


def test_a_small_fusion_network_overfits_one_window():
    torch.manual_seed(0)
    row, config = catalog.preset("fusion-unet", "small")
    network = row.build(replace(config, sources=(6,), width=8, steps=2, dropout=0.0))
    one = sample("a")
    windows = TruthWindows([one.stack.pixels], [one.truth], 64)
    settings = recipes.TrainSettings(epochs=25, batch=1, lr=3e-3, optimiser="adam", clip_value=None, patience=None)
    network, _ = mapping_recipes.fit(network, windows, None, mapping_recipes.loss_of("focal"), settings,
                                     validate=lambda n: 1 - mapping_recipes.iou(n, windows, 1))
    assert mapping_recipes.iou(network, windows, 1) > 0.9


@pytest.fixture(scope="module")
def first():
    """A small fusion network, barely taught."""
    return recipes.train_segmenter("fusion-unet", "small", [sample(g) for g in "abc"], short("fusion-unet")).learned


def test_fine_tuning_starts_from_the_weights_it_is_given_and_leaves_them_as_they_are(first):
    before = {name: t.clone() for name, t in first.network.state_dict().items()}
    still = replace(short("fusion-unet"), lr=1e-12)
    after = recipes.train_segmenter("fusion-unet", "small", [sample(g) for g in "def"], still, start=first).learned
    for name, tensor in after.network.named_parameters():
        assert torch.allclose(before[name], tensor, atol=1e-9)
    assert after.recipe.normalisation == first.recipe.normalisation
    assert all(torch.equal(before[name], t) for name, t in first.network.state_dict().items())


def test_fine_tuning_says_what_it_changed_in_its_region_and_what_it_undid_in_others(first):
    here, there = [sample(group) for group in "def"], [sample(group) for group in "gh"]
    tuned = recipes.train_segmenter("fusion-unet", "small", here, short("fusion-unet"), start=first,
                                    others={"HMA": there, "NZ": []})
    card = tuned.metrics["fine_tuning"]
    assert set(card) == {"this region", "HMA"}
    for when, learned in (("before", first), ("after", tuned.learned)):
        said = [segment_stack(one.stack, learned) >= 0.5 for one in there]
        both = sum(int((a & one.truth).sum()) for a, one in zip(said, there, strict=True))
        either = sum(int((a | one.truth).sum()) for a, one in zip(said, there, strict=True))
        assert card["HMA"][when]["iou"] == pytest.approx(both / either)
    assert tuned.learned.recipe.trained["metrics"]["fine_tuning"] == card
    assert card["this region"]["after"]["iou"] == pytest.approx(tuned.metrics["pooled"]["iou"])


def test_fine_tuning_goes_on_with_the_same_network_only(first):
    with pytest.raises(ValueError, match="start from is fusion-unet small, asked for is glavitu small"):
        recipes.train_segmenter("glavitu", "small", [sample(g) for g in "abc"], short("glavitu"), start=first)


def test_fine_tuning_has_a_tenth_of_the_first_rate_and_no_restarts():
    fine = recipes.with_settings("glavitu", "paper", fine=True)
    assert (fine.lr, fine.epochs, fine.schedule, fine.batch) == (5e-5, 80, "cosine", 8)
    small = recipes.with_settings("fusion-unet", "small", fine=True, epochs=3)
    assert small.lr == pytest.approx(3e-4) and (small.epochs, small.warmup_steps) == (3, 0)
    assert recipes.with_settings("resnet50-unet", "paper", fine=True).lr == 1e-5


def test_a_published_encoder_starts_the_resnet_and_its_rate_is_the_published_one(tmp_path):
    row, config = catalog.preset("resnet50-unet", "small")
    torch.manual_seed(5)
    donor = row.build(config).encoder.state_dict()
    save_file(donor, tmp_path / "resnet.safetensors")
    some = [sample(group) for group in "abc"]
    still = replace(short("resnet50-unet"), lr=1e-12)
    taught = recipes.train_segmenter("resnet50-unet", "small", some, still, encoder=tmp_path / "resnet.safetensors")
    own = taught.learned.network.encoder.state_dict()
    kernels = [name for name, t in donor.items() if t.ndim == 4]
    assert all(torch.allclose(own[name], donor[name], atol=1e-6) for name in kernels if name != "conv1.weight")
    assert own["conv1.weight"].shape[1] == len(taught.learned.recipe.bands)
    assert recipes._mapping_settings("resnet50-unet", "paper", None, tmp_path).lr == 1e-5
    (tmp_path / "no.safetensors").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"no\.safetensors.*safetensors"):
        recipes.train_segmenter("resnet50-unet", "small", some, still, encoder=tmp_path / "no.safetensors")
    with pytest.raises(ValueError, match="only the ResNet-50"):
        recipes.train_segmenter("fusion-unet", "small", some, still, encoder=tmp_path / "resnet.safetensors")


def test_the_resnet_keeps_the_weights_of_the_lowest_validation_loss_and_the_others_those_of_the_best_iou(monkeypatch):
    asked = {}

    def watched(network, training, validation, loss, settings, *args, validate=None, **kwargs):
        asked[type(network).__name__] = (validation is not None, validate is not None)
        return network.eval(), History()

    monkeypatch.setattr(mapping_recipes, "fit", watched)
    for name in ("resnet50-unet", "fusion-unet"):
        recipes.train_segmenter(name, "small", [sample(g) for g in "abc"], short(name))
    assert asked == {"ResNetUNet": (True, False), "FusionUNet": (False, True)}


def test_a_whole_region_or_the_last_years_can_be_left_out():
    some = [sample(f"{region} {year}") for region in ("ALP", "HMA") for year in (2001, 2002, 2003)]
    regions, years = [s.group[:3] for s in some], [int(s.group[-4:]) for s in some]
    for region, _, test in leave_one_region_out(regions):
        sets = mapping_recipes.divided(some, 0, {some[k].group for k in test})
        assert {s.group[:3] for s in sets["test"]} == {region}
        assert not {s.group[:3] for s in sets["train"] + sets["validation"]} & {region}
        assert len(sets["train"]) == 2 and len(sets["validation"]) == 1
    last = {some[k].group for k in leave_last_years_out(years, 1)[1]}
    trained = recipes.train_segmenter("fusion-unet", "small", some, short("fusion-unet"), test_groups=last)
    assert trained.metrics["test_groups"] == ["ALP 2003", "HMA 2003"]
    for wrong in (set(), {"NZ 1999"}, {s.group for s in some}):
        with pytest.raises(ValueError, match="some must be tested on and some must teach"):
            mapping_recipes.divided(some, 0, wrong)


def season(group: str) -> SeriesSample:
    rng = np.random.default_rng(list(group.encode()))
    row, col = np.mgrid[:64, :64]
    ice = (row - 32) ** 2 + (col - 30) ** 2 < 20**2
    stacks = []
    for number in range(15):
        power = 10 ** (np.where(ice, -12, -8) / 10) * rng.gamma(4.4, 1 / 4.4, ice.shape)
        coherence = np.clip(np.where(ice, 0.2, 0.7) + rng.normal(0, 0.1, ice.shape), 0, 1)
        when = datetime(2016, 1, 5) + timedelta(days=24 * number)
        stacks.append(Stack(np.stack([power, coherence]), ("co_pol", "coherence"), GRID, when))
    return SeriesSample(stacks, ice, group, 78.0, 2016)


@pytest.mark.parametrize(("name", "acquisitions"), [("sar-3d", 1), ("sar-3d", 3), ("sar-3d", 15), ("sar-convlstm", 5)])
def test_a_season_of_radar_scenes_teaches_a_map(name, acquisitions, tmp_path):
    trained = recipes.train_series(name, "small", [season(g) for g in "ab"], short(name), acquisitions=acquisitions)
    assert trained.learned.recipe.config["acquisitions"] == acquisitions
    weights.save(tmp_path / "w", trained.learned.network, trained.learned.recipe)
    assert weights.trial(weights.load(tmp_path / "w"))["shape"] == [1, 2, 64, 64]


def with_bands(sample: SeriesSample, *names: str) -> SeriesSample:
    """The same season, its second band under another name, or without it."""
    stacks = [Stack(stack.pixels[: len(names)], names, stack.grid, stack.acquired) for stack in sample.stacks]
    return replace(sample, stacks=stacks)


def test_without_coherence_both_polarisations_are_read_and_the_recipe_says_so():
    samples = [with_bands(season(g), "co_pol", "cross_pol") for g in "ab"]
    trained = recipes.train_series("sar-3d", "small", samples, short("sar-3d"), acquisitions=1)
    assert trained.learned.recipe.bands == ("co_pol_db", "cross_pol_db")
    assert trained.learned.recipe.normalisation["low"] == [-30.0, -30.0]


def test_a_season_with_one_polarisation_and_no_coherence_is_refused_by_date_and_name():
    poor = with_bands(season("b"), "co_pol")
    with pytest.raises(MissingBands, match=r"that of 2016-01-05 has co_pol\. Deliver"):
        recipes.train_series("sar-3d", "small", [season("a"), poor], short("sar-3d"), acquisitions=1)


def test_radar_baselines_are_the_best_single_cut_and_the_mask_copied_from_the_nearest_year():
    sets = {"train": [replace(season("a"), year=2014), replace(season("b"), year=2018)]}
    later = np.roll(sets["train"][1].truth, 3, axis=0)
    sets["train"][1] = replace(sets["train"][1], truth=later)
    found = baselines({**sets, "test": [replace(season("c"), year=2017)]}, BANDS, 3)
    truth = season("c").truth
    copied = found["mask of the nearest training year"]
    assert copied["iou"] == pytest.approx((later & truth).sum() / (later | truth).sum())
    stack = np.stack([one.band("coherence") for one in season("c").stacks])
    assert found["one cut of mean coherence"]["iou"] > 0.9
    assert np.corrcoef(stack.mean(0).ravel(), truth.ravel())[0, 1] < 0, "ice is where coherence is low: a cut finds it"


def test_video_generation_is_taught_on_chips_and_refuses_others(tmp_path):
    chips = np.random.default_rng(0).random((3, 12, 128, 128), dtype=np.float32)
    trained = recipes.train_video("small", chips, replace(recipes.defaults("svg-lp", "small"), epochs=1, epoch_steps=1,
                                                          batch=2))
    assert np.isfinite(trained.metrics["validation_loss"])
    weights.save(tmp_path / "w", trained.learned.network, trained.learned.recipe)
    weights.load(tmp_path / "w")
    with pytest.raises(ValueError, match="128"):
        recipes.train_video("small", chips[..., :64])
    chips[0, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="missing"):
        recipes.train_video("small", chips)
