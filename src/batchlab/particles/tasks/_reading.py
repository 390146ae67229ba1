"""How the tasks of this domain get at a spectrogram: read once, then out of the cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from batchlab.engine import JobContext
from batchlab.errors import Category, DataError
from batchlab.particles._model import PITCH_CATEGORIES, Collapse, PitchCategory, Quantity

if TYPE_CHECKING:
    from batchlab.particles._model import Spectrogram

__all__ = ["LIBRARIES", "Directions", "ReadingParams", "digests", "kept_spectrogram"]

LIBRARIES = ("numpy",)
_IN_MEMORY = "batchlab.particles.spectrograms"
_MOST_IN_MEMORY = 4  # the instruments of an orbit


class Directions(BaseModel):
    """A category of pitch angles of the user's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="such as loss_cone")
    ranges_deg: tuple[tuple[float, float], ...] = Field(
        min_length=1, description="pairs of pitch angles from 0 to 360, both ends inclusive"
    )
    flips: bool = Field(False, description="turned by 180 degrees in the south, where hemispheres are told apart")

    @field_validator("ranges_deg")
    @classmethod
    def _angles(cls, ranges: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        for low, high in ranges:
            if not 0 <= low <= 360 or not 0 <= high <= 360:
                raise ValueError(f"write pitch angles from 0 to 360 degrees, not [{low:g}, {high:g}]")
        return ranges


class ReadingParams(BaseModel):
    """What is read of a file, and how its directions become categories."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: Quantity | None = Field(
        None, description="what the colours tell; energy flux for FAST by default, and what the file holds for others"
    )
    collapse: Collapse = Field(Collapse.SOLID_ANGLE_MEAN, description="how directions become one value")
    categories: tuple[Directions, ...] | None = Field(
        None, description="all, downgoing, upgoing and perpendicular by default"
    )
    quality: Literal["keep", "good"] = Field("keep", description="whether records of flagged quality are kept")
    variable: str | None = Field(None, description="of a file that holds several")
    hemisphere: bool = Field(
        False, description="turn categories that flip by 180 degrees in the south; needs the input orbit"
    )

    @property
    def chosen(self) -> tuple[PitchCategory, ...]:
        """The categories to read."""
        if self.categories is None:
            return PITCH_CATEGORIES
        return tuple(
            PitchCategory(name=each.name, ranges_deg=each.ranges_deg, flips=each.flips) for each in self.categories
        )

    @property
    def reading(self) -> dict[str, Any]:
        """What the spectrogram of a file depends on, for its key in the cache."""
        return self.model_dump(mode="json", include=set(ReadingParams.model_fields))


def kept_spectrogram(ctx: JobContext, params: ReadingParams, file: Path, digest: str) -> Spectrogram:
    """A file's spectrogram: from this worker's memory, from the cache on disk, or read and put there.

    Parameters
    ----------
    ctx
        Of the job; its input ``orbit`` tells hemispheres apart, if that is asked for.
    params
        How it is read.
    file, digest
        The file, and what its content is known by.

    Raises
    ------
    DataError
        If hemispheres are to be told apart and the job has no orbit file.
    """
    from batchlab.particles._orbit import read_orbit
    from batchlab.particles._read import read_spectrogram
    from batchlab.particles._store import pack, spectrogram_cache, spectrogram_key, unpack

    if params.hemisphere and not ctx.given("orbit"):
        raise DataError(
            f"{file.name}: there is no orbit file to tell north and south by; put fa_k0_orb_ORBIT_vNN.cdf beside the "
            "data, or leave hemisphere out",
            category=Category.MISSING_INPUT,
            reason="no-orbit-file",
        )
    content = digest + (digests(ctx, "orbit")[0] if params.hemisphere else "")
    key = spectrogram_key(content, params.reading)
    memory: dict[str, Spectrogram] = ctx.cache.setdefault(_IN_MEMORY, {})
    if key in memory:
        return memory[key]
    cache = spectrogram_cache()
    packed = cache.get(key)
    if packed is not None:
        spectrogram = unpack(packed)
    else:
        ctx.log.info("reading %s", file.name)
        track = read_orbit(ctx.input("orbit")) if params.hemisphere else None
        spectrogram = read_spectrogram(
            file,
            quantity=params.quantity,
            collapse=params.collapse,
            categories=params.chosen,
            quality=params.quality,
            hemisphere=track,
            variable=params.variable,
        )
        if not cache.put(key, pack(spectrogram)):
            ctx.warn(
                f"{cache.folder} cannot be written, so {file.name} is read again for each of its pictures; "
                "make room there, or set XDG_CACHE_HOME to a folder with room"
            )
    while len(memory) >= _MOST_IN_MEMORY:
        del memory[next(iter(memory))]
    memory[key] = spectrogram
    return spectrogram


def digests(ctx: JobContext, name: str) -> list[str]:
    """What the files of an input are known by, in order."""
    return [str(each["blake2b"]) for each in json.loads(ctx.provenance["inputs"])[name]]
