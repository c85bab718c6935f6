"""The portfolio: every estimator, one row each; the first decides where nothing else is said."""

from __future__ import annotations

from heedful.manage.estimators import dropped_mass, effect, fisher, michel, output_error
from heedful.manage.estimators.estimator import Estimator

ESTIMATORS: tuple[Estimator, ...] = (
    Estimator("fisher", "(g_t · δ_t)² / 2", "nats a token", "Theis 2018, arXiv 1801.05787", fisher.sums),
    Estimator("output_error", "|δ_t|²", "squared output a token", "least squares", output_error.sums),
    Estimator("dropped_mass", "1 − exp(lse_k − lse)", "share of the weight", "by definition", dropped_mass.sums),
    Estimator("effect", "Σ_j |a_tj (s_tj − Σ a s) / (1 − a_tj)|", "nats a token", "Fu 2024, arXiv 2406.14909", effect.sums),
    Estimator("michel", "|g_t · o_t| × dropped", "nats a token", "Michel 2019, arXiv 1905.10650", michel.sums),
)
