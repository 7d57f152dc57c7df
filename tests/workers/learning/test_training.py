"""The one training loop: its clock, its checkpoints, and that an interruption changes nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from workers.learning import checkpoints, devices
from workers.learning.schedules import EarlyStop, teacher_forcing, warm_up
from workers.learning.training import Diverged, Stopped, TrainSettings, fit


class Points:
    """y = 2 x - 1 with noise drawn from the step's generator."""

    def __init__(self, n: int = 24) -> None:
        self.x = torch.linspace(-1, 1, n)[:, None]

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, indices, rng):
        noise = 0 if rng is None else torch.from_numpy(rng.normal(0, 0.1, (len(indices), 1)).astype(np.float32))
        return self.x[indices], 2 * self.x[indices] - 1 + noise


def squared(network, batch, teacher_forcing=0.0):
    x, y = batch
    return (network(x) - y).square().mean()


def dropping_network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 1))


SETTINGS = TrainSettings(epochs=4, batch=6, lr=0.02, weight_decay=0.01, schedule="cosine", validate_every=3,
                         patience=None)


class Cancelled(Exception):
    pass


def test_every_epoch_goes_once_through_all_samples_and_no_batch_is_drawn_that_is_not_learned():
    drawn = []

    class Watched(Points):
        def batch(self, indices, rng):
            if rng is not None:
                drawn.append((indices.tolist(), float(rng.random())))
            return self.x[indices], self.x[indices]

    fit(nn.Linear(1, 1), Watched(26), None, squared, replace(SETTINGS, epochs=3))
    assert len(drawn) == 3 * 5
    epochs = [[k for some, _ in drawn[5 * e : 5 * e + 5] for k in some] for e in range(3)]
    assert all(sorted(one) == list(range(26)) for one in epochs) and len(set(map(tuple, epochs))) == 3
    assert len({number for _, number in drawn}) == 15


def test_a_sample_that_cannot_be_read_ends_the_training_with_its_own_error():
    class Torn(Points):
        def batch(self, indices, rng):
            raise OSError("scene 7 cannot be read")

    with pytest.raises(OSError, match="scene 7"):
        fit(nn.Linear(1, 1), Torn(), None, squared, SETTINGS)


def test_a_line_is_learned():
    network, history = fit(nn.Linear(1, 1), Points(), Points(), squared, replace(SETTINGS, epochs=60, lr=0.1))
    assert network.weight.item() == pytest.approx(2, abs=0.1)
    assert network.bias.item() == pytest.approx(-1, abs=0.1)
    assert history.best == min(point["validation"] for point in history.points)


@pytest.mark.parametrize("steps_before_stop", [2, 4, 7, 11])
def test_an_interrupted_training_ends_bit_for_bit_like_one_that_was_not(tmp_path, steps_before_stop):
    whole, history = fit(dropping_network(), Points(), Points(), squared, SETTINGS)
    calls = iter(range(1, 1000))
    with pytest.raises(Stopped):
        fit(dropping_network(), Points(), Points(), squared, SETTINGS, checkpoint=tmp_path, manifest="a",
            stop=lambda: next(calls) >= steps_before_stop)
    torch.rand(5)
    np.random.rand(5)  # noqa: NPY002 - a disturbed generator must not matter
    resumed, history_2 = fit(dropping_network(), Points(), Points(), squared, SETTINGS, checkpoint=tmp_path,
                             manifest="a")
    for one, other in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert history.points == history_2.points


def test_a_report_that_raises_leaves_a_checkpoint_and_is_passed_on(tmp_path):
    def cancel(fraction, step, **curves):
        raise Cancelled

    with pytest.raises(Cancelled):
        fit(dropping_network(), Points(), Points(), squared, SETTINGS, cancel, tmp_path, "a")
    assert checkpoints.newest(tmp_path, "a")["step"] == 3  # the first validation is the first report


def test_reports_carry_the_losses_of_the_curves():
    told = []
    fit(nn.Linear(1, 1), Points(), Points(), squared, SETTINGS, lambda f, s, **c: told.append((f, s, c)))
    assert told[-1][0] == 1.0
    assert {"epoch", "train", "validation"} == set(told[-1][2]["losses"])
    assert [f for f, _, _ in told] == sorted(f for f, _, _ in told)


