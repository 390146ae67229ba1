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


def test_noise_that_fills_a_large_picture_is_drawn_in_pieces(bare, monkeypatch):
    from matplotlib.lines import Line2D

    canvas = Canvas(bare(size_in=(10, 6), dpi=300))
    draw, sizes = Line2D.draw, []
    monkeypatch.setattr(
        Line2D, "draw", lambda self, renderer: sizes.append(len(self.get_xdata())) or draw(self, renderer)
    )
    x = np.linspace(0, 10, 3600)
    canvas.draw([[(x, np.where(np.arange(3600) % 2, 0.1, 0.9))]])
    assert len(sizes) > 1
    assert sum(sizes) == 3600 + len(sizes) - 1
    top, left = map(round, canvas.pixel_at(0, 0, 0.89))
    bottom, right = map(round, canvas.pixel_at(0, 10, 0.11))
    assert (canvas.rgba[top:bottom, left + 2 : right - 2, 0] < 200).all()


def test_a_line_drawn_in_pieces_looks_like_the_whole(bare, monkeypatch):
    x = np.linspace(0, 10, 4500)  # 0.1 pixels apart
    y = 0.5 + 0.3 * np.sin(5 * x)
    y[2000:2100] = np.nan
    canvas = Canvas(bare())
    canvas.draw([[(x, y)]])
    whole = canvas.rgba.astype(int)
    monkeypatch.setattr("batchlab.figures._stage._MOST_EDGE_PIXELS", 500)
    canvas.draw([[(x, y)]])
    differs = np.abs(canvas.rgba - whole).max(axis=2)
    assert differs.any(), "it was drawn in pieces"
    assert (differs > 100).sum() <= 12, "and differs only where two of them meet"
