"""Metrics and enriched histories through the engine: only what is covered changes, and nothing stale is kept."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime

import polars as pl
import pytest
from device_batches import KEY, content, copied, derived, rewrite, staged, table, values

from batchlab.batchfile import load
from batchlab.devices._batches import FITTING, metrics_batch, swept
from batchlab.devices._enrich import read_enriched
from batchlab.devices._history import read_histories, seqs_of
from batchlab.devices._layout import Layout
from batchlab.devices._model import Chip
from batchlab.devices._store import Store
from batchlab.devices._workers import choose_workers, estimated_s
from batchlab.devices.metrics import extract, metrics_frame
from batchlab.devices.metrics._pairs import NAMES as PAIR_NAMES
from batchlab.engine import Status, Verdict, plan, read_view, run, why
from batchlab.errors import ConfigError, DataError

KEY_OF_CHIP = ["chip_group", "chip_number"]


@pytest.fixture(scope="module")
def done(lab, tmp_path_factory):
    """A laboratory that is staged and derived, never written after."""
    layout = copied(lab.raw_root, tmp_path_factory.mktemp("done"), fewer=3)
    assert staged(layout).exit_code == 0
    assert derived(layout, enrich=True).exit_code == 0
    return layout


@pytest.fixture
def layout(done, tmp_path):
    """The same, to change; its raw files lie elsewhere now, so staging reads them again."""
    shutil.copytree(done.raw.parent, tmp_path / "data")
    made = Layout.below(tmp_path / "data")
    staged(made)
    derived(made, enrich=True)
    return made


def of_chip(frame: pl.DataFrame, chip: Chip) -> pl.DataFrame:
    return frame.filter(pl.col("chip_group") == chip.group, pl.col("chip_number") == chip.number)


def chips_of(layout: Layout) -> list[Chip]:
    rows = Store(layout.store).table.select("chip_group", "chip_number").drop_nulls().unique().sort(pl.all()).rows()
    return [Chip(*row) for row in rows]


def test_the_table_is_that_of_the_library(done):
    found = extract(Store(done.store).runs())
    seqs = seqs_of(read_histories(done.histories))
    expected = metrics_frame(found.metrics, timestamp=datetime.now(UTC), seq=seqs)
    assert values(table(done)).equals(values(expected))


def test_items_are_runs_and_pairs(done):
    view = read_view(done.derived)
    runs = [item.name for job in view.jobs if job.task == "devices.extract" for item in job.items]
    files = Store(done.store).table.filter(pl.col("proc") != "LaserCalibration")["source_file"]
    assert set(runs) <= set(files) and len(runs) == len(set(runs))
    (pairs,) = [job for job in view.jobs if job.task == "devices.pairs"]
    assert pairs.items and all(" to " in item.name for item in pairs.items)
    covered = table(done).filter(pl.col("metric_name") == "consecutive_sweep_difference")["run_id"].n_unique()
    assert pairs.metrics["pairs"] == covered == len(pairs.items)


def test_a_repeated_run_does_nothing_and_force_gives_the_same_bytes(layout):
    before = content(layout.derived)
    result = derived(layout, enrich=True)
    assert sum(result.counts.values()) == 0
    assert content(layout.derived) == before
    assert derived(layout, enrich=True, fresh=True).exit_code == 0
    assert content(layout.derived) == before


def test_workers_change_nothing(layout, done):
    shutil.rmtree(layout.derived)
    derived(layout, enrich=True, workers=2)
    assert values(table(layout)).equals(values(table(done)))
    for name, frame in read_histories(done.enriched).items():
        assert frame.equals(pl.read_parquet(layout.enriched / f"{name}_history.parquet"))


def test_a_filtered_run_touches_its_rows_alone(layout):
    before = table(layout)
    chip, other = chips_of(layout)[:2]
    result = derived(layout, chips=[chip.name], procedures=["IVg"], fresh=True)
    assert result.exit_code == 0
    assert table(layout).equals(before)
    # What a threshold changes, it changes where it is asked to.
    derived(layout, chips=[chip.name], procedures=["IVg"], constants={"PARABOLA_WINDOW": 0.2})
    after = table(layout)
    changed = after.join(before, on=after.columns, how="anti", nulls_equal=True)
    assert changed.height > 0
    assert set(changed["procedure"]) == {"IVg"}
    assert of_chip(changed, chip).height == changed.height
    assert of_chip(after, other).equals(of_chip(before, other))


def test_a_filtered_run_forgets_no_job(layout):
    derived(layout)
    (name,) = (job.name for job in read_view(layout.derived).jobs if job.name.endswith("Alisson67/It"))
    derived(layout, chips=["67"], procedures=["IVg"])
    answer = why(layout.derived, name)
    assert (answer.state, answer.next) == (Status.DONE, "skip")


def test_a_filtered_run_into_nothing_makes_its_rows_alone_and_the_rest_follows(layout, done):
    shutil.rmtree(layout.derived)
    chip = chips_of(layout)[0]
    derived(layout, chips=[chip.name], procedures=["IVg,It"])
    part = table(layout)
    assert set(part["procedure"]) == {"IVg", "It"} and of_chip(part, chip).height == part.height
    made = metrics_batch(layout)
    skipped = {each.job.name for each in plan(made.batch).jobs if each.verdict is Verdict.SKIP}
    assert {f"extract/{chip.name}/IVg", f"extract/{chip.name}/It"} <= skipped
    run(made.batch)
    assert values(table(layout)).equals(values(table(done)))


def test_a_new_constant_is_followed_and_old_values_stay_noted(layout):
    before = table(layout)
    derived(layout, constants={"LIGHT_ON_VOLTAGE_V": 0.2, "MIN_RESISTANCE_MODULATION": 1e6}, pairs=False)
    gone = before.filter(pl.col("extraction_method") == "maximum-resistance", pl.col("metric_name") == "cnp_forward")
    assert gone.height > 0
    after = table(layout)
    assert after.join(gone, on=KEY, how="semi").height == 0
    versions = pl.read_parquet(layout.versions)
    assert versions.join(gone, on=KEY, how="semi").height == gone.height
    assert versions["superseded_timestamp"].null_count() == 0


def test_fits_alone_settle_themselves_alone(layout, done):
    shutil.rmtree(layout.derived)
    derived(layout, extractors=FITTING, pairs=False)
    fits = values(table(layout))
    whole = values(table(done))
    names = set(fits["metric_name"])
    assert "tau_dark" in names and "cnp_voltage" not in names
    assert fits.equals(whole.filter(pl.col("metric_name").is_in(names)))
    derived(layout, singles=False)
    names |= set(PAIR_NAMES)
    assert values(table(layout)).equals(whole.filter(pl.col("metric_name").is_in(names)))


def test_a_corrected_raw_file_corrects_what_comes_of_it_and_no_more(layout, lab):
    before = table(layout)
    store = Store(layout.store)
    row = store.table.filter(pl.col("proc") == "It", pl.col("has_light")).sort("source_file").row(0, named=True)
    rewrite(layout.raw / row["source_file"], b"VG: ", b"VG: 1")
    staged(layout)
    made = metrics_batch(layout, enrich=True)
    stale = {each.job.name: each.reason for each in plan(made.batch).jobs if each.verdict is Verdict.STALE}
    chip = row["chip_name"]
    assert f"extract/{chip}/It" in stale and stale[f"extract/{chip}/It"] == "the runs has changed"
    assert {name for name in stale if name.startswith("extract/")} == {f"extract/{chip}/It"}
    run(made.batch)
    expected = metrics_frame(extract(Store(layout.store).runs()).metrics, timestamp=datetime.now(UTC))
    assert values(table(layout)).drop("seq_num").equals(values(expected).drop("seq_num"))
    kept = before.filter(pl.col("chip_number") != row["chip_number"])
    assert kept.join(table(layout), on=kept.columns, how="anti", nulls_equal=True).height == 0


def test_a_deleted_run_is_gone_everywhere_and_numbers_follow(layout):
    store = Store(layout.store)
    first = store.table.filter(pl.col("proc") == "IVg").sort("start_time_utc").row(0, named=True)
    (layout.raw / first["source_file"]).unlink()
    staged(layout)
    derived(layout, enrich=True)
    after = table(layout)
    assert first["run_id"] not in set(after["run_id"])
    seqs = seqs_of(read_histories(layout.histories))
    assert dict(after.select("run_id", "seq_num").unique().iter_rows()).items() <= (seqs.items())
    enriched = read_enriched(layout.enriched, first["chip_name"]).table
    assert first["run_id"] not in set(enriched["run_id"])
    assert first["run_id"] in set(pl.read_parquet(layout.versions)["run_id"])


def test_a_chip_that_is_no_longer_staged_leaves_with_a_full_run_only(layout):
    chip, other = chips_of(layout)[-1], chips_of(layout)[0]
    for file in of_chip(Store(layout.store).table, chip)["source_file"]:
        (layout.raw / file).unlink()
    staged(layout)
    derived(layout, chips=[other.name])
    assert of_chip(table(layout), chip).height > 0
    made = metrics_batch(layout, enrich=True)
    run(made.batch)
    assert of_chip(table(layout), chip).height == 0
    gone = swept(layout, made.batch)
    assert any(chip.name in name for name in gone)
    assert not (layout.enriched / f"{chip.name}_history.parquet").exists()
    assert derived(layout, enrich=True).found_done == len(made.batch.jobs)


def test_one_bad_run_costs_one_item(layout, tmp_path, monkeypatch):
    module = tmp_path / "strange.py"
    run_id = Store(layout.store).table.filter(pl.col("proc") == "VVg")["run_id"][0]
    module.write_text(
        "class StrangeExtractor:\n"
        "    name = 'strange'\n    metrics = ('strange',)\n    category = 'electrical'\n"
        "    procedures = frozenset({'VVg'})\n    version = '1'\n\n"
        "    def extract(self, run, context):\n"
        f"        if run.run_id == {run_id!r}:\n            raise OSError('strange')\n"
        "        from batchlab.devices.metrics import Row\n        from types import SimpleNamespace\n"
        "        from batchlab.devices._model import Category\n        self.category = Category.ELECTRICAL\n"
        "        return [Row(self, run)('strange', 1.0, '1', 'by-hand')]\n\n"
        "    def validate(self, metric):\n        return True\n"
    )
    before = table(layout)
    result = derived(layout, modules=[str(module)], procedures=["VVg"], pairs=False)
    assert (result.exit_code, result.items_failed) == (1, 1)
    after = table(layout)
    others = Store(layout.store).table.filter(pl.col("proc") == "VVg").height - 1
    assert after.filter(pl.col("metric_name") == "strange").height == others
    assert run_id not in set(after.filter(pl.col("metric_name") == "cnp_voltage")["run_id"])
    kept = before.filter(pl.col("run_id") != run_id)
    assert kept.join(after, on=kept.columns, how="anti", nulls_equal=True).height == 0


def test_the_log_tells_of_pairs_in_the_documents_words(done):
    (job,) = [job for job in read_view(done.derived).jobs if job.task == "devices.pairs"]
    log = (done.derived / job.log).read_text()
    total = len(job.items)
    assert f"Pairwise extraction progress: 10/{total} pairs (" in log
    assert f"Pairwise extraction progress: {total}/{total} pairs (" in log
    assert " metrics extracted so far)" in log and " pairs/sec)" in log


def test_geometries_give_mobilities(layout, tmp_path):
    chip = chips_of(layout)[0]
    file = tmp_path / "chips.yaml"
    file.write_text(f"{chip.name}:\n  length_over_width: 3.5\n  layers:\n    - {{material: hBN, thickness_nm: 20}}\n")
    derived(layout, geometries=file, procedures=["IVg"], pairs=False)
    found = table(layout).filter(pl.col("metric_name") == "mobility_fe_holes")
    assert found.height > 0 and set(found["chip_number"]) == {chip.number}
    thin = found["value_float"].median()
    file.write_text(file.read_text().replace("20}", "40}"))
    derived(layout, geometries=file, procedures=["IVg"], pairs=False)
    thick = table(layout).filter(pl.col("metric_name") == "mobility_fe_holes")["value_float"].median()
    assert thick == pytest.approx(2 * thin)
    # In its usual place it needs no mention.
    file.rename(layout.raw.parent / "chips.yaml")
    derived(layout, procedures=["IVg"], pairs=False)
    kept = table(layout).filter(pl.col("metric_name") == "mobility_fe_holes")
    assert kept["value_float"].median() == thick


def test_a_wrong_description_of_chips_is_told_before_anything_runs(layout, tmp_path):
    file = tmp_path / "chips.yaml"
    layer = "{material: hBN, thickness_nm: 20}"
    for text, told in (
        (f"Alisson67:\n  layer:\n    - {layer}\n", r"chips.yaml, line 2, .*did you mean 'layers'"),
        (f"chip:\n  layers: [{layer}]\n", "'chip' is no chip"),
        ("Alisson67:\n  layers: [{material: wood, thickness_nm: 20}]\n", "no permittivity of 'wood'"),
        ("Alisson67:\n  layers: [{material: hBN}]\n", "a layer needs thickness_nm"),
        ("Alisson67:\n  layers: [{material: hBN, thickness_nm: thin}]\n", "thickness_nm must be a number"),
        (f"Alisson67:\n  layers: [{layer}]\n  length_over_width: [4, 3]\n", "positive and in order"),
        ("- Alisson67\n", "write a mapping from chips"),
    ):
        file.write_text(text)
        with pytest.raises(ConfigError, match=told):
            metrics_batch(layout, geometries=file)
    with pytest.raises(DataError, match="cannot be read"):
        metrics_batch(layout, geometries=tmp_path / "nowhere.yaml")


def test_without_calibrations_there_are_no_powers(layout):
    assert table(layout).filter(pl.col("metric_name") == "irradiated_power").height > 0
    derived(layout, powers=False)
    assert table(layout).filter(pl.col("metric_name") == "irradiated_power").height == 0


def test_a_calibration_reaches_the_runs_of_its_light_alone(layout):
    store = Store(layout.store)
    calibration = store.table.filter(pl.col("proc") == "LaserCalibration").sort("source_file").row(0, named=True)
    rewrite(layout.raw / calibration["source_file"], b"Sensor model: ", b"Sensor model: other ")
    staged(layout)
    stale = {each.job.name for each in plan(metrics_batch(layout).batch).jobs if each.verdict is Verdict.STALE}
    for name in stale - {"pairs"}:
        _, chip, procedure = name.split("/")
        lit = store.table.filter(pl.col("chip_name") == chip, pl.col("proc") == procedure, pl.col("has_light"))
        assert calibration["wavelength_nm"] in set(lit["wavelength_nm"])
    assert stale


def test_enriched_histories_hold_numbers_with_units(done):
    chip = chips_of(done)[0]
    found = read_enriched(done.enriched, chip.name)
    history = pl.read_parquet(done.histories / f"{chip.name}_history.parquet")
    assert found.table["run_id"].equals(history["run_id"])
    assert found.table.schema["cnp_voltage"] == pl.Float64 and found.units["cnp_voltage"] == "V"
    assert found.table.schema["irradiated_power_w"] == pl.Float64
    assert found.table["irradiated_power_w"].null_count() < found.table.height
    assert "cnp_voltage.confidence" in found.table.columns


def test_what_is_not_there_is_named(done):
    with pytest.raises(ConfigError, match="did you mean 'IVg'"):
        metrics_batch(done, procedures=["IVgg"])
    with pytest.raises(ConfigError, match="no chip 999 is staged"):
        metrics_batch(done, chips=["999"])
    with pytest.raises(ConfigError, match="no chip is of the group 'Nobody'"):
        metrics_batch(done, group="Nobody")
    with pytest.raises(ConfigError, match="no method 'dirac'"):
        metrics_batch(done, extractors=["dirac"])
    with pytest.raises(ConfigError, match="no constant MIN_SNR"):
        plan(metrics_batch(done, constants={"MIN_SNR": 1}).batch)
    with pytest.raises(DataError, match="stage raw files first"):
        metrics_batch(Layout.below(done.raw))


def test_chips_are_named_by_number_range_name_and_group(done):
    chips = chips_of(done)
    numbers = sorted({chip.number for chip in chips})
    assert metrics_batch(done, chips=[f"{numbers[0]}-{numbers[-1]}"]).chips == tuple(chips)
    assert metrics_batch(done, chips=[f"{chips[0].name},{chips[1].name}"]).chips == tuple(chips[:2])
    grouped = metrics_batch(done, group=chips[0].group).chips
    assert {chip.group for chip in grouped} == {chips[0].group}


def test_workers_are_worth_their_start():
    assert choose_workers(0.4, 50, cores=8)[0] == 1
    assert choose_workers(3.0, 50, cores=8)[0] == 6
    assert choose_workers(300.0, 50, cores=8)[0] == 8
    assert choose_workers(300.0, 2, cores=8)[0] == 2
    count, why = choose_workers(0.1, 5, 4, cores=2)
    assert count == 4 and "as asked for" in why
    assert "--workers" in choose_workers(3.0, 50, cores=8)[1]
    assert estimated_s({"IVg": 100}, 10_000, 50) < estimated_s({"It": 100}, 100_000, 50)


def test_groups_that_are_called_alike_block_nothing(lab, tmp_path):
    layout = Layout.below(tmp_path / "data")
    layout.raw.mkdir(parents=True)
    alike = [Chip("Alisson", 67), Chip("alisson", 67), Chip("Al isson", 67), Chip("Al_isson", 67)]
    alike += [Chip("A1", 2), Chip("A", 12)]
    sweeps = lab.of("IVg")[: len(alike)]
    for k, (chip, truth) in enumerate(zip(alike, sweeps, strict=True)):
        text = (lab.raw_root / truth.file).read_bytes()
        text = re.sub(rb"Chip group name: [^\r\n]*", f"Chip group name: {chip.group}".encode(), text)
        text = re.sub(rb"Chip number: [^\r\n]*", f"Chip number: {chip.number}".encode(), text)
        (layout.raw / f"IVg2025-09-04_{k + 1}.csv").write_bytes(text)
    staged(layout)
    batch = metrics_batch(layout, enrich=True).batch
    assert run(batch).exit_code == 0
    assert set(chips_of(layout)) == set(alike) == {Chip(*row) for row in table(layout).select(KEY_OF_CHIP).iter_rows()}
    for path in layout.enriched.iterdir():
        (row,) = pl.read_parquet(path).select(*KEY_OF_CHIP, "cnp_voltage").unique(KEY_OF_CHIP).rows(named=True)
        assert row["cnp_voltage"] is not None
    # Some chips by themselves are the same jobs as among all.
    (job,) = [each for each in metrics_batch(layout, chips=["A12"], pairs=False).batch.jobs if "12" in each.name]
    assert job in batch.jobs


@pytest.mark.parametrize(
    ("task", "param", "value"),
    [
        ("devices.extract", "store", "data/02_stage"),
        ("devices.extract", "modules", "[mine.py]"),
        ("devices.pairs", "store", "data/02_stage"),
        ("devices.merge", "store", "data/02_stage"),
        ("devices.merge", "table", "data/03_derived/_metrics/metrics.parquet"),
        ("devices.merge", "versions", "versions.parquet"),
        ("devices.enrich", "store", "data/02_stage"),
        ("devices.report", "store", "../data/02_stage"),
        ("devices.stage", "previous", "data/02_stage"),
    ],
)
def test_paths_that_no_worker_would_find_are_refused_with_their_line(task, param, value, tmp_path):
    more = {"devices.extract": "    procedure: IVg", "devices.stage": "    raw_root: /data"}.get(task, "")
    file = tmp_path / "lab.yaml"
    lines = ["batch: lab", "output: out", "jobs:", f"- task: {task}", "  params:", f"    {param}: {value}", more]
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(ConfigError) as caught:
        load(file)
    (problem,) = [each for each in caught.value.problems if "full path" in each.message]
    assert problem.line == 6 and "--set lab=" in problem.message
    full = file.read_text().replace(value.strip("[]"), str(tmp_path / "there.py"))
    file.write_text(full)
    try:
        load(file)
    except ConfigError as error:  # its inputs are not given here
        assert "full path" not in str(error)
