"""Methods by the names that settings and tables use."""

from brainlapse.aging.methods import (
    bayes,
    copy_last,
    population_rate,
    subject_ols,
    volume_bayes,
)
from brainlapse.aging.methods.interface import Fit

LATENT_METHODS: dict[str, Fit] = {
    "linear": subject_ols.fit,
    "population_rate": population_rate.fit,
    "bayes": bayes.fit,
}
LOG_VOLUME_METHODS: dict[str, Fit] = {
    "volume_rate": population_rate.fit,
    "volume_bayes": volume_bayes.fit,
}
VOLUME_METHODS: dict[str, Fit] = {
    "copy_last": copy_last.fit,
    "volume_linear": subject_ols.fit,
}
