"""Addresses of the inventory: `api` under /api/v1/, `tiles` under /tiles/, `pages` at the root."""

from __future__ import annotations

from django.urls import URLPattern, path

api: list[URLPattern] = []
tiles: list[URLPattern] = []
pages: list[URLPattern] = []
