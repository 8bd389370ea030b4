"""Equation 1 of MRExtrap: terms, averages, sum."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from brainlapse.training.loop import losses
from brainlapse.training.loop.loss_settings import LossSettings, PerceptualSettings
from brainlapse.training.settings import AutoencoderSettings


def test_kl_agrees_with_the_closed_form_summed_over_elements_and_averaged_over_scans():
    torch.manual_seed(0)
    mean, log_variance = torch.randn(3, 4, 2, 2, 2), torch.randn(3, 4, 2, 2, 2)
    closed = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0))
    expected = closed.flatten(1).sum(dim=1).mean()
    torch.testing.assert_close(losses.kl_divergence(mean, log_variance), expected)


def test_l1_does_not_depend_on_batch_or_grid_size():
    for shape in ((1, 1, 4, 4, 4), (3, 1, 8, 4, 4)):
        assert losses.l1(torch.full(shape, 0.75), torch.full(shape, 0.5)).item() == 0.25


def test_total_is_the_weighted_sum_of_the_terms_that_act():
    volume, latent = torch.rand(2, 1, 4, 4, 4), torch.randn(2, 4, 1, 1, 1)
    settings = LossSettings(l1_weight=2, adversarial_weight=0.5, kl_weight=0.1)
    terms = losses.loss_terms(
        volume, volume * 0.9, latent, latent, settings, None, discriminator=lambda x: x * 0.5
    )
    expected = 2 * terms["l1"] + 0.5 * terms["adversarial"] + 0.1 * terms["kl"]
    assert set(terms) == {"l1", "kl", "adversarial", "total"}
    torch.testing.assert_close(terms["total"], expected)


def test_a_perfect_discriminator_has_no_loss():
    assert losses.discriminator_loss(torch.ones(4), torch.zeros(4)).item() == 0
    assert losses.adversarial_loss(torch.zeros(4)).item() == 1


def test_defaults_are_those_of_the_paper():
    loss = AutoencoderSettings().loss
    assert losses.term_weights(loss) == {"l1": 1, "perceptual": 1, "adversarial": 1e-3, "kl": 1e-6}
    assert loss.adversarial_start_epoch == 100
    assert loss.perceptual.network == "segmenter"


@pytest.mark.parametrize("network", ["lpips", "medicalnet"])
def test_missing_perceptual_weights_stop_the_config_and_name_the_file(tmp_path, network):
    with pytest.raises(ValueError, match=f"{tmp_path}.*safetensors.*github.com"):
        PerceptualSettings(network=network, folder=str(tmp_path))
