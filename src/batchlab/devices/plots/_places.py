"""Where pictures go: chip, procedure, light, and a name that says what was done to the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from batchlab.devices._model import Chip

__all__ = ["Name", "default_tag", "light_of", "picture_path", "with_suffixes"]

_MOST_CHIPS = 8  # in a name
_DIVIDED = frozenset({"It", "IVg", "VVg", "Vt", "Transconductance"})  # by light


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What the file of a picture is called after.

    Attributes
    ----------
    procedure
        Its folder.
    kind
        What follows the chip: ``It``, ``gm_savgol``.
    suffixes
        What follows the tag: ``raw``, ``G``.
    folder
        Below that of the procedure, in place of the one that tells light from dark: ``relaxation_fits``.
    """

    procedure: str
    kind: str
    suffixes: tuple[str, ...] = ()
    folder: str = ""


def picture_path(
    name: Name,
    chip: Chip | Sequence[Chip] | None,
    tag: str,
    light: bool | None,
    format: str,
    called: Mapping[Chip, str] = MappingProxyType({}),
) -> str:
    """Path of a picture below the folder of figures, with ``/``.

    Parameters
    ----------
    name
        Of the picture.
    chip
        Or several, that are in one picture; None, or no chip, for a procedure without one.
    tag
        What tells the pictures of a kind apart.
    light
        Whether all its runs were lit (True) or dark (False); None where they differ.
    format
        What the file's name ends in.
    called
        What chips are called that share their names with others.
    """
    chips = () if chip is None else (chip,) if isinstance(chip, Chip) else tuple(chip)
    whose = [_together(chips, called)] if chips else []
    parts = [*whose, name.procedure]
    if name.folder:
        parts.append(name.folder)
    elif light is not None and name.procedure in _DIVIDED:
        parts.append(f"{'Light' if light else 'Dark'}_{name.procedure}")
    stem = [*whose, name.kind, tag, *name.suffixes]
    return "/".join((*parts, f"{'_'.join(filter(None, stem))}.{format}"))


def _together(chips: Sequence[Chip], called: Mapping[Chip, str]) -> str:
    """``Alisson67``, ``Alisson67_71``; of many the first and how many."""
    first, *others = (called.get(chip, chip.name) for chip in chips)
    if len(chips) > _MOST_CHIPS:
        return f"{first}_and_{len(others)}_more"
    one_group = len({chip.group for chip in chips}) == 1
    return "_".join([first, *(str(chip.number) for chip in chips[1:])] if one_group else [first, *others])


def light_of(lit: Iterable[bool | None]) -> bool | None:
    """True or False where all runs agree, else None."""
    states = set(lit)
    return states.pop() if len(states) == 1 else None


def default_tag(seqs: Iterable[int]) -> str:
    """``seq_4_5_6``."""
    return "_".join(("seq", *map(str, seqs)))


def with_suffixes(**chosen: bool) -> tuple[str, ...]:
    """The names of what was chosen: ``with_suffixes(raw=True, G=False)`` is ``("raw",)``."""
    return tuple(name for name, yes in chosen.items() if yes)
