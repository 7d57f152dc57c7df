"""The mapping networks: published sizes to the last parameter, shapes, and the ability to learn at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from workers import layers
from workers.segmentation import fusion_unet, glavitu, resnet_unet, sar_conv3d, sar_conv_lstm, setr

FUSION, SETR, GLAVITU = fusion_unet.FusionUNet, setr.SETR, glavitu.GlaViTU
RESNET, SAR_3D, SAR_LSTM = resnet_unet.ResNetUNet, sar_conv3d.SARConv3d, sar_conv_lstm.SARConvLSTM


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def on_meta(build, config) -> nn.Module:
    with torch.device("meta"):
        return build(config)


@pytest.mark.parametrize(("build", "config", "parameters"), [
    (FUSION, fusion_unet.Config(), 32_593_922),
    (FUSION, fusion_unet.Config(sources=(6,)), 32_517_122),
    (FUSION, fusion_unet.Config(sources=(6, 2)), 32_555_522),
    (FUSION, fusion_unet.Config(sources=(6, 2, 2, 1)), 32_631_746),
    (FUSION, fusion_unet.SMALL, 515_842),
    (SETR, setr.Config(), 101_740_546),
    (GLAVITU, glavitu.Config(), 10_046_276),
    (GLAVITU, glavitu.Config(sources=(6, 2)), 10_007_876),
    (GLAVITU, glavitu.Config(patch=128), 10_013_508),
    (RESNET, resnet_unet.Config(), 85_763_266),
    (RESNET, resnet_unet.Config(channels=9), 85_759_986),
    (RESNET, resnet_unet.Config(convolutions=1), 73_332_178),
    (RESNET, resnet_unet.SMALL, 4_411_426),
    (SAR_3D, sar_conv3d.Config(), 4_356_482),
    (SAR_3D, sar_conv3d.SMALL, 273_506),
    (SAR_LSTM, sar_conv_lstm.Config(), 1_456_034),
    (SAR_LSTM, sar_conv_lstm.SMALL, 91_562),
])
def test_a_network_has_exactly_the_published_number_of_parameters(build, config, parameters):
    assert count(on_meta(build, config)) == parameters


@pytest.mark.parametrize(("build", "config"), [(SETR, setr.SMALL), (GLAVITU, glavitu.SMALL)])
def test_a_free_small_preset_stays_below_five_million(build, config):
    assert count(on_meta(build, config)) <= 5_000_000


def test_the_parts_of_glavitu_add_up_as_published():
    network = on_meta(GLAVITU, glavitu.Config())
    parts = (network.fusion, network.transformer, network.unet, network.head, network.auxiliary)
    assert [count(part) for part in parts] == [117_504, 1_837_696, 8_090_816, 130, 130]


def test_the_encoder_is_a_resnet_50_by_size_and_by_name():
    assert count(on_meta(RESNET, resnet_unet.Config()).encoder) == 23_529_984
    assert count(on_meta(RESNET, resnet_unet.SMALL).encoder) == 511_872
    rgb = on_meta(resnet_unet.ResNetEncoder, resnet_unet.Config(channels=3))
    assert count(rgb) == 23_508_032
    shapes = {name: tuple(tensor.shape) for name, tensor in rgb.state_dict().items()}
    assert shapes["layer1.0.conv1.weight"] == (64, 64, 1, 1)
    assert shapes["layer2.0.downsample.0.weight"] == (512, 256, 1, 1)
    assert shapes["layer4.2.conv3.weight"] == (2048, 512, 1, 1)
    assert shapes["layer3.5.bn2.running_mean"] == (256,)
    assert len(shapes) == 318                       # torchvision's 320 without the classifier's two


RADAR = [(SAR_3D, sar_conv3d.Config(base=4)), (SAR_LSTM, sar_conv_lstm.Config(base=4))]
SMALL = [
    (FUSION, fusion_unet.Config(sources=(3, 2), width=4, steps=3, patch=32), (2, 5, 32, 32)),
    (SETR, setr.Config(sources=(3, 2), width=4, patch=32, size=32, hidden=64, blocks=2, heads=2, decoder=16),
     (2, 5, 32, 32)),
    (GLAVITU, glavitu.Config(sources=(3, 2), width=4, patch=32, size=16, hidden=32, blocks=2, heads=2, decoder=8),
     (2, 5, 32, 32)),
    (RESNET, resnet_unet.Config(channels=5, bottlenecks=(1, 1, 1, 1), stem=4, ups=(32, 16, 16, 8, 8), last=8, patch=32),
     (2, 5, 32, 32)),
    (SAR_3D, sar_conv3d.Config(base=4, acquisitions=3, patch=32), (2, 3, 2, 32, 32)),
    (SAR_LSTM, sar_conv_lstm.Config(base=4, acquisitions=3, patch=32), (2, 3, 2, 32, 32)),
]
IDS = ["fusion", "setr", "glavitu", "resnet", "sar-3d", "sar-convlstm"]


@pytest.mark.parametrize(("build", "config", "shape"), SMALL, ids=IDS)
def test_every_pixel_gets_a_logit_for_each_class(build, config, shape):
    with torch.no_grad():
        logits = build(config).eval()(torch.rand(shape))
    assert logits.shape == (2, 2, 32, 32) and torch.isfinite(logits).all()


@pytest.mark.parametrize(("build", "config", "shape"), SMALL, ids=IDS)
def test_a_network_can_learn_two_samples_by_heart(build, config, shape):
    torch.manual_seed(0)
    network = build(replace(config, dropout=0.0))
    x = torch.rand(shape)
    rows = torch.arange(32)[:, None]
    truth = torch.stack([(rows > 12 + 4 * (torch.arange(32) > 16)), rows < 20 + 0 * torch.arange(32)]).long()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(60):
        output = network.train()(x)
        loss = sum(cross_entropy(one, truth) for one in (output if isinstance(output, tuple) else (output,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    logits = output[0] if isinstance(output, tuple) else output
    assert (logits.argmax(dim=1) == truth).float().mean() > 0.95


@pytest.mark.parametrize(("build", "config"), RADAR)
@pytest.mark.parametrize("acquisitions", [1, 3, 5, 15])
def test_a_radar_network_reads_any_number_of_scenes(build, config, acquisitions):
    with torch.no_grad():
        assert build(config).eval()(torch.rand(1, acquisitions, 2, 16, 24)).shape == (1, 2, 16, 24)


@pytest.mark.parametrize(("build", "config"), RADAR)
def test_every_scene_of_a_season_matters(build, config):
    torch.manual_seed(1)
    network, x = build(config).eval(), torch.rand(1, 5, 2, 16, 16)
    with torch.no_grad():
        whole = network(x)
        for scene in range(5):
            changed = x.clone()
            changed[:, scene] += 1
            assert not torch.allclose(network(changed), whole)


def test_glavitu_answers_with_two_heads_in_training_and_one_in_use():
    build, config, shape = SMALL[2]
    network = build(config)
    main, auxiliary = network.train()(torch.rand(shape))
    assert main.shape == auxiliary.shape == (2, 2, 32, 32)
    assert isinstance(network.eval()(torch.rand(shape)), torch.Tensor)


def test_fusion_adds_the_sources_up():
    torch.manual_seed(0)
    fusion = layers.Fusion((2, 3), 4).eval()
    x = torch.rand(1, 5, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(fusion(x), fusion.stems[0](x[:, :2]) + fusion.stems[1](x[:, 2:]))


def test_up_convolution_looks_right_and_down():
    up = layers.UpConv(1, 1).eval()
    with torch.no_grad():
        up.conv.weight.copy_(torch.tensor([[[[0.0, 0.0], [0.0, 1.0]]]]))        # one pixel to the right and below
        up.norm.eps = 0.0
        y = up(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))[0, 0]
    assert y[0, 0] == 1 and y[1, 1] == 4 and y[3, 3] == 0 and y[0, 1] == 2


@pytest.mark.parametrize(("build", "config", "shape"), SMALL, ids=IDS)
def test_a_size_that_does_not_fit_is_refused(build, config, shape):
    with pytest.raises(ValueError, match=r"multiples of|was made for"):
        build(config).eval()(torch.rand(*shape[:-1], 30))


def test_a_wrong_number_of_channels_is_refused_with_the_expected_sources():
    with pytest.raises(ValueError, match=r"expected 3 \+ 2 channels, got 4"):
        FUSION(SMALL[0][1])(torch.rand(1, 4, 32, 32))


def test_imagenet_weights_fit_all_but_the_first_convolution():
    config = resnet_unet.Config(channels=5, bottlenecks=(1, 1, 1, 1), stem=4, ups=(32, 16, 16, 8, 8), last=8)
    torch.manual_seed(3)
    published = resnet_unet.ResNetEncoder(replace(config, channels=3)).state_dict()
    published |= {"fc.weight": torch.zeros(10, 128), "fc.bias": torch.zeros(10)}
    network = RESNET(config)
    first = network.encoder.conv1.weight.clone()
    copied = resnet_unet.load_pretrained(network, published)
    assert "layer4.0.conv2.weight" in copied and "conv1.weight" not in copied and "fc.weight" not in copied
    torch.testing.assert_close(network.encoder.layer4[0].conv2.weight, published["layer4.0.conv2.weight"])
    torch.testing.assert_close(network.encoder.conv1.weight, first)


def test_weights_of_another_network_are_refused_by_name():
    network = RESNET(resnet_unet.Config(channels=5, bottlenecks=(1, 1, 1, 1), stem=4, ups=(32, 16, 16, 8, 8), last=8))
    with pytest.raises(ValueError, match=r"bn1\.bias"):
        resnet_unet.load_pretrained(network, {})
