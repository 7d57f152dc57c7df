"""What a run may be asked: one frozen type a kind, with its defaults and checks. Nothing of Django.

The API, `manage.py start_run` and the admin form are one door: `read(kind, payload)`. Below it parameters are complete.
"""

# ruff: noqa: RUF009 (asked() makes dataclass fields, as dataclasses.field does)
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import date
from typing import Any, ClassVar, Literal

from predictions.checks import Check, day, each, number, one_of, optional, shown, text, whole
from predictions.training_defaults import DEFAULTS, SPLITS, TASKS, going_on

Queue = Literal["io", "gpu", "train"]
PROFILES = ("area", "forecast", "trient", "strict", "train_composite", "outline")
FROM_SCRATCH = ("sar", "video")
"""Tasks whose networks cannot go on from a version."""
row_id = whole(1, 2**63 - 1)
glacier_id = text(r"[A-Za-z0-9_.-]{1,20}", "a glacier id such as G007026E45991N")
region_code = text(r"\d{2}", "a region code of two digits such as 11")
source_name = text(r"[^\x00-\x1f]{1,200}", "the name of a source of outlines")


class ParamsError(ValueError):
    """Parameters that cannot be taken; `errors` is a list of {"pointer", "message"} (JSON pointers)."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{error['pointer'] or '/'}: {error['message']}" for error in errors))


def asked(check: Check, default: Any = MISSING, name: str = "") -> Any:
    """A field of a run's parameters: its check, its default, and its public name where Python reserves the word."""
    return field(default=default, metadata={"check": check, "name": name})


@dataclass(frozen=True)
class SegmentParams:
    """Find ice in one stored scene."""

    kind: ClassVar[str] = "segment"
    queue: ClassVar[Queue] = "gpu"
    scene: int = asked(row_id)
    version: int | None = asked(optional(row_id), None)
    threshold: float = asked(number(0.01, 0.99), 0.5)


@dataclass(frozen=True)
class AreaSeriesParams:
    """Measure one glacier in every scene that its profile accepts."""

    kind: ClassVar[str] = "area_series"
    queue: ClassVar[Queue] = "gpu"
    glacier: str = asked(glacier_id)
    version: int | None = asked(optional(row_id), None)
    profile: str = asked(one_of(PROFILES), "area")
    from_: date | None = asked(optional(day), None, "from")
    to: date | None = asked(optional(day), None)
    smoothing: str = asked(one_of(("none", "days", "paper")), "none")


@dataclass(frozen=True)
class ForecastParams:
    """Forecast snow and ice (NDSI) for one area of interest."""

    kind: ClassVar[str] = "forecast"
    queue: ClassVar[Queue] = "gpu"
    aoi: int = asked(row_id)
    version: int | None = asked(optional(row_id), None)
    step_months: int = asked(one_of((3, 6)), 3)


@dataclass(frozen=True)
class FlowParams:
    """Dense displacement between two scenes."""

    kind: ClassVar[str] = "flow"
    queue: ClassVar[Queue] = "gpu"
    first: int = asked(row_id)
    second: int = asked(row_id)


@dataclass(frozen=True)
class TrackParams:
    """Chips followed through a list of scenes; `c` scales the search window. With a version of a video network its
    prediction of the next chips is made too, from the first scenes, and compared with those that came after."""

    kind: ClassVar[str] = "track"
    queue: ClassVar[Queue] = "gpu"
    scenes: tuple[int, ...] = asked(each(row_id, 2, 200))
    c: float = asked(number(0.5, 10), 1.5)
    version: int | None = asked(optional(row_id), None)


@dataclass(frozen=True)
class DataParams:
    """What to learn from or to be measured on: areas of interest or regions, sources of truth, and a span."""

    aois: tuple[int, ...] = asked(each(row_id), ())
    regions: tuple[str, ...] = asked(each(region_code, 0, 20), ())
    sources: tuple[str, ...] = asked(each(source_name, 0, 20), ())
    from_: date | None = asked(optional(day), None, "from")
    to: date | None = asked(optional(day), None)


@dataclass(frozen=True, kw_only=True)
class TrainParams:
    """Teach a network. `epochs`, `lr` and `batch` are None for a forest, which has none of them."""

    kind: ClassVar[str] = "train"
    queue: ClassVar[Queue] = "train"
    architecture: str = asked(one_of(DEFAULTS))
    preset: str = asked(text(r"[a-z]{1,10}", "a preset such as small or paper"), "small")
    start: str | int = asked(lambda value: value if value == "scratch" else _version(value), "scratch")
    data: DataParams = asked(lambda value: _data(value))
    split: str = asked(text(r"[a-z]{1,20}", "a kind of split"), "")
    epochs: int | None = asked(optional(whole(1, 10_000)), None)
    lr: float | None = asked(optional(number(1e-8, 1.0)), None)
    batch: int | None = asked(optional(whole(1, 4096)), None)
    seed: int = asked(whole(0), 0)

    @property
    def task(self) -> str:
        """What the architecture is for: segment, forecast, sar or video."""
        return TASKS[self.architecture]


@dataclass(frozen=True)
class EvaluateParams:
    """Measure a version on data of one's choice."""

    kind: ClassVar[str] = "evaluate"
    queue: ClassVar[Queue] = "gpu"
    version: int = asked(row_id)
    data: DataParams = asked(lambda value: _data(value))


