"""SVG-LP: counts, loss against torch.distributions, order of time, generation, learning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch.distributions import Normal as Reference
from torch.distributions import kl_divergence

from workers.motion import video

TINY = video.Config(widths=(8, 16, 16), size=32, code=16, latent=4, conditioning=3, frames=5, peak_px=8)


def parameters(module):
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def network(config=TINY):
    torch.manual_seed(0)
    return video.SVGLP(config)


def test_every_part_has_exactly_the_published_number_of_parameters():
    with torch.device("meta"):
        whole = video.SVGLP()
        assert parameters(whole.encoder) == 8_001_216
        assert parameters(whole.decoder) == 14_948_673
        assert parameters(whole.predictor) == 313_600
        assert parameters(whole.posterior) == parameters(whole.prior) == 181_632
        assert parameters(whole) == 23_626_753
        assert parameters(video.SVGLP(video.DEEP)) == 23_890_945
        assert parameters(video.SVGLP(video.SMALL)) <= 5_000_000


def test_the_published_network_takes_chips_of_128_pixels():
    with torch.device("meta"):
        whole = video.SVGLP()
        code, maps = whole.encoder(torch.empty(2, 1, 128, 128))
        assert code.shape == (2, 128)
        assert [m.shape[-1] for m in maps] == [64, 32, 16, 8, 4]
        assert whole.decoder(code, maps).shape == (2, 1, 128, 128)


def test_a_size_that_does_not_fit_the_levels_is_refused():
    with pytest.raises(ValueError, match="32 px"):
        replace(TINY, size=40)


def test_all_frames_but_the_first_are_predicted_between_zero_and_one():
    said, posterior, prior = network()(torch.rand(3, 5, 32, 32))
    assert said.shape == (3, 4, 32, 32)
    assert 0 <= said.min() <= said.max() <= 1
    assert posterior.mean.shape == prior.log_variance.shape == (3, 4, 4)


def test_the_divergence_is_that_of_torch_and_zero_for_twins():
    torch.manual_seed(1)
    q, p = (video.Normal(torch.randn(5, 3, 7), torch.randn(5, 3, 7)) for _ in range(2))
    ours, theirs = (Reference(n.mean, (n.log_variance / 2).exp()) for n in (q, p))
    torch.testing.assert_close(video.divergence(q, p), kl_divergence(ours, theirs).sum(-1))
    torch.testing.assert_close(video.divergence(q, q), torch.zeros(5, 3))


def test_the_loss_is_that_of_a_loop_over_frames():
    torch.manual_seed(2)
    frames, said = torch.rand(3, 5, 32, 32), torch.rand(3, 4, 32, 32)
    q, p = (video.Normal(torch.randn(3, 4, 4), torch.randn(3, 4, 4)) for _ in range(2))
    expected = 0.0
    for t in range(4):
        whole, near, kl = 0.0, 0.0, 0.0
        for b in range(3):
            truth = frames[b, t + 1].numpy()
            squares = (said[b, t].numpy() - truth) ** 2
            peak = np.unravel_index(gaussian_filter(truth.astype(np.float64), 2).argmax(), truth.shape)
            top, left = (int(np.clip(c - 4, 0, 24)) for c in peak)
            whole += squares.mean() / 3
            near += squares[top : top + 8, left : left + 8].mean() / 3
            mq, mp, vq, vp = (x[b, t].double() for x in (q.mean, p.mean, q.log_variance.exp(), p.log_variance.exp()))
            kl += float(0.5 * (vp.log() - vq.log() + (vq + (mq - mp) ** 2) / vp - 1).sum()) / 3
        expected += whole + 0.5 * near + 1e-4 * kl
    assert video.loss((said, q, p), frames, TINY).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("spot", "corner"), [((20, 11), (16, 7)), ((0, 31), (0, 24)), ((31, 0), (24, 0))])
def test_the_square_around_the_brightest_spot_stays_inside(spot, corner):
    frame = torch.zeros(1, 32, 32)
    frame[0][spot] = 1
    region = video.peak_region(frame, 8)[0]
    assert region.sum() == 64
    assert region[corner[0] : corner[0] + 8, corner[1] : corner[1] + 8].all()


def test_the_peak_of_noise_is_that_of_scipys_gaussian_also_at_the_edges():
    frames = torch.rand(40, 48, 40, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    smooth = video.gaussian(frames[:, None], 2.0)[:, 0].numpy()
    np.testing.assert_allclose(smooth, [gaussian_filter(frame, 2) for frame in frames.numpy()], atol=1e-12)
    tiny = torch.rand(1, 1, 3, 5, dtype=torch.float64)
    np.testing.assert_allclose(video.gaussian(tiny, 2.0)[0, 0], gaussian_filter(tiny[0, 0].numpy(), 2), atol=1e-12)


def test_a_predicted_frame_depends_on_no_later_frame():
    whole = network().eval()
    frames = torch.rand(2, 5, 32, 32, requires_grad=True)
    for t in range(1, 5):
        torch.manual_seed(0)
        gradient = torch.autograd.grad(whole(frames)[0][:, t - 1].sum(), frames)[0]
        assert not gradient[:, t + 1 :].any()
        assert gradient[:, t - 1].any()


def test_the_prior_has_not_seen_the_frame_it_is_for_and_the_posterior_has():
    whole = network().eval()
    frames = torch.rand(2, 5, 32, 32, requires_grad=True)
    _, posterior, prior = whole(frames)
    of_prior = torch.autograd.grad(prior.mean[:, 1].sum(), frames, retain_graph=True)[0]
    of_posterior = torch.autograd.grad(posterior.mean[:, 1].sum(), frames)[0]
    assert not of_prior[:, 2:].any()
    assert of_posterior[:, 2].any()
    assert not of_posterior[:, 3:].any()


def test_the_maps_come_from_the_last_observed_frame_once_generation_starts():
    whole = network().eval()
    frames = torch.rand(1, 5, 32, 32)
    seen = []
    whole.decoder.register_forward_pre_hook(lambda module, given: seen.append(given[1][0]))
    whole(frames)
    maps = [whole.encoder(frames[:, t, None])[1][0] for t in range(5)]
    for said, observed in zip(seen, (0, 1, 2, 2), strict=True):
        torch.testing.assert_close(said, maps[observed])


def test_generation_reads_the_observed_frames_only_and_encodes_what_it_said():
    whole = network().eval()
    seen = torch.rand(2, 3, 32, 32)
    encoded = []
    whole.encoder.register_forward_pre_hook(lambda module, given: encoded.append(given[0].shape[0]))
    torch.manual_seed(5)
    futures = whole.generate(seen, samples=3)
    assert futures.shape == (2, 3, 2, 32, 32)
    assert encoded == [6] + [2, 2] * 3, "what was observed once, then each frame that was said"
    torch.manual_seed(5)
    torch.testing.assert_close(whole.generate(seen, samples=3), futures)
    assert not torch.equal(futures[:, 0], futures[:, 1])


def test_the_first_frame_generated_is_the_one_predicted_when_the_latent_is_certain():
    """With z fixed at the prior's mean in both, training's frame 4 given 1..3 equals the first generated."""
    whole = network().eval()
    with torch.no_grad():
        for part in (whole.prior, whole.posterior):
            for head in (part.mean, part.log_variance):
                head.weight.zero_()
            part.log_variance.bias.fill_(-60.0)
    frames = torch.rand(1, 5, 32, 32)
    generated, trained = whole.generate(frames[:, :3], samples=1)[:, 0, 0], whole(frames)[0][:, 2]
    torch.testing.assert_close(generated, trained, atol=1e-5, rtol=0)


def test_it_overfits_a_few_sequences():
    whole = network()
    spot = torch.zeros(2, 5, 32, 32)
    for t in range(5):
        spot[0, t, 4 + 4 * t : 10 + 4 * t, 8:14] = 1
        spot[1, t, 20:26, 22 - 4 * t : 28 - 4 * t] = 1
    optimiser = torch.optim.Adam(whole.parameters(), 2e-3)
    first = None
    for _ in range(150):
        optimiser.zero_grad()
        value = video.loss(whole(spot), spot, TINY)
        first = first or value.item()
        value.backward()
        optimiser.step()
    assert value.item() < 0.15 * first


def test_saved_and_loaded_it_says_the_same(tmp_path):
    from safetensors.torch import load_file, save_file

    first, second = network().eval(), video.SVGLP(TINY).eval()
    save_file(first.state_dict(), tmp_path / "network.safetensors")
    second.load_state_dict(load_file(tmp_path / "network.safetensors"))
    seen = torch.rand(1, 3, 32, 32)
    torch.manual_seed(0)
    futures = first.generate(seen, samples=1)
    torch.manual_seed(0)
    torch.testing.assert_close(second.generate(seen, samples=1), futures)
