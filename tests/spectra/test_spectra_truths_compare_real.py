"""Numbers of comparisons of real files, each computed a second time without this package."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.signal import savgol_filter
from scipy.spatial import distance
from scipy.stats import entropy, pearsonr

from batchlab.engine import Settings, inline, read_view, run
from batchlab.errors import DataError
from batchlab.spectra import (
    METRICS,
    PRESETS,
    Recipe,
    Spectrum,
    Technique,
    compare,
    compare_batch,
    prepare,
    read_spectra,
    read_text,
    similarity_of_many,
    to_axis,
    to_quantity,
)
from batchlab.spectra._pretreatment._menu import METHODS, OWN_METHODS

RAMAN = {"axis_kind": "raman shift", "quantity": "counts"}
BWTEK = {"axis": "Raman Shift", "column": "Dark Subtracted #1"}
# What weighs all points alike does not know in which unit they are counted.
OF_POINTS = set(METRICS) - {"derivative_r", "area_ratio", "max_deviation_at"}


def recipe(**written) -> Recipe:
    return Recipe.model_validate(written)


@pytest.fixture(scope="module")
def fluorescence(shared_spectra: Path) -> list[Path]:
    return sorted((shared_spectra / "perkinelmer-ls50-peds-family").glob("flu*.txt"))


@pytest.fixture(scope="module")
def glasses(shared_spectra: Path) -> list[Spectrum]:
    return [read_text(path, **RAMAN) for path in sorted((shared_spectra / "horiba-glass-family").glob("*.txt"))]


@pytest.fixture(scope="module")
def powers(shared_spectra: Path) -> dict[str, Spectrum]:
    folder = shared_spectra / "bwtek-twinning-family"
    return {path.stem.split("Probe_")[1]: read_text(path, **BWTEK) for path in folder.glob("*.txt")}


@pytest.fixture(scope="module")
def leaves(shared_spectra: Path) -> list[Spectrum]:
    """Those of one plant, without the white reference."""
    files = sorted((shared_spectra / "svc-sig-family").glob("ACPL*_00?.sig"))
    return [read_text(path) for path in files if "_WR_" not in path.name]


def by_hand(x, a, b) -> dict[str, float]:
    """All measures by numpy and scipy."""
    slopes = [savgol_filter(each, 7, 2, deriv=1)[3:-3] for each in (a, b)]
    r = pearsonr(a, b).statistic
    worst = int(np.argmax(np.abs(b - a)))
    positive = a.min() > 0 and b.min() > 0
    return {
        "pearson_r": r,
        "derivative_r": pearsonr(*slopes).statistic,
        "cosine": 1 - distance.cosine(a, b),
        "spectral_angle_deg": math.degrees(math.acos(min(1.0, 1 - distance.cosine(a, b)))),
        "sid": entropy(a, b) + entropy(b, a) if positive else math.nan,
        "rmse": distance.euclidean(a, b) / math.sqrt(a.size),
        "relative_rmse": math.sqrt(np.mean((b - a) ** 2)) / np.std(a, ddof=1),
        "mae": distance.cityblock(a, b) / a.size,
        "max_deviation": b[worst] - a[worst],
        "max_deviation_at": x[worst],
        "euclid": distance.euclidean(a, b),
        "hqi": 1000 * max(r, 0.0) ** 2,
        "area_ratio": trapezoid(b, x) / trapezoid(a, x),
    }


def test_every_similarity_of_every_pair_is_that_by_hand(glasses, fluorescence, leaves):
    solutions = [read_text(path) for path in fluorescence]
    for family in (glasses, solutions):
        for sample in family[1:]:
            one = family[0]
            low, high = max(one.axis.min(), sample.axis.min()), min(one.axis.max(), sample.axis.max())
            x = one.axis[(one.axis >= low) & (one.axis <= high)]
            a = one.intensity[(one.axis >= low) & (one.axis <= high)]
            expected = by_hand(x, a, np.interp(x, sample.axis, sample.intensity))
            assert expected.keys() == set(METRICS)
            even = np.ptp(np.diff(x)) < 1e-3 * np.diff(x).mean()
            found = compare(one, sample, metrics="all").metrics
            for name, value in expected.items():
                if name == "derivative_r" and not even:
                    continue  # that of scipy knows only even steps
                assert found[name] == pytest.approx(value, rel=1e-6, abs=1e-9, nan_ok=True), (sample.name, name)


def test_many_at_once_are_the_numbers_of_each(powers):
    reference = powers["100(292mW)_6000msx5ac_1"]
    rows = np.array([each.intensity for each in powers.values()])
    found = similarity_of_many(reference.intensity, rows)
    for at, row in enumerate(rows):
        expected = by_hand(reference.axis, reference.intensity, row)
        assert found.pearson_r[at] == pytest.approx(expected["pearson_r"], abs=1e-12)
        assert found.rmse[at] == pytest.approx(expected["rmse"], rel=1e-12)
        assert found.spectral_angle_deg[at] == pytest.approx(expected["spectral_angle_deg"], abs=1e-4)


def test_the_dilution_series_by_nothing_but_numpy_has_its_known_ratios_too(fluorescence):
    """The known figures are those of the files themselves, and the ones that we find."""
    tables = []
    for path in fluorescence:
        lines = path.read_text("ascii").splitlines()
        tables.append(np.array([line.split() for line in lines[54 : 54 + 181]], dtype=float))
    ratios = [trapezoid(*each.T[::-1]) / trapezoid(*tables[0].T[::-1]) for each in tables]
    assert ratios == pytest.approx([1.00, 2.02, 3.17, 4.24, 5.27, 6.41], abs=0.005)
    correlations = [np.corrcoef(each[:, 1], tables[0][:, 1])[0, 1] for each in tables]
    assert min(correlations) >= 0.9987
    found = [compare(read_text(fluorescence[0]), read_text(path)).metrics for path in fluorescence]
    assert [each["area_ratio"] for each in found] == pytest.approx(ratios, rel=1e-12)
    assert [each["pearson_r"] for each in found] == pytest.approx(correlations, abs=1e-12)


def test_the_power_of_a_laser_changes_the_height_and_hardly_the_shape(powers):
    reference = powers["100(292mW)_6000msx5ac_1"]
    z = {name: (y.intensity - y.intensity.mean()) / y.intensity.std(ddof=1) for name, y in powers.items()}
    for name, sample in powers.items():
        raw, scaled = compare(reference, sample).metrics, compare(reference, sample, "snv").metrics
        if sample is not reference:
            assert 0.9975 <= raw["pearson_r"] <= 0.9998
        spread = np.std(reference.intensity, ddof=1)
        expected = np.sqrt(np.mean((sample.intensity - reference.intensity) ** 2)) / spread
        assert raw["relative_rmse"] == pytest.approx(expected, rel=1e-12)
        again = np.sqrt(np.mean((z[name] - z["100(292mW)_6000msx5ac_1"]) ** 2))
        assert scaled["relative_rmse"] == pytest.approx(again, rel=1e-9, abs=1e-12)
    weak = [name for name in powers if name.startswith("20(46mW)")]
    assert len(weak) == 2 and len(powers) == 10
    before = [compare(reference, powers[name]).metrics["relative_rmse"] for name in weak]
    after = [compare(reference, powers[name], "snv").metrics["relative_rmse"] for name in weak]
    assert before == pytest.approx([1.01, 1.01], abs=0.01) and after == pytest.approx([0.07, 0.07], abs=0.001)


# Invariances


@pytest.mark.parametrize("kind", ["wavelength", "wavenumber", "energy"])
def test_no_number_of_points_depends_on_the_unit_of_the_axis(powers, kind):
    one, other = powers["100(292mW)_6000msx5ac_1"], powers["40(106mW)_6000msx5ac_1"]
    whole = compare(one, other, "snv", metrics="all").metrics
    moved = [to_axis(each, kind, laser_nm=784.9) for each in (one, other)]
    found = compare(*moved, "snv", metrics="all").metrics
    for name in OF_POINTS:
        assert found[name] == pytest.approx(whole[name], rel=1e-9, nan_ok=True), name
    within = compare(one, other, "snv", metrics="all", recipe=recipe(to_axis=kind, laser_nm=784.9)).metrics
    for name in METRICS:
        assert within[name] == pytest.approx(found[name], rel=1e-9, nan_ok=True), name
    # Who writes one file in another unit is compared alike.
    mixed = compare(one, moved[1], "snv", metrics="all", recipe=recipe(to_axis="raman shift", laser_nm=784.9)).metrics
    for name in OF_POINTS:
        assert mixed[name] == pytest.approx(whole[name], rel=1e-6, abs=1e-9, nan_ok=True), name


def test_no_number_depends_on_percent_or_share(leaves):
    one, other = leaves[:2]
    whole = compare(one, other, metrics="all").metrics
    shares = [to_quantity(each, "reflectance", "1") for each in (one, other)]
    found = compare(*shares, metrics="all").metrics
    in_units = {"rmse", "mae", "max_deviation", "euclid"}
    for name in METRICS:
        factor = 100 if name in in_units else 1
        assert found[name] * factor == pytest.approx(whole[name], rel=1e-9), name
    mixed = compare(one, shares[1], metrics="all", recipe=recipe(to_quantity="reflectance", to_unit="%")).metrics
    for name in METRICS:
        assert mixed[name] == pytest.approx(whole[name], rel=1e-9), name


def test_order_of_files_and_number_of_workers_change_no_byte(fluorescence, tmp_path):
    made: list[dict[str, bytes]] = []
    told: list[dict[str, object]] = []
    for number, (samples, workers) in enumerate([(fluorescence, 0), (fluorescence[::-1], 1), (fluorescence, 2)]):
        batch = compare_batch(
            fluorescence[0],
            samples,
            tmp_path / f"out{number}",
            normalization="snv",
            dpi=50,
            settings=Settings(workers=max(1, workers)),
        )
        result = run(batch, install_signal_handlers=False, **({} if workers else {"executor": inline}))
        assert result.exit_code == 0
        view = read_view(batch.output)
        told.append({job.name: job.metrics for job in view.jobs})
        products = (path for kind in ("*.csv", "*.png") for path in Path(batch.output).glob(kind))
        made.append({path.name: path.read_bytes() for path in products})
    assert len(made[0]) == 12
    assert made[0] == made[1] == made[2]
    assert told[0] == told[1] == told[2]


# Pretreatment


def family_of(technique: Technique) -> str:
    return {
        Technique.RAMAN: "powers",
        Technique.FLUORESCENCE: "fluorescence",
        Technique.FIELD_REFLECTANCE: "leaves",
        Technique.NIR: "leaves",
    }.get(technique, "fluorescence")


@pytest.mark.parametrize("technique", PRESETS)
def test_reference_and_sample_are_treated_alike(request, shared_spectra, technique):
    """What is done to a spectrum does not depend on which of the two it is."""
    if technique is Technique.FTIR:
        folder = shared_spectra / "jcamp-ir"
        pair = [read_spectra(folder / name)[0] for name in ("benzene.jdx", "n-butane.jdx")]
    else:
        family = request.getfixturevalue(family_of(technique))
        members = list(family.values())[:2] if isinstance(family, dict) else family[:2]
        pair = [each if isinstance(each, Spectrum) else read_text(each) for each in members]
    made = recipe(preset=technique.value)
    for one in pair:
        both = prepare(one, one, made)
        assert both.sample.tolist() == both.reference.tolist()
        metrics = compare(one, one, recipe=made).metrics
        assert (metrics["pearson_r"], metrics["rmse"]) == (1.0, 0.0)
    there, back = prepare(*pair, made), prepare(*pair[::-1], made)
    if technique is Technique.FTIR:  # two axes: each is interpolated at the points of the other
        inner = np.interp(there.axis, back.axis[np.argsort(back.axis)], back.reference[np.argsort(back.axis)])
        assert np.corrcoef(inner, there.sample)[0, 1] > 0.999
    else:
        assert there.axis.tolist() == back.axis.tolist()
        assert there.reference.tolist() == back.sample.tolist()
        assert there.sample.tolist() == back.reference.tolist()


@pytest.fixture(scope="module")
def glass(glasses) -> tuple[np.ndarray, np.ndarray]:
    one = glasses[0]
    kept = slice(200, 460)
    return one.axis[kept], one.intensity[kept]


@pytest.mark.parametrize("method", sorted(set(METHODS) - set(OWN_METHODS)))
def test_each_baseline_of_the_menu_is_that_of_pybaselines(glass, method):
    pybaselines = pytest.importorskip("pybaselines")
    x, y = glass
    spectrum = Spectrum(axis=x, intensity=y, axis_kind="raman shift", quantity="counts")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of methods that do not converge here; ours tells them
        baseline, _ = getattr(pybaselines.Baseline(x_data=x), method)(y)
    both = prepare(spectrum, spectrum, recipe(steps=[{"baseline": method}]))
    np.testing.assert_allclose(both.reference, y - baseline, rtol=1e-9, atol=1e-6)
    assert not np.allclose(both.reference, y)


@pytest.mark.parametrize("step", ["msc", "emsc"])
def test_scatter_correction_is_that_of_chemotools(leaves, fluorescence, step):
    scatter = pytest.importorskip("chemotools.scatter")
    # The polynomials of its EMSC run over the numbers of the points, ours over the axis: alike where steps are even.
    family = leaves[:6] if step == "msc" else [read_text(path) for path in fluorescence]
    mean = prepare(family[0], family[0]).reference
    oracle = {
        "msc": lambda: scatter.MultiplicativeScatterCorrection(reference=mean),
        "emsc": lambda: scatter.ExtendedMultiplicativeScatterCorrection(reference=mean, order=2),
    }[step]()
    raw = np.array([prepare(family[0], each).sample for each in family])
    expected = oracle.fit(raw).transform(raw)
    for each, before, after in zip(family[1:], raw[1:], expected[1:], strict=True):
        found = prepare(family[0], each, recipe(steps=[step])).sample
        np.testing.assert_allclose(found, after, rtol=1e-6, atol=1e-8)
        assert np.abs(found - mean).mean() < 0.9 * np.abs(before - mean).mean()


def test_extended_scatter_correction_of_an_uneven_axis_is_its_least_squares(leaves):
    plain = prepare(*leaves[:2])
    u = (plain.axis - plain.axis.mean()) / np.ptp(plain.axis)
    design = np.c_[plain.reference, np.ones(u.size), u, u**2]
    scale, *scattered = np.linalg.lstsq(design, plain.sample, rcond=None)[0]
    found = prepare(*leaves[:2], recipe(steps=["emsc"])).sample
    np.testing.assert_allclose(found, (plain.sample - design[:, 1:] @ scattered) / scale, rtol=1e-8)


# Refusals


def test_spectra_that_do_not_overlap_are_refused_and_not_extrapolated(shared_spectra, fluorescence, glasses):
    solution = read_text(fluorescence[0])  # 405 to 495 nm
    near_infrared = Spectrum(axis=solution.axis + 600, intensity=solution.intensity, axis_kind="wavelength", name="far")
    absorbance = read_text(shared_spectra / "genesys30-csv-tsv" / "thermo_fisher_genesys30_example_02.csv")
    for one, other, reason in (
        (solution, near_infrared, "no-overlap"),
        (glasses[0], solution, "unit-mismatch"),
        (absorbance, solution, "quantity-mismatch"),
    ):
        for pair in ((one, other), (other, one)):
            with pytest.raises(DataError) as caught:
                compare(*pair)
            assert caught.value.reason == reason
    half = compare(solution, Spectrum(axis=solution.axis + 30, intensity=solution.intensity, axis_kind="wavelength"))
    assert (half.axis[0], half.axis[-1]) == (435.0, 495.0)
    assert half.metrics["coverage"] == pytest.approx(60 / 90)
