"""Versions and their weights: which one works at a place, what it learned from, and how new weights are kept."""

from __future__ import annotations

from glacierweb import paths
from inventory.models import AreaOfInterest, Glacier, Scene
from predictions import versions
from predictions.models import ModelVersion
from workers.learning import weights


def version_for(pk: int | None, kind: str, place: AreaOfInterest | Glacier | Scene) -> ModelVersion:
    """The version asked for, else the one active at the place. Raises ValueError where there is none."""
    version = ModelVersion.objects.get(pk=pk) if pk else versions.active_at(kind, place)
    if version is None:
        raise ValueError(f"there is no active version for {kind} at {place}: train one (Retrain...) and promote it")
    return version


def load(version: ModelVersion) -> weights.Learned:
    """The network (or forest) of a version with its recipe. Raises ValueError for files that are not as registered."""
    return weights.load(paths.data_path(version.weights), version.weights_sha256)


def weights_for(version: ModelVersion, scene: Scene) -> tuple[weights.Learned, bool]:
    """The version's weights, or those of its fold that never saw this scene's truth."""
    for fold in version.data_snapshot.get("folds", []):
        if scene.key in fold["scenes"]:
            name = f"weights/{fold['weights_sha256']}.safetensors"
            return weights.load(paths.data_path(name), fold["weights_sha256"]), True
    return load(version), False


def keep(learned: weights.Learned) -> str:
    """Write weights under the name of their content; returns their SHA-256."""
    draft = paths.scratch(".safetensors")
    weights.save(draft, learned.network, learned.recipe)
    return paths.adopt(draft, "weights", ".safetensors")


def trainable_parameters_of(learned: weights.Learned) -> int | None:
    """The count of a network's trainable parameters; None for a forest."""
    if not hasattr(learned.network, "parameters"):
        return None
    return sum(p.numel() for p in learned.network.parameters() if p.requires_grad)
