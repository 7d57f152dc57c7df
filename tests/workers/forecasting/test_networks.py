"""The four published forecasters and the default one: counts, cells, order of time, residuals, learning."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from workers.forecasting import conv_lstm, default_forecaster, lstm, sa_lstm, unet
from workers.forecasting.residual import base_frames, fed_back

NETWORKS = {
    "default": (default_forecaster.DefaultForecaster, default_forecaster.SMALL),
    "lstm": (lstm.LSTM, lstm.SMALL),
    "conv-lstm": (conv_lstm.ConvLSTM, conv_lstm.SMALL),
    "unet": (unet.UNetForecaster, unet.SMALL),
    "sa-lstm": (sa_lstm.SALSTM, sa_lstm.SMALL),
    "sa-lstm, frames fed back": (sa_lstm.SALSTM, replace(sa_lstm.SMALL, feedback="frames")),
}
TINY = {
    "default": replace(default_forecaster.SMALL, base=4, patch=16),
    "lstm": replace(lstm.SMALL, patch=16, dropout=0.0),
    "conv-lstm": replace(conv_lstm.SMALL, patch=16),
    "unet": replace(unet.SMALL, base=4, patch=16),
    "sa-lstm": replace(sa_lstm.SMALL, patch=16, dropout=0.0),
    "sa-lstm, frames fed back": replace(sa_lstm.SMALL, patch=16, dropout=0.0, feedback="frames"),
}
every_network = pytest.mark.parametrize("name", NETWORKS)


def tiny(name, **changes):
    torch.manual_seed(3)
    return NETWORKS[name][0](replace(TINY[name], **changes))


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


@pytest.mark.parametrize(("build", "config", "count"), [
    (lstm.LSTM, lstm.Config(), 300_165_000),
    (lstm.LSTM, lstm.Config(peepholes=False), 300_120_000),
    (lstm.LSTM, lstm.SMALL, 5_137_600),
    (conv_lstm.ConvLSTM, conv_lstm.Config(), 842_233),
    (conv_lstm.ConvLSTM, conv_lstm.WIDE, 1_554_593),
    (conv_lstm.ConvLSTM, conv_lstm.SMALL, 60_841),
    (unet.UNetForecaster, unet.Config(), 31_036_481),
    (unet.UNetForecaster, unet.SMALL, 1_942_289),
    (sa_lstm.SALSTM, sa_lstm.Config(), 200_095_000),
    (sa_lstm.SALSTM, sa_lstm.Config(peepholes=False), 200_072_500),
    (sa_lstm.SALSTM, sa_lstm.SMALL, 3_850_800),
])
def test_each_network_has_exactly_the_published_number_of_parameters(build, config, count):
    with torch.device("meta"):
        assert parameters(build(config)) == count


def test_the_parts_of_the_attention_network_add_up():
    with torch.device("meta"):
        network = sa_lstm.SALSTM()
    assert parameters(network.lstm) == 150_082_500
    assert parameters(network.attention) == 25_010_000
    assert parameters(network.head) == 25_002_500


def test_the_unet_has_23_convolutions():
    with torch.device("meta"):
        network = unet.UNet(1, 1, 64)
    assert sum(isinstance(m, nn.Conv2d | nn.ConvTranspose2d) for m in network.modules()) == 23


@every_network
def test_four_frames_become_four_frames(name):
    build, config = NETWORKS[name]
    frames = torch.rand(2, 4, config.patch, config.patch)
    assert build(config).eval()(frames).shape == frames.shape


def test_the_paper_unet_returns_fifty_pixels_for_fifty():
    with torch.device("meta"):
        assert unet.UNetForecaster()(torch.empty(1, 4, 50, 50)).shape == (1, 4, 50, 50)


@pytest.mark.parametrize("name", ["default", "conv-lstm", "unet"])
def test_convolutional_networks_take_any_size(name):
    assert tiny(name).eval()(torch.rand(1, 4, 37, 50)).shape == (1, 4, 37, 50)


def test_a_network_applied_to_its_own_answer_predicts_in_the_windows_it_was_taught_in():
    whole = {name for name in NETWORKS if tiny(name).reads_whole_images}
    assert whole == {"default", "conv-lstm"}


@pytest.mark.parametrize("name", ["lstm", "sa-lstm"])
def test_networks_on_flat_frames_refuse_another_size_by_name(name):
    with pytest.raises(ValueError, match=r"16.*patches"):
        tiny(name)(torch.rand(1, 4, 20, 20))


def test_a_frame_too_small_for_the_unet_is_refused():
    with pytest.raises(ValueError, match="at least 16"):
        tiny("unet")(torch.rand(1, 4, 15, 40))


def test_without_peepholes_the_encoder_is_the_lstm_of_torch():
    torch.manual_seed(0)
    stack = lstm.Stack(7, 3, peepholes=False, drop=0.0)
    reference = nn.LSTM(7, 7, num_layers=3, batch_first=True)
    with torch.no_grad():
        for k, cell in enumerate(stack.cells):
            for ours, theirs in ((cell.input, "ih"), (cell.recurrent, "hh")):
                getattr(reference, f"weight_{theirs}_l{k}").copy_(ours.weight)
                getattr(reference, f"bias_{theirs}_l{k}").copy_(ours.bias)
    x = torch.randn(5, 6, 7)
    hidden, states = stack.read(x)
    expected, (h, c) = reference(x)
    torch.testing.assert_close(hidden, expected)
    torch.testing.assert_close(torch.stack([s[0] for s in states]), h)
    torch.testing.assert_close(torch.stack([s[1] for s in states]), c)


def test_the_peephole_of_the_output_gate_sees_the_new_cell():
    cell = lstm.Cell(1, 1, peepholes=True)
    with torch.no_grad():
        for p in cell.parameters():
            p.zero_()
        cell.input.bias.copy_(torch.tensor([0.2, -0.1, 0.7, 0.3]))
        cell.peephole.copy_(torch.tensor([[0.5], [-0.4], [1.5]]))
    h, c = cell(torch.zeros(1, 1), (torch.zeros(1, 1), torch.full((1, 1), 0.6)))
    s = torch.sigmoid
    new = s(torch.tensor(-0.1 - 0.4 * 0.6)) * 0.6 + s(torch.tensor(0.2 + 0.5 * 0.6)) * torch.tanh(torch.tensor(0.7))
    torch.testing.assert_close(c.squeeze(), new)
    torch.testing.assert_close(h.squeeze(), s(torch.tensor(0.3) + 1.5 * new) * torch.tanh(new))


def test_the_conv_lstm_cell_follows_its_equations():
    torch.manual_seed(1)
    cell = conv_lstm.Cell(2, 3)
    x, h, c = torch.randn(1, 2, 5, 5), torch.randn(1, 3, 5, 5), torch.randn(1, 3, 5, 5)
    split = [nn.functional.conv2d(x, w[:, :2], b, padding=1) + nn.functional.conv2d(h, w[:, 2:], padding=1)
             for w, b in zip(cell.gates.weight.chunk(4), cell.gates.bias.chunk(4), strict=True)]
    i, f, o = (torch.sigmoid(split[k]) for k in (0, 1, 3))
    new = f * c + i * torch.tanh(split[2])
    got_h, got_c = cell(x, (h, c))
    torch.testing.assert_close(got_c, new)
    torch.testing.assert_close(got_h, o * torch.tanh(new))


def test_the_forget_gates_start_open():
    cell, map_cell = lstm.Cell(4, 6, True), conv_lstm.Cell(1, 6)
    torch.testing.assert_close((cell.input.bias + cell.recurrent.bias)[6:12], torch.ones(6))
    torch.testing.assert_close(map_cell.gates.bias[6:12], torch.ones(6))


@every_network
def test_a_predicted_frame_depends_on_no_later_truth(name):
    network = tiny(name)
    frames, truth = torch.rand(2, 4, 16, 16), torch.rand(2, 4, 16, 16, requires_grad=True)
    for k in range(4):
        out = network(frames, None, truth, teaching=1.0)[:, k].sum()
        gradient = torch.autograd.grad(out, truth, allow_unused=True)[0] if out.requires_grad else None
        assert gradient is None or not gradient[:, k:].any()


@pytest.mark.parametrize("name", ["lstm", "unet", "sa-lstm", "sa-lstm, frames fed back"])
def test_a_taught_frame_is_read_when_the_next_is_predicted(name):
    network = tiny(name)
    truth = torch.rand(2, 4, 16, 16, requires_grad=True)
    out = network(torch.rand(2, 4, 16, 16), None, truth, teaching=1.0)
    assert torch.autograd.grad(out[:, 1].sum(), truth)[0][:, 0].any()


def test_hidden_states_do_not_depend_on_later_frames():
    stack = lstm.Stack(9, 2, True, 0.0)
    x = torch.rand(1, 4, 9, requires_grad=True)
    gradient = torch.autograd.grad(stack.read(x)[0][:, 1].sum(), x)[0]
    assert gradient[:, :2].any()
    assert not gradient[:, 2:].any()


def test_the_recurrent_unet_reads_the_last_frame_only():
    frames = torch.rand(2, 4, 16, 16, requires_grad=True)
    gradient = torch.autograd.grad(tiny("unet").eval()(frames).sum(), frames)[0]
    assert gradient[:, -1].any()
    assert not gradient[:, :-1].any()


def test_frames_fed_back_differ_from_hidden_states_fed_back():
    hidden, frames = tiny("sa-lstm").eval(), tiny("sa-lstm, frames fed back").eval()
    x = torch.rand(1, 4, 16, 16)
    torch.testing.assert_close(hidden(x)[:, 0], frames(x)[:, 0])
    assert not torch.allclose(hidden(x)[:, 1], frames(x)[:, 1])


def test_teacher_forcing_draws_truth_as_often_as_asked():
    torch.manual_seed(0)
    own, truth = torch.zeros(4000, 1), torch.ones(4000, 1)
    assert fed_back(own, truth, 0.0) is own
    assert fed_back(own, None, 1.0) is own
    assert fed_back(own, truth, 1.0).mean() == 1
    assert fed_back(own, truth, 0.3).mean().item() == pytest.approx(0.3, abs=0.03)


@every_network
@pytest.mark.parametrize("residual", ["last", "climatology"])
def test_the_output_is_added_to_the_base(name, residual):
    """With the last layer silenced a residual network says its base, per frame."""
    network = tiny(name, residual=residual).eval()
    silence(network)
    frames, usual = torch.rand(2, 4, 16, 16), torch.rand(2, 8, 16, 16)
    expected = usual[:, 4:] if residual == "climatology" else frames[:, -1:].expand(-1, 4, -1, -1)
    torch.testing.assert_close(network(frames, usual), expected)


@torch.no_grad()
def silence(network):
    if isinstance(network, lstm.LSTM):
        network.decoder.cells[-1].input.bias[-(16**2):] = -1e9       # the output gate shut: h = 0
        return
    head = network.unet.head if hasattr(network, "unet") else network.head
    for p in head.parameters():
        p.zero_()


def test_where_the_climatology_is_unknown_the_last_frame_stands_in():
    frames = torch.arange(8.0).reshape(1, 4, 1, 2)
    usual = torch.tensor([[0.5, float("nan")]]).expand(1, 8, 1, 2)
    torch.testing.assert_close(base_frames("climatology", frames, usual, 4)[0, :, 0], torch.tensor([[0.5, 7.0]] * 4))
    torch.testing.assert_close(base_frames("climatology", frames, None, 2), frames[:, -1:].expand(-1, 2, -1, -1))


def test_an_unknown_residual_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'mean'.*climatology"):
        tiny("lstm", residual="mean")


def test_an_untrained_default_forecaster_says_the_climatology():
    network = default_forecaster.DefaultForecaster(TINY["default"]).eval()
    usual = torch.rand(1, 8, 16, 16)
    torch.testing.assert_close(network(torch.rand(1, 4, 16, 16), usual), usual[:, 4:])


def awake_default(**changes):
    """A default forecaster whose head is not zero."""
    network = tiny("default", **changes)
    torch.nn.init.normal_(network.unet.head.weight)
    return network


def test_opposite_anomalies_are_said_to_have_the_opposite_outcome():
    network = awake_default().eval()
    usual, anomalies = torch.rand(2, 8, 16, 16), torch.randn(2, 4, 16, 16)
    up, down = (network(usual[:, :4] + sign * anomalies, usual) - usual[:, 4:] for sign in (1, -1))
    torch.testing.assert_close(up, -down, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(network(usual[:, :4], usual), usual[:, 4:])
    assert up.abs().max() > 0.01


def test_without_a_climatology_the_default_forecaster_is_not_bound_to_symmetry():
    network, frames = awake_default().eval(), torch.rand(2, 4, 16, 16)
    for missing in (None, torch.full((2, 8, 16, 16), float("nan"))):
        last = frames[:, -1:].expand(-1, 4, -1, -1)
        assert (network(last, missing) - last).abs().max() > 0.01


def test_in_training_half_the_samples_are_turned_over():
    torch.manual_seed(0)
    network = awake_default().train()
    signs = []
    network.unet.register_forward_pre_hook(lambda module, given: signs.append(given[0][:, :4].clone()))
    frames, usual = torch.rand(64, 4, 16, 16) + 2, torch.rand(64, 8, 16, 16)
    network(frames, usual)
    turned = (signs[0].flatten(1) < 0).all(1)
    assert 20 < turned.sum() < 44
    torch.testing.assert_close(signs[0][~turned], (frames - usual[:, :4])[~turned])
    network(frames, None)
    torch.testing.assert_close(signs[1], frames - frames[:, -1:])


@every_network
def test_it_overfits_a_few_samples(name):
    """Two places whose snow comes and goes: a, b, a, b, and then a, b, a, b again."""
    torch.manual_seed(0)
    network = tiny(name)
    a = nn.functional.avg_pool2d(torch.rand(2, 1, 24, 24), 9, 1) * 3 - 1
    a = (a - a.mean()) / a.std() * 0.2
    frames = torch.cat([a, -a, a, -a], 1)
    optimiser = torch.optim.Adam(network.parameters(), 1e-3 if "lstm" in name and name != "conv-lstm" else 1e-2)
    for _ in range(200):
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(network(frames, None, frames, teaching=1.0), frames)
        loss.backward()
        optimiser.step()
        if loss.item() < 0.1 * frames.var().item():
            return
    pytest.fail(f"mean square error {loss.item():.4f} of variance {frames.var().item():.4f} after 200 steps")


@every_network
def test_saved_and_loaded_it_says_the_same(name, tmp_path):
    from safetensors.torch import load_file, save_file

    first, second = tiny(name).eval(), NETWORKS[name][0](TINY[name]).eval()
    save_file(first.state_dict(), tmp_path / "network.safetensors")
    second.load_state_dict(load_file(tmp_path / "network.safetensors"))
    x = torch.rand(1, 4, 16, 16)
    torch.testing.assert_close(first(x), second(x))
