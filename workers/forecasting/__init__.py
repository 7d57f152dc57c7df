"""Forecasts of the snow-and-ice index (NDSI) by season: networks, baselines, skill, rollout."""
