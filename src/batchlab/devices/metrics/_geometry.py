"""Geometry of a channel and its gate stack, with what is not known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["PERMITTIVITIES", "Dielectric", "Geometry"]

EPSILON_0 = 8.8541878128e-12  # F/m
PERMITTIVITIES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"hBN": (3.3, 3.7), "biotite": (5.0, 6.0), "SiO2": (3.9, 3.9), "Al2O3": (8.0, 9.5), "HfO2": (18.0, 25.0)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dielectric:
    """A layer between gate and channel: thickness in nm, and the range of its relative permittivity."""

    thickness_nm: float
    permittivity: tuple[float, float]
    material: str = ""

    def __post_init__(self) -> None:
        low, high = self.permittivity
        if not (self.thickness_nm > 0 and 0 < low <= high):
            raise ValueError(
                f"{self.material or 'dielectric'}: thickness {self.thickness_nm} nm and permittivity {low} to {high} "
                "must be positive and in order"
            )

    @classmethod
    def of(cls, material: str, thickness_nm: float) -> Dielectric:
        """A layer of a known material.

        Raises
        ------
        ValueError
            If the material's permittivity is not known.
        """
        if material not in PERMITTIVITIES:
            raise ValueError(f"no permittivity of {material!r}; known are {', '.join(PERMITTIVITIES)}, or give it")
        return cls(material=material, thickness_nm=thickness_nm, permittivity=PERMITTIVITIES[material])


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """A channel's length over width as a range, and the layers between it and the gate that is swept."""

    layers: tuple[Dielectric, ...]
    length_over_width: tuple[float, float] = (3.0, 4.0)

    def __post_init__(self) -> None:
        low, high = self.length_over_width
        if not self.layers or not 0 < low <= high:
            raise ValueError(f"a geometry needs a layer, and length over width ({low} to {high}) positive and in order")

    def capacitance(self) -> tuple[float, float, float]:
        """Gate capacitance in F/m^2 of the layers in series: least, nominal, most."""
        inverse = [
            sum(layer.thickness_nm * 1e-9 / epsilon(layer.permittivity) for layer in self.layers)
            for epsilon in (min, lambda range_: sum(range_) / 2, max)
        ]
        low, nominal, high = (EPSILON_0 / each for each in inverse)
        return low, nominal, high

    def shape(self) -> tuple[float, float, float]:
        """Length over width: least, nominal, most."""
        low, high = self.length_over_width
        return low, (low + high) / 2, high
