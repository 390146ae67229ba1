import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.figures import Canvas
from batchlab.figures._decimate import decimate

LIMITS = (0.0, 10.0)


def naive(x, y, left, right, bins):
    """The same by loops: of each stretch of points in one bin the first, lowest, highest and last."""
    runs, before = [], None
    for at in range(len(x)):
        if np.isfinite(x[at]) and np.isfinite(y[at]):
            place = min(max(np.floor((x[at] - left) * (bins / (right - left))), -1), bins)
        else:
            place = None
        if at == 0 or place != before:
            runs.append([])
        runs[-1].append((at, place))
        before = place
    keep = []
    for run in runs:
        indices = [at for at, _ in run]
        chosen = {indices[0], indices[-1]}
        if run[0][1] is not None:
            for extreme in (min(indices, key=lambda i: (y[i], i)), min(indices, key=lambda i: (-y[i], i))):
                chosen |= {extreme - 1, extreme, extreme + 1} & set(range(len(x)))
        keep += chosen
    return sorted(set(keep))


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(30, 400),
    bins=st.integers(1, 3),
    order=st.sampled_from(["up", "down", "none"]),
    gaps=st.floats(0, 0.5),
    flip=st.booleans(),
)
def test_thinning_keeps_what_a_naive_loop_keeps(seed, n, bins, order, gaps, flip):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3, 13, n)
    x = {"up": np.sort(x), "down": np.sort(x)[::-1], "none": x}[order]
    y = rng.integers(-4, 5, n).astype(float)  # many equal values
    y[rng.random(n) < gaps] = np.nan
    x[rng.random(n) < gaps / 10] = np.inf
    left, right = LIMITS[::-1] if flip else LIMITS
    thin_x, thin_y = decimate(x, y, limits=(left, right), bins=bins)
    expected = naive(x, y, left, right, bins) if n > 8 * bins else list(range(n))
    np.testing.assert_array_equal(thin_x, x[expected])
    gap = ~(np.isfinite(x) & np.isfinite(y)) & (n > 8 * bins)
    np.testing.assert_array_equal(thin_y, np.where(gap, np.nan, y)[expected])


def test_short_lines_stay_as_they_are():
    x = np.linspace(0, 10, 800)
    assert decimate(x, x, limits=LIMITS, bins=100)[0] is x


def smeared(mask):
    """The mask, and every pixel beside it."""
    wide = mask.copy()
    wide[1:] |= mask[:-1]
    wide[:-1] |= mask[1:]
    tall = wide.copy()
    tall[:, 1:] |= wide[:, :-1]
    tall[:, :-1] |= wide[:, 1:]
    return tall


def shapes():
    x = np.linspace(0.0, 10.0, 60_000)
    rng = np.random.default_rng(2)
    noise = rng.standard_normal(x.size)
    gaps = np.where((x > 3) & (x < 3.5) | (x > 7) & (x < 7.02), np.nan, 0.5 + 0.03 * noise)
    spikes = np.full_like(x, 0.2)
    spikes[::5003] = 0.9
    return {
        "noise": (x, 0.5 + 0.3 * np.sin(2 * x) + 0.005 * noise),
        "smooth": (x, 0.5 + 0.4 * np.sin(3 * x)),
        "gaps": (x, gaps),
        "spikes": (x, spikes),
        "beyond the limits": (x * 3 - 10, 0.5 + 0.8 * np.sin(x)),
        "down": (x[::-1], 0.5 + 0.1 * np.cos(x) + 0.01 * noise),
    }


@pytest.mark.parametrize("name", shapes())
def test_a_long_line_looks_as_if_no_point_were_left_out(bare, monkeypatch, name):
    x, y = shapes()[name]
    kind = bare()

    def picture():
        canvas = Canvas(kind)
        canvas.draw([[(x, y)]])
        return canvas.rgba[..., :3].astype(int)

    fast = picture()
    drawn = []
    monkeypatch.setattr("batchlab.figures._stage.decimate", lambda x, y, **_: drawn.append(x.size) or (x, y))
    slow = picture()
    assert drawn == [60_000]
    differs = np.abs(fast - slow).max(axis=2)
    ink = (slow < 250).any(axis=2)
    assert (differs > 48).sum() <= 0.01 * ink.sum()
    # No ink is more than one pixel from where it should be, and none is missing.
    assert not (np.any(fast < 128, axis=2) & ~smeared(np.any(slow < 200, axis=2))).any()
    assert not (np.any(slow < 128, axis=2) & ~smeared(np.any(fast < 200, axis=2))).any()


def test_a_line_with_more_ink_than_the_rasteriser_holds_is_drawn_whole(bare, monkeypatch):
    """The rasteriser refuses long paths; here it is made to, so that a small picture shows the rest."""
    from matplotlib.lines import Line2D

    x = np.linspace(0, 10, 4500)  # 0.1 pixels apart
    y = 0.5 + 0.3 * np.sin(5 * x)
    whole = Canvas(bare())
    whole.draw([[(x, y)]])
    draw, refused = Line2D.draw, []

    def reluctant(self, renderer):
        if len(self.get_xdata()) > 2000:
            refused.append(len(self.get_xdata()))
            raise OverflowError("Exceeded cell block limit")
        draw(self, renderer)

    monkeypatch.setattr(Line2D, "draw", reluctant)
    pieces = Canvas(bare())
    pieces.draw([[(x, y)]])
    assert refused == [4500]
    differs = np.abs(pieces.rgba.astype(int) - whole.rgba).max(axis=2)
    assert (differs > 100).sum() <= 8, "only where two pieces meet"
