import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from batchlab.figures import FigureKind, Line, Panel, Role, Slot


def hill(x):
    return 0.2 + 0.7 * np.exp(-(((x - 1500.0) / 400.0) ** 2))


@pytest.fixture
def x():
    return np.linspace(4000.0, 400.0, 721)


@pytest.fixture
def kind(x):
    """Overlay above, difference below, wavenumbers running down."""
    return FigureKind(
        panels=(
            Panel(
                y_label="Absorbance (a.u.)",
                y_limits=(0.0, 1.2),
                height=3,
                lines=(Line(x=x, y=hill(x), label="Reference", role=Role.REFERENCE),),
                slots=(Slot(label="Sample", role=Role.SAMPLE),),
                legend=True,
            ),
            Panel(
                y_label="Difference (a.u.)",
                y_limits=(-0.05, 0.05),
                slots=(Slot(label="Difference", role=Role.DIFFERENCE),),
                zero_line=True,
            ),
        ),
        x_label="Wavenumber (cm⁻¹)",
        x_limits=(4000.0, 400.0),
        size_in=(6.0, 4.0),
        dpi=100.0,
    )


@pytest.fixture
def sample(x):
    """A curve for each slot of `kind`."""
    noise = 0.004 * np.random.default_rng(5).standard_normal(x.size)
    return [[(x, hill(x) + 0.05 + noise)], [(x, noise)]]


@pytest.fixture
def bare():
    """A kind of one panel with one slot and nothing on it that a curve could be mistaken for."""

    def make(y_limits=(0.0, 1.0), x_limits=(0.0, 10.0), role=Role.DIFFERENCE, **changes):
        panel = Panel(y_label="y (1)", y_limits=y_limits, slots=(Slot(label="curve", role=role),))
        kind = FigureKind(panels=(panel,), x_label="x (1)", x_limits=x_limits, size_in=(5.0, 3.0), dpi=100.0)
        return replace(kind, **changes)

    return make


@pytest.fixture
def decoded():
    """Pixels of a PNG, read by another program."""

    def decode(data):
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB")).astype(int)

    return decode
