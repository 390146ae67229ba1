"""The table of a comparison gives it back; the demo set is what its truth says."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from batchlab.errors import DataError
from batchlab.spectra import (
    AxisKind,
    Comparison,
    Normalization,
    Quantity,
    Spectrum,
    compare,
    format_comparison,
    parse_comparison,
    read_comparison,
    read_text,
    write_comparison,
)
from batchlab.spectra._synthetic import Role, demo_sample, plan_demo, reference_spectrum, write_demo_set

FLOATS = arrays(np.float64, (4, 6), elements=st.floats(allow_nan=False, allow_infinity=False))


@settings(deadline=None)
@given(
    values=FLOATS,
    names=st.tuples(st.text(max_size=20), st.text(max_size=20)),
    ratio=st.floats(allow_nan=True, allow_infinity=False),
    kind=st.sampled_from(AxisKind),
    unit=st.none() | st.text(max_size=5),
    quantity=st.sampled_from(Quantity),
    method=st.sampled_from(Normalization),
    warnings=st.lists(st.text(max_size=20), max_size=3),
    provenance=st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers() | st.none(), max_size=4),
)
def test_a_table_reads_back_to_the_bit(values, names, ratio, kind, unit, quantity, method, warnings, provenance):
    axis, reference, sample, difference = values
    written = Comparison(
        axis=axis,
        reference=reference,
        sample=sample,
        difference=difference,
        axis_kind=kind,
        axis_unit=unit,
        quantity=quantity,
        unit=unit,
        normalization=method,
        reference_name=names[0],
        sample_name=names[1],
        metrics={"area_ratio": ratio, "n_points": 6, "axis_unit": unit or "not stated"},
        warnings=tuple(warnings),
    )
    read, how = parse_comparison(format_comparison(written, provenance))
    assert how == provenance
    for name in ("axis", "reference", "sample", "difference"):
        assert getattr(read, name).tobytes() == getattr(written, name).tobytes()
    for name in ("axis_kind", "axis_unit", "quantity", "unit", "normalization", "reference_name", "sample_name"):
        assert getattr(read, name) == getattr(written, name)
    assert read.warnings == written.warnings
    assert repr(read.metrics) == repr(dict(written.metrics))


def example() -> Comparison:
    x = np.linspace(400.0, 500.0, 30)
    facts = {"axis_kind": "raman shift", "quantity": "counts"}
    return compare(
        Spectrum(axis=x, intensity=2 + np.sin(x), name="=1+2", **facts),
        Spectrum(axis=x, intensity=2 + np.cos(x), name="b\n# axis_unit: 1", **facts),
        "snv",
    )


def test_a_table_in_a_file_is_plain_csv_below_its_comments(tmp_path):
    comparison = example()
    path = tmp_path / "table.csv"
    write_comparison(path, comparison, {"batchlab": "1.0"})
    read, how = read_comparison(path)
    assert how == {"batchlab": "1.0"}
    assert read.metrics == comparison.metrics
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert [float(row["axis"]) for row in rows] == comparison.axis.tolist()
    assert [float(row["difference"]) for row in rows] == comparison.difference.tolist()
    assert len(rows) == 30
    assert read_text(path, column="sample").intensity.tolist() == comparison.sample.tolist()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text.replace("format 1", "format 9"),
        lambda text: text.replace('# unit: "counts"\n', ""),
        lambda text: text.replace('"raman shift"', '"raman shit"'),
        lambda text: text.replace('"raman shift"', "raman shift"),
        lambda text: text.replace("axis,reference,sample,difference\n", ""),
        lambda text: text[: len(text) // 2],
        lambda text: text[: text.rindex("\n", 0, -1) + 1],
        lambda text: text + "1,2,3\n",
        lambda text: text + "1,2,3,x\n",
        lambda text: text.replace("# metrics: {", "# metrics: [{").replace("}\n# prov", "}]\n# prov"),
    ],
)
def test_a_table_that_is_not_whole_is_refused(tmp_path, spoil):
    text = format_comparison(example())
    spoiled = spoil(text)
    assert spoiled != text
    with pytest.raises(DataError) as caught:
        parse_comparison(spoiled, "t.csv")
    assert caught.value.reason == "not-a-comparison"
    assert "t.csv" in str(caught.value)


def test_a_table_that_is_no_text_is_refused(write):
    with pytest.raises(DataError) as caught:
        read_comparison(write(b"\xff\xfe\x00"))
    assert caught.value.reason == "not-a-comparison"


# The demo set


def test_a_demo_set_is_found_as_its_truth_says(tmp_path):
    truths = write_demo_set(tmp_path, samples=24, seed=3, points=1200)
    reference = read_text(tmp_path / "reference.csv")
    assert (reference.axis_label, reference.intensity_label, len(reference)) == ("Raman shift / cm⁻¹", "Counts", 1200)
    assert sorted(p.name for p in (tmp_path / "samples").iterdir()) == sorted(t.file for t in truths)
    correlations = {}
    for truth in truths:
        path = tmp_path / "samples" / truth.file
        if truth.role is Role.BROKEN:
            with pytest.raises(DataError) as caught:
                read_text(path)
            assert caught.value.reason == "truncated"
            continue
        metrics = compare(reference, read_text(path)).metrics
        assert metrics["area_ratio"] == pytest.approx(truth.area_ratio, rel=0.01, abs=0.005)
        assert metrics["coverage"] == 1.0
        if not (truth.extra_band or truth.shift or truth.role is Role.OUTLIER):
            assert metrics["area_ratio"] == pytest.approx(truth.scale, rel=0.01)
        correlations.setdefault(truth.role, []).append(metrics["pearson_r"])
    assert max(correlations[Role.OUTLIER]) < 0.5 < 0.85 < min(correlations[Role.GOOD])


@pytest.mark.parametrize("seed", [0, 1])
def test_every_layout_holds_the_same_numbers(tmp_path, seed):
    truths = write_demo_set(tmp_path, samples=12, seed=seed, points=300)
    assert len({t.layout for t in truths}) == 5
    for truth in truths[:-1]:
        seen = demo_sample(truth, seed=seed, points=300)
        read = read_text(tmp_path / "samples" / truth.file)
        step = -1 if read.axis[0] > read.axis[-1] else 1
        np.testing.assert_allclose(read.axis[::step], seen.axis, atol=6e-5)
        np.testing.assert_allclose(read.intensity[::step], seen.intensity, atol=6e-4)


def test_a_seed_decides_every_byte(tmp_path):
    for folder, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_demo_set(tmp_path / folder, samples=6, seed=seed, points=200)
    a, b, c = ([p.read_bytes() for p in sorted((tmp_path / folder).rglob("*.*")) if p.is_file()] for folder in "abc")
    assert a == b != c
    assert plan_demo(6, 5, points=200) == plan_demo(6, 5, points=200)


def test_the_truth_beside_the_set_tells_what_was_written(tmp_path):
    truths = write_demo_set(tmp_path, samples=9, points=200)
    with (tmp_path / "truth.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [t.file for t in truths]
    assert [float(row["scale"]) for row in rows] == [t.scale for t in truths]
    assert rows[-1]["area_ratio"] == "" and truths[-1].area_ratio is None
    assert math.isclose(float(rows[0]["area_ratio"]), truths[0].area_ratio)


@pytest.mark.parametrize("samples", [1, 3, 4])
def test_small_sets_are_good_first(tmp_path, samples):
    roles = [t.role for t in write_demo_set(tmp_path, samples=samples, points=100)]
    assert roles == ([Role.GOOD] * samples if samples < 4 else [Role.GOOD] * 2 + [Role.OUTLIER, Role.BROKEN])
    assert reference_spectrum(100).axis_kind is AxisKind.RAMAN_SHIFT