def test_a_checkpoint_of_other_data_is_refused_with_both_hashes(tmp_path):
    fit(nn.Linear(1, 1), Points(), None, squared, replace(SETTINGS, epochs=1), checkpoint=tmp_path, manifest="aaaa")
    with pytest.raises(checkpoints.OtherData, match=r"aaaa.*bbbb"):
        fit(nn.Linear(1, 1), Points(), None, squared, SETTINGS, checkpoint=tmp_path, manifest="bbbb")


def test_a_checkpoint_of_other_settings_is_refused_with_what_differs_but_the_device_may_change(tmp_path):
    fit(nn.Linear(1, 1), Points(), None, squared, SETTINGS, checkpoint=tmp_path)
    with pytest.raises(checkpoints.OtherSettings, match=r"lr was 0\.02 and is 0\.03"):
        fit(nn.Linear(1, 1), Points(), None, squared, replace(SETTINGS, lr=0.03), checkpoint=tmp_path)
    fit(nn.Linear(1, 1), Points(), None, squared, replace(SETTINGS, device="cpu"), checkpoint=tmp_path)


def test_a_checkpoint_of_another_network_is_refused_by_name(tmp_path):
    fit(nn.Linear(1, 1), Points(), None, squared, SETTINGS, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="of another network"):
        fit(nn.Sequential(nn.Linear(1, 1)), Points(), None, squared, SETTINGS, checkpoint=tmp_path)


def test_a_training_that_was_killed_goes_on_from_its_last_epoch_bit_for_bit(tmp_path):
    """As after SIGKILL: nothing is written at the moment of death, and rubbish of a half-written file lies about."""
    class Killed(BaseException):
        pass

    class Mortal(Points):
        drawn = 0

        def batch(self, indices, rng):
            self.drawn += rng is not None
            if self.drawn == 11:                                           # in the middle of the third epoch
                raise Killed
            return super().batch(indices, rng)

    whole, _ = fit(dropping_network(), Points(), Points(), squared, SETTINGS)
    with pytest.raises(Killed):
        fit(dropping_network(), Mortal(), Points(), squared, SETTINGS, checkpoint=tmp_path)
    assert checkpoints.newest(tmp_path, "")["step"] == 8
    (tmp_path / ".checkpoint-half").write_bytes(b"PK")
    torch.rand(3)
    resumed, _ = fit(dropping_network(), Points(), Points(), squared, SETTINGS, checkpoint=tmp_path)
    for one, other in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert not (tmp_path / ".checkpoint-half").exists()


def test_one_flipped_bit_in_the_weights_of_a_checkpoint_is_noticed(tmp_path):
    network, _ = fit(nn.Linear(1, 1), Points(), None, squared, SETTINGS, checkpoint=tmp_path)
    older, newer = checkpoints.found(tmp_path)
    raw, place = bytearray(newer.read_bytes()), newer.read_bytes().find(network.weight.detach().numpy().tobytes())
    raw[place] ^= 1
    newer.write_bytes(raw)
    assert checkpoints.newest(tmp_path, "")["step"] == int(older.stem.removeprefix("step-"))


@pytest.mark.parametrize("content", [b"", b"no checkpoint " * 9, b"PK\x03\x04" + bytes(64)])
def test_a_file_that_is_no_checkpoint_is_passed_over(tmp_path, content):
    (tmp_path / "step-000000009.ckpt").write_bytes(content)
    assert checkpoints.newest(tmp_path, "") is None
    torch.save({"weights": 1}, tmp_path / "step-000000009.ckpt")
    assert checkpoints.newest(tmp_path, "") is None


def test_two_checkpoints_are_kept_and_a_damaged_one_falls_back_to_the_one_before(tmp_path):
    fit(nn.Linear(1, 1), Points(), None, squared, SETTINGS, checkpoint=tmp_path, manifest="a")
    older, newer = checkpoints.found(tmp_path)
    newer.write_bytes(newer.read_bytes()[:100])
    assert checkpoints.newest(tmp_path, "a")["step"] == int(older.stem.removeprefix("step-"))
    assert not list(tmp_path.glob(".checkpoint-*"))


