"""Folds: parts of a set that are held out one after the other, to see how well the rest tells of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from batchlab.errors import ConfigError

__all__ = ["Fold", "folds"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold(Generic[T]):
    """One way of parting a set.

    Attributes
    ----------
    number
        From 1 on.
    train, test
        What is learnt from, and what is held out; both in the order of the set.
    """

    number: int
    train: tuple[T, ...]
    test: tuple[T, ...]


def folds(
    items: Sequence[T],
    count: int,
    *,
    group: Callable[[T], Hashable] | None = None,
    in_order: bool = False,
    seed: int = 0,
) -> tuple[Fold[T], ...]:
    """Part a set so that each item is held out exactly once.

    Parameters
    ----------
    items
        What is parted: files, frames, subjects.
    count
        How many folds.
    group
        What belongs together: items of one group are never parted, as recordings of one subject must not be. Folds
        then are as equal in size as groups allow.
    in_order
        Whether each fold holds out a stretch of the order given, as blocks of time are; else items are dealt out at
        random.
    seed
        Of the dealing: the same seed gives the same folds.

    Returns
    -------
    tuple of Fold
        None of them empty.

    Raises
    ------
    ConfigError
        If there are fewer than two folds, or fewer items or groups than folds.
    """
    members: dict[Hashable, list[int]] = {}
    for at, item in enumerate(items):
        members.setdefault(at if group is None else group(item), []).append(at)
    what = "items" if group is None else "groups"
    if count < 2:
        raise ConfigError(f"{count} folds hold nothing out; ask for 2 or more")
    if len(members) < count:
        raise ConfigError(f"{len(members)} {what} cannot make {count} folds; ask for {max(len(members), 2)} or fewer")
    parts = list(members.values())
    held = _stretches(parts, count) if in_order else _dealt(parts, count, seed)
    made = []
    for number, test in enumerate(held, 1):
        out = set(test)
        made.append(
            Fold(
                number=number,
                train=tuple(item for at, item in enumerate(items) if at not in out),
                test=tuple(items[at] for at in sorted(test)),
            )
        )
    return tuple(made)


def _dealt(parts: list[list[int]], count: int, seed: int) -> list[list[int]]:
    """At random, the largest parts first, each to the fold that has least."""
    shuffled = sorted(parts)
    random.Random(seed).shuffle(shuffled)
    hands: list[list[int]] = [[] for _ in range(count)]
    for part in sorted(shuffled, key=len, reverse=True):
        min(hands, key=len).extend(part)
    return hands


def _stretches(parts: list[list[int]], count: int) -> list[list[int]]:
    """Runs of neighbouring parts, as equal in number of items as they can be without an empty one."""
    total = sum(map(len, parts))
    hands: list[list[int]] = []
    at = taken = 0
    for number in range(1, count + 1):
        hand = list(parts[at])
        at += 1
        # As many must be left as there are folds to come.
        while at < len(parts) - (count - number) and (
            number == count or taken + len(hand) + len(parts[at]) / 2 <= total * number / count
        ):
            hand += parts[at]
            at += 1
        taken += len(hand)
        hands.append(hand)
    return hands
