"""The one door between the halves: load rows, let the science compute on plain records, write rows down.

The web names a kind of run by text (`workers.segment`) and never imports its task; neither does a worker's parent
process, which must not touch torch before it forks. One file holds one kind. Behind them stand `stored` (rows as plain
records), `seasons` (radar scenes by season), `chips` (scenes as sequences for video), `taught` (versions and their
weights), `lessons` (data with truth), `mapped` and `smoothed` (ice found in one scene, as it is or smoothed in time).
Bodies stay short: what computes lives in imagery/, segmentation/, forecasting/, motion/ and learning/, what writes
lives in inventory/ and predictions/.
"""

from __future__ import annotations

from workers.tasks.area_series import area_series
from workers.tasks.evaluate import evaluate
from workers.tasks.fetch_scene import fetch_scene
from workers.tasks.find_scenes import find_scenes
from workers.tasks.flow import flow
from workers.tasks.forecast import forecast
from workers.tasks.refusals import REFUSALS
from workers.tasks.segment import segment
from workers.tasks.track import track
from workers.tasks.train import train

__all__ = ["REFUSALS", "WORK"]

# What `glacierweb.delivery` finds here by the run's kind.
WORK = {
    "find_scenes": find_scenes,
    "fetch_scene": fetch_scene,
    "segment": segment,
    "area_series": area_series,
    "forecast": forecast,
    "train": train,
    "evaluate": evaluate,
    "flow": flow,
    "track": track,
}