def test_a_finished_training_asked_again_returns_at_once_with_the_same_weights(tmp_path):
    first, _ = fit(dropping_network(), Points(), Points(), squared, SETTINGS, checkpoint=tmp_path)
    again, _ = fit(dropping_network(), Points(), Points(), squared, SETTINGS, checkpoint=tmp_path,
                   stop=lambda: pytest.fail("took another step"))
    for one, other in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_early_stopping_brings_the_best_weights_back():
    values = iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    seen = []

    def validate(network):
        seen.append(network.weight.item())
        return next(values)

    settings = replace(SETTINGS, epochs=50, validate_every=1, patience=5)
    network, history = fit(nn.Linear(1, 1), Points(), None, squared, settings, validate=validate)
    assert history.stopped_early and len(history.points) == 7
    assert network.weight.item() == seen[1]


def test_less_than_a_thousandth_is_no_improvement_for_patience_but_still_the_best():
    stopper = EarlyStop(patience=2)
    assert stopper.is_best(1.0)
    assert stopper.is_best(0.9995) and stopper.waited == 1
    assert stopper.is_best(0.9992) and stopper.over


def test_gradient_values_are_cut_to_the_limit():
    class Steep(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return self.weight.expand(len(x), 1)

    network = Steep()
    settings = TrainSettings(epochs=1, batch=100, lr=1.0, optimiser="adam", clip_value=3.0)
    steep = lambda network, batch, teacher_forcing: 1e6 * network(batch[0]).mean()  # noqa: E731
    grads = []
    network.weight.register_post_accumulate_grad_hook(lambda p: grads.append(p.grad))
    fit(network, Points(), None, steep, settings)
    assert grads[0].abs().item() == 3.0


@pytest.mark.parametrize(("device", "asked", "used"), [
    ("cpu", "auto", "float32"), ("cpu", "bf16", "float32"), ("cpu", "fp16", "float32"), ("cuda", "auto", "bf16"),
    ("cuda", "fp16", "fp16"), ("cuda", "float32", "float32"),
])
def test_mixed_precision_is_for_gpus_only(monkeypatch, device, asked, used):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert devices.precision_on(torch.device(device), asked) == used
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert devices.precision_on(torch.device("cuda"), "auto") == "float32"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
def test_on_a_gpu_a_line_is_learned_in_every_precision_and_resumed_exactly(tmp_path, precision):
    settings = replace(SETTINGS, epochs=60, lr=0.1, precision=precision)
    whole, _ = fit(nn.Linear(1, 1), Points(), Points(), squared, settings)
    assert whole.weight.item() == pytest.approx(2, abs=0.15)
    calls = iter(range(1, 1000))
    torch.manual_seed(0)
    with pytest.raises(Stopped):
        fit(dropping_network(), Points(), Points(), squared, settings, checkpoint=tmp_path,
            stop=lambda: next(calls) > 9)
    resumed, _ = fit(dropping_network(), Points(), Points(), squared, settings, checkpoint=tmp_path)
    whole, _ = fit(dropping_network(), Points(), Points(), squared, settings)
    for one, other in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_the_probability_of_teacher_forcing_falls_over_three_quarters_of_the_epochs():
    seen = []

    def loss(network, batch, teacher_forcing):
        seen.append(teacher_forcing)
        return squared(network, batch)

    fit(nn.Linear(1, 1), Points(), None, loss, replace(SETTINGS, epochs=8, batch=24, teacher_forcing="falling"))
    assert seen == pytest.approx([1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0, 0])
    assert teacher_forcing("always", 7, 8) == 1 and teacher_forcing("never", 0, 8) == 0


def test_the_warm_up_climbs_like_that_of_torch_and_scales_the_schedule():
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.LinearLR(optimiser, start_factor=1 / 8, total_iters=7)
    for step in range(12):
        assert warm_up(step, 8) == pytest.approx(optimiser.param_groups[0]["lr"])
        optimiser.step(), reference.step()
    assert warm_up(0, 0) == 1
    settings = replace(SETTINGS, epochs=1, epoch_steps=12, validate_every=1, warmup_steps=8, schedule="constant")
    _, history = fit(nn.Linear(1, 1), Points(), None, squared, settings)
    assert [point["lr"] for point in history.points] == pytest.approx([warm_up(k, 8) * settings.lr for k in range(12)])


def test_a_loss_that_is_no_number_stops_the_training_by_name():
    with pytest.raises(Diverged, match="smaller rate"):
        fit(nn.Linear(1, 1), Points(), None, lambda n, b, teacher_forcing: n(b[0]).mean() * math.nan, SETTINGS)


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(ValueError, match="empty"):
        fit(nn.Linear(1, 1), Points(0), None, squared, SETTINGS)


def test_unknown_settings_are_refused_with_what_there_is():
    with pytest.raises(ValueError, match="warm-restarts"):
        TrainSettings(schedule="linear")


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": 0}, {"lr": 0.0}, {"lr": math.nan}, {"lr": math.inf},
                                   {"validate_every": 0}, {"validation_batches": 0}, {"patience": 0},
                                   {"epoch_steps": 0}, {"max_steps": -1}, {"clip_value": 0.0}, {"seed": -1},
                                   {"weight_decay": -0.1}, {"warmup_steps": -2}])