Params = (
    SegmentParams | AreaSeriesParams | ForecastParams | FlowParams | TrackParams | TrainParams | EvaluateParams
)  # fmt: skip
KINDS: dict[str, type[Any]] = {
    one.kind: one
    for one in (
        SegmentParams, AreaSeriesParams, ForecastParams, FlowParams, TrackParams, TrainParams, EvaluateParams,
    )
}  # fmt: skip


def read(kind: Any, payload: Mapping[str, Any]) -> Any:
    """Complete and check what was asked. Raises ParamsError with every mistake, none hidden behind another."""
    if not isinstance(kind, str) or kind not in KINDS:
        raise ParamsError([_error("/kind", f"expected one of {', '.join(KINDS)}; got {shown(kind)}")])
    if not isinstance(payload, Mapping):
        raise ParamsError([_error("", f"expected an object of parameters, got {shown(payload)}")])
    params = _read(KINDS[kind], payload, "")
    if isinstance(params, TrainParams):
        params = _complete_training(params, payload)
    errors = _together(params)
    if errors:
        raise ParamsError(errors)
    return params


def queue_of(kind: str) -> Queue:
    """The queue on which runs of this kind wait."""
    return KINDS[kind].queue


def to_dict(params: Any) -> dict[str, Any]:
    """JSON values under the public names: what is stored in `Run.params`."""
    found = {}
    for one in fields(params):
        value = getattr(params, one.name)
        if isinstance(value, DataParams):
            value = to_dict(value)
        elif isinstance(value, date):
            value = value.isoformat()
        found[public_name(one)] = list(value) if isinstance(value, tuple) else value
    return found


def _read(kind: type[Any], payload: Mapping[str, Any], pointer: str) -> Any:
    known = {public_name(one): one for one in fields(kind)}
    unknown = f"unknown; there are {', '.join(known)}"
    errors = [_error(f"{pointer}/{_escaped(key)}", unknown) for key in payload if key not in known]
    values = {}
    for name, one in known.items():
        if name not in payload:
            if one.default is MISSING:
                errors.append(_error(f"{pointer}/{name}", "is required"))
            continue
        try:
            values[one.name] = one.metadata["check"](payload[name])
        except ParamsError as error:
            errors += [_error(f"{pointer}/{name}{inner['pointer']}", inner["message"]) for inner in error.errors]
        except ValueError as error:
            errors.append(_error(f"{pointer}/{name}", str(error)))
    if errors:
        raise ParamsError(errors)
    return kind(**values)


def _data(value: Any) -> DataParams:
    if not isinstance(value, Mapping):
        raise ValueError(f"expected an object with aois or regions, got {shown(value)}")
    data = _read(DataParams, value, "")
    if not data.aois and not data.regions:
        raise ValueError("name at least one area of interest (aois) or region (regions)")
    return data


def _version(value: Any) -> int:
    try:
        return row_id(value)
    except ValueError:
        raise ValueError(f'expected "scratch" or the number of a version, got {shown(value)}') from None


def _complete_training(params: TrainParams, payload: Mapping[str, Any]) -> TrainParams:
    """Fill in the epochs, lr, batch and split of the recipe, for a training from scratch or one that goes on from
    weights; refuse presets, splits and settings that do not exist."""
    presets = DEFAULTS[params.architecture]
    if params.preset not in presets:
        raise ParamsError([_error("/preset", f"{params.architecture} has {', '.join(presets)}; got {params.preset}")])
    scratch, splits, errors = params.start == "scratch", SPLITS[params.task], []
    recipe = presets[params.preset] if scratch else going_on(params.architecture, params.preset)
    for name in ("epochs", "lr", "batch"):
        default = getattr(recipe, name)
        if default is None and payload.get(name) is not None:
            errors.append(_error(f"/{name}", f"{params.architecture} has none; leave it out"))
        if default is not None and getattr(params, name) is None:
            params = replace(params, **{name: default})
    if params.split and params.split not in splits:
        errors.append(_error("/split", f"{params.architecture} takes {', '.join(splits)}; got {params.split}"))
    if errors:
        raise ParamsError(errors)
    return replace(params, split=params.split or splits[0])


def _together(params: Any) -> list[dict[str, str]]:
    """Mistakes that only two values together make."""
    errors = []
    for pointer, spanned in (("", params), ("/data", getattr(params, "data", None))):
        first, last = getattr(spanned, "from_", None), getattr(spanned, "to", None)
        if first and last and first > last:
            errors.append(_error(f"{pointer}/to", f"{last} is before from = {first}"))
    if isinstance(params, FlowParams) and params.first == params.second:
        errors.append(_error("/second", "is the same scene as first; flow needs two"))
    if isinstance(params, TrainParams) and params.task in FROM_SCRATCH and params.start != "scratch":
        errors.append(_error("/start", f"{params.architecture} is always taught from scratch; leave start out"))
    if isinstance(params, TrackParams) and len(set(params.scenes)) < len(params.scenes):
        errors.append(_error("/scenes", "names a scene twice"))
    return errors


def public_name(one: Any) -> str:
    """The name of a dataclass field as it is asked for: `from`, where Python needs `from_`."""
    return one.metadata["name"] or one.name


def _escaped(key: Any) -> str:
    return str(key)[:80].replace("~", "~0").replace("/", "~1")


def _error(pointer: str, message: str) -> dict[str, str]:
    return {"pointer": pointer, "message": message}
