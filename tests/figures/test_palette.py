from itertools import combinations

import numpy as np
import pytest

from batchlab.figures import CYCLE, PALETTE, Role

# Machado, Oliveira, Fernandes, A physiologically-based model for simulation of color vision deficiency,
# IEEE Trans. Vis. Comput. Graph. 15 (2009) 1291: severity 1.0, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def lab(colour, seen=VISION["normal"]):
    """CIE L*a*b* (D65) of a colour as it is seen."""
    rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(seen @ linear, 0, 1)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    ratio = to_xyz @ linear / np.array([0.95047, 1.0, 1.08883])
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISION)
def test_roles_are_told_apart_by_every_kind_of_colour_vision(vision):
    seen = {role: lab(style.colour, VISION[vision]) for role, style in PALETTE.items()}
    for one, other in combinations(seen, 2):
        apart = np.linalg.norm(seen[one] - seen[other])
        dashed = bool(PALETTE[one].dashes) != bool(PALETTE[other].dashes)
        # Tritanopia is a hundred times rarer than the other two, and blue and green come close in it.
        enough = 15 if dashed or vision == "tritanopia" else 20
        assert apart > enough, (one, other)


@pytest.mark.parametrize("vision", VISION)
def test_groups_are_told_apart_by_every_kind_of_colour_vision(vision):
    seen = [lab(colour, VISION[vision]) for colour in CYCLE]
    nearest, one, other = min(
        (np.linalg.norm(seen[a] - seen[b]), CYCLE[a], CYCLE[b]) for a, b in combinations(range(len(CYCLE)), 2)
    )
    assert nearest > 15, (one, other)
    assert min(np.linalg.norm(each - lab("#FFFFFF", VISION[vision])) for each in seen) > 35


@pytest.mark.parametrize("vision", VISION)
def test_reference_and_sample_differ_in_lightness_too(vision):
    reference, sample = (lab(PALETTE[role].colour, VISION[vision])[0] for role in (Role.REFERENCE, Role.SAMPLE))
    assert abs(reference - sample) > 30
    assert PALETTE[Role.REFERENCE].width_pt > PALETTE[Role.SAMPLE].width_pt


@pytest.mark.parametrize("vision", VISION)
def test_every_role_stands_out_from_white(vision):
    white = lab("#FFFFFF", VISION[vision])
    assert min(np.linalg.norm(lab(s.colour, VISION[vision]) - white) for s in PALETTE.values()) > 35


def test_every_role_has_a_style():
    assert set(PALETTE) == set(Role)