def test_settings_outside_their_range_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrainSettings(**wrong)


def test_a_validation_may_look_at_one_batch_only():
    seen = []

    class Watched(Points):
        def batch(self, indices, rng):
            seen.append(indices.tolist())
            return super().batch(indices, rng)

    fit(nn.Linear(1, 1), Points(), Watched(), squared, replace(SETTINGS, epochs=1, validation_batches=1))
    assert seen == [list(range(6))] * 2
    seen.clear()
    fit(nn.Linear(1, 1), Points(), Watched(), squared, replace(SETTINGS, epochs=1))
    assert sorted(k for some in seen for k in some) == sorted([*range(24)] * 2)


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_steps_are_those_of_the_optimiser_as_published(kind):
    """Kingma and Ba (2015), with decay added to the gradient; Loshchilov and Hutter (2019), with decay apart."""
    settings = TrainSettings(epochs=5, batch=24, lr=0.03, weight_decay=0.2, optimiser=kind, schedule="cosine",
                             clip_value=0.4, patience=None)
    torch.manual_seed(1)
    network = nn.Linear(1, 1)
    w, data = np.array([network.weight.item(), network.bias.item()]), Points()
    x, y = data.x[:, 0].numpy().astype(float), 2 * data.x[:, 0].numpy().astype(float) - 1
    m = v = np.zeros(2)
    for t in range(1, 6):
        lr = 0.015 * (1 + math.cos(math.pi * (t - 1) / 5))
        g = np.clip([(2 * (w[0] * x + w[1] - y) * x).mean(), (2 * (w[0] * x + w[1] - y)).mean()], -0.4, 0.4)
        g = g + 0.2 * w if kind == "adam" else g
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        decay = lr * 0.2 * w if kind == "adamw" else 0
        w = w - decay - lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    quiet = lambda n, b, teacher_forcing: (n(b[0]) - 2 * b[0] + 1).square().mean()  # noqa: E731
    taught, _ = fit(network, data, None, quiet, settings)
    assert [taught.weight.item(), taught.bias.item()] == pytest.approx(list(w), abs=1e-6)


def test_channels_last_changes_the_layout_of_2d_and_3d_kernels_and_nothing_that_is_learned():
    class Images:
        def __len__(self):
            return 4

        def batch(self, indices, rng):
            images = torch.sin(torch.arange(4 * 2 * 6 * 6, dtype=torch.float32)).reshape(4, 2, 6, 6)[indices]
            return images, images.mean((1, 2, 3))

    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.flat, self.deep = nn.Conv2d(2, 4, 3), nn.Conv3d(1, 3, 3)

        def forward(self, x):
            return self.deep(self.flat(x)[:, None]).mean((1, 2, 3, 4))

    taught = [fit(Deep(), Images(), None, squared, replace(SETTINGS, batch=2, channels_last=last))[0]
              for last in (False, True)]
    assert taught[1].flat.weight.is_contiguous(memory_format=torch.channels_last)
    assert taught[1].deep.weight.is_contiguous(memory_format=torch.channels_last_3d)
    for one, other in zip(*(n.state_dict().values() for n in taught), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)
