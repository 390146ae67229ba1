"""The three time types of CDF in seconds since 1970, UTC without leap seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.particles._model import InvalidCdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EPOCH", "EPOCH16", "TT2000", "unix_seconds"]

EPOCH, EPOCH16, TT2000 = 31, 32, 33

_YEAR_0_S = 62_167_219_200  # from the year 0 to 1970
_J2000_S = 946_728_000  # 2000-01-01 12:00, as if a day of unix time
_TT_LESS_TAI_NS = 32_184_000_000
# Days since 1970 from which TAI is this many seconds ahead of UTC: IERS Bulletin C, complete until at least 2026.
_LEAPS = np.array(
    [
        (730, 10), (912, 11), (1096, 12), (1461, 13), (1826, 14), (2191, 15), (2557, 16), (2922, 17), (3287, 18),
        (3652, 19), (4199, 20), (4564, 21), (4929, 22), (5660, 23), (6574, 24), (7305, 25), (7670, 26), (8217, 27),
        (8582, 28), (8947, 29), (9496, 30), (10043, 31), (10592, 32), (13149, 33), (14245, 34), (15522, 35),
        (16617, 36), (17167, 37),
    ],
    np.int64,
)  # fmt: skip


def unix_seconds(raw: NDArray[Any], data_type: int) -> NDArray[np.float64]:
    """Times of CDF in seconds since 1970.

    Parameters
    ----------
    raw
        (N,) CDF_EPOCH in ms since the year 0, or CDF_TIME_TT2000 in ns since J2000; (N, 2) CDF_EPOCH16 in s and ps. A
        second leapt over counts as the first of the next minute.
    data_type
        The number of the type.

    Returns
    -------
    (N,) array
        UTC without leap seconds; NaN for fill.

    Raises
    ------
    InvalidCdf
        If the type is none of time.
    """
    if data_type == EPOCH:
        times = (raw.astype(np.float64) - _YEAR_0_S * 1_000) / 1_000
        bad = raw <= 0
    elif data_type == EPOCH16:
        times = (raw[:, 0] - _YEAR_0_S) + raw[:, 1] * 1e-12
        bad = raw[:, 0] <= 0
    elif data_type == TT2000:
        starts = (_LEAPS[:, 0] * 86_400 - _J2000_S + _LEAPS[:, 1]) * 1_000_000_000 + _TT_LESS_TAI_NS
        leap = _LEAPS[:, 1][np.maximum(np.searchsorted(starts, raw, side="right") - 1, 0)]
        bad = raw < -(1 << 62)
        utc_ns = np.where(bad, 0, raw) - _TT_LESS_TAI_NS - leap * 1_000_000_000
        times = _J2000_S + utc_ns // 1_000_000_000 + (utc_ns % 1_000_000_000) * 1e-9
    else:
        raise InvalidCdf(f"a variable of type {data_type} is none of time")
    return np.where(bad | ~np.isfinite(times), np.nan, times)
