"""Commands that make and show data, as somebody types them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import polars as pl
import pytest
from click.testing import CliRunner
from device_batches import copied, rewrite, table, values

from batchlab.cli._main import cli
from batchlab.devices._layout import Layout
from batchlab.devices._store import Store
from batchlab.devices.cli._metrics import tell_metrics


@pytest.fixture(scope="module")
def done(lab, tmp_path_factory):
    """A laboratory after the whole pipeline, never written after."""
    layout = copied(lab.raw_root, tmp_path_factory.mktemp("cli"), fewer=2)
    result = called("full-pipeline", layout, "--quiet")
    assert result.exit_code == 0, result.output
    return layout


@pytest.fixture
def layout(done, tmp_path):
    shutil.copytree(done.raw.parent, tmp_path / "data", ignore=shutil.ignore_patterns("02_stage", "03_derived"))
    return Layout.below(tmp_path / "data")


def called(command: str, layout: Layout, *words: str, **how):
    return CliRunner().invoke(cli, ["devices", command, "--base-dir", str(layout.raw.parent), *words], **how)


def shown(result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def chip_names(layout: Layout) -> list[str]:
    return sorted(Store(layout.store).table["chip_name"].drop_nulls().unique())


def test_all_commands_are_listed_and_tell_their_options():
    listed = CliRunner().invoke(cli, ["devices", "--help"]).output
    for name in (
        *("stage-all", "validate-manifest", "inspect-manifest", "staging-stats", "clean-data", "full-pipeline"),
        *("build-history", "build-all-histories", "show-history", "export-history", "link-calibrations", "update"),
        *("enrich-history", "derive-all-metrics", "derive-consecutive-sweeps", "derive-fitting-metrics"),
    ):
        assert f"  {name} " in listed
        assert CliRunner().invoke(cli, ["devices", name, "--help"]).exit_code == 0


def test_help_loads_no_science():
    script = (
        "import sys; from batchlab.cli._main import cli\n"
        "cli(['devices', '--help'], standalone_mode=False)\n"
        "print(sorted({'numpy', 'polars', 'scipy', 'matplotlib', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_pipeline_leaves_all_tables_and_runs_nothing_again(done):
    assert table(done).height > 0
    assert sorted(path.name for path in done.enriched.iterdir()) == sorted(
        path.name for path in done.histories.iterdir()
    )
    before = done.metrics.read_bytes()
    again = called("full-pipeline", done)
    assert again.exit_code == 0 and "done now" not in again.output
    assert done.metrics.read_bytes() == before


def test_steps_one_by_one_come_to_the_same(layout, done):
    for words in (
        ("stage-all",),
        ("build-all-histories",),
        ("derive-all-metrics", "--workers", "2"),
        ("enrich-history", "--all"),
    ):
        result = called(words[0], layout, *words[1:])
        assert result.exit_code == 0, result.output
    assert values(table(layout)).equals(values(table(done)))
    for path in done.enriched.iterdir():
        ours, theirs = (pl.read_parquet(folder / path.name) for folder in (layout.enriched, done.enriched))
        assert ours.drop("ingested_at_utc").equals(theirs.drop("ingested_at_utc"))


def test_staging_tells_what_it_rejects_and_why(layout):
    (layout.raw / "letter.csv").write_text("Dear all,\nthe lamp is broken.\n")
    result = called("stage-all", layout)
    assert result.exit_code == 1
    assert "rejected letter.csv (not-a-run): " in result.stdout
    rows = json.loads(called("inspect-manifest", layout, "--status", "reject", "--json").stdout)
    assert [row["source_file"] for row in rows] == ["letter.csv"]
    assert called("validate-manifest", layout, "--raw").exit_code == 0
    (layout.raw / "letter.csv").unlink()
    wrong = called("validate-manifest", layout, "--raw")
    assert wrong.exit_code == 1 and "letter.csv: is no longer there" in wrong.stdout
    told = json.loads(called("validate-manifest", layout, "--raw", "--json").stdout)
    assert not told["whole"] and len(told["problems"]) == 1


def test_staging_options_have_their_effect(layout, tmp_path):
    assert called("stage-all", layout, "-tz", "Pacific/Kiritimati", "-q").exit_code == 0
    assert Store(layout.store).timezone == "Pacific/Kiritimati"
    wrong = called("stage-all", layout, "--local-tz", "America/Santigo")
    assert wrong.exit_code == 2 and "did you mean America/Santiago" in wrong.output
    elsewhere = tmp_path / "elsewhere"
    assert called("stage-all", layout, "-s", str(elsewhere), "-q").exit_code == 0
    assert Store(elsewhere).timezone == "America/Santiago"
    missing = called("stage-all", layout, "-r", str(tmp_path / "nowhere"))
    assert missing.exit_code == 1 and "no raw files" in missing.output and "--raw-root" in missing.output
    lines = called("stage-all", layout, "-tz", "Pacific/Kiritimati", "--force", "--json").stdout.splitlines()
    assert json.loads(lines[-1])["state"] == "done"
    planned = called("stage-all", layout, "--dry-run")
    assert planned.exit_code == 0 and "params.timezone" in planned.stdout and "params.force" not in planned.stdout


def test_stats_count_what_is_staged(done):
    stats = json.loads(called("staging-stats", done, "--json").stdout)
    store = Store(done.store)
    assert stats["by_status"] == {"ok": len(store)}
    text = shown(called("staging-stats", done))
    assert f"{stats['files']} files" in text and "by procedure" in text


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        (("--proc", "IVg"), lambda row: row["proc"] == "IVg"),
        (("--light", "dark"), lambda row: row["has_light"] is False),
        (("--light", "light"), lambda row: row["has_light"] is True),
        (("--chip", "67"), lambda row: row["chip_name"] == "Alisson67"),
        (("--group", "Alisson"), lambda row: row["chip_name"].startswith("Alisson")),
        (("--limit", "3"), lambda row: True),
    ],
)
def test_manifest_filters(done, words, fits):
    everything = json.loads(called("inspect-manifest", done, "--json").stdout)
    rows = json.loads(called("inspect-manifest", done, "--json", *words).stdout)
    assert 0 < len(rows) < len(everything) and all(fits(row) for row in rows)


def test_manifest_columns(done):
    rows = json.loads(called("inspect-manifest", done, "--json", "--columns", "proc,size").stdout)
    assert set(rows[0]) == {"proc", "size"}
    wrong = called("inspect-manifest", done, "--columns", "prok")
    assert wrong.exit_code == 2 and "did you mean 'proc'" in wrong.output


def test_histories_are_shown_as_table_json_and_csv(done):
    rows = json.loads(shown(called("show-history", done, "67", "--format", "json")))
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert json.loads(shown(called("show-history", done, "Alisson67", "--json"))) == rows
    csv = shown(called("show-history", done, "67", "--format", "csv")).splitlines()
    assert len(csv) == len(rows) + 1 and csv[0].startswith("seq,date,")
    text = called("show-history", done, "67")
    assert f"{len(rows)} of {len(rows)} runs" in text.stderr
    assert [line.split()[0] for line in text.stdout.splitlines()[2:]] == [str(row["seq"]) for row in rows]


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        (("--proc", "IVg,VVg"), lambda row: row["proc"] in ("IVg", "VVg")),
        (("--light", "light"), lambda row: row["has_light"] is True),
        (("--wavelength", "365"), lambda row: row["wavelength_nm"] == 365),
        (("--vds", "0.1", "--proc", "It"), lambda row: row["vds_v"] == 0.1 and row["proc"] == "It"),
        (("--seq", "2,4-5"), lambda row: row["seq"] in (2, 4, 5)),
        (("--limit", "2"), lambda row: True),
    ],
)
def test_history_filters(done, words, fits):
    everything = json.loads(shown(called("show-history", done, "67", "--json")))
    rows = json.loads(shown(called("show-history", done, "67", "--json", *words)))
    assert 0 < len(rows) < len(everything) and all(fits(row) for row in rows)


def test_histories_that_are_not_there_are_named(done):
    wrong = called("show-history", done, "66")
    assert wrong.exit_code == 1 and "no runs of chip" in wrong.output
    near = called("show-history", done, "Alison67")
    assert near.exit_code == 1 and "Alisson67" in near.output
    wrong = called("show-history", done, "67", "--proc", "IVgg")
    assert wrong.exit_code == 2 and "did you mean 'IVg'" in wrong.output
    assert called("show-history", Layout.below(done.raw), "67").output.count("\n") == 1


def test_a_number_of_two_groups_is_asked_back(layout):
    first = sorted(path for path in layout.raw.rglob("IVg*.csv") if b"Chip number: 67" in path.read_bytes())[0]
    other = first.with_name("IVg_other_1.csv")
    other.write_bytes(first.read_bytes().replace(b"group name: Alisson", b"group name: other"))
    assert called("stage-all", layout, "-q").exit_code == 0
    assert called("build-all-histories", layout, "-q").exit_code == 0
    wrong = called("show-history", layout, "67")
    assert wrong.exit_code == 2 and "Alisson67, other67" in wrong.output
    assert len(json.loads(shown(called("show-history", layout, "67", "-g", "other", "--json")))) == 1


def test_a_history_is_built_and_exported(done, tmp_path):
    built = json.loads(shown(called("build-history", done, "67", "--json")))
    assert built == json.loads(shown(called("show-history", done, "67", "--json")))
    for suffix in ("csv", "json", "parquet", "txt", "tex"):
        path = tmp_path / f"history.{suffix}"
        assert called("export-history", done, "67", "--proc", "IVg", "-o", str(path)).exit_code == 0
        assert path.stat().st_size > 0
    exported = pl.read_parquet(tmp_path / "history.parquet")
    assert set(exported["proc"]) == {"IVg"}
    wrong = called("export-history", done, "67", "-o", str(tmp_path / "history.xls"))
    assert wrong.exit_code == 2 and ".parquet" in wrong.output
    path = tmp_path / "built.csv"
    assert called("build-history", done, "67", "-o", str(path)).exit_code == 0
    assert len(path.read_text().splitlines()) == len(built) + 1
    enriched = json.loads(shown(called("show-history", done, "67", "--enriched", "--json")))
    assert "cnp_voltage" in enriched[0]


def test_derive_all_metrics_as_the_documents_write_it(layout, done):
    assert called("stage-all", layout, "-q").exit_code == 0
    assert called("build-all-histories", layout, "-q").exit_code == 0
    names = chip_names(layout)[:2]
    numbers = ",".join(re.sub(r"\D", "", name) for name in names)
    words = ("--procedures", "IVg,VVg", "--chip", numbers)
    planned = called("derive-all-metrics", layout, *words, "--dry-run")
    assert planned.exit_code == 0 and not layout.metrics.exists()
    result = called("derive-all-metrics", layout, *words, "--workers", "2", "--force", "--verbose")
    assert result.exit_code == 0, result.output
    assert "2 workers, as asked for" in result.stderr
    progress = re.findall(
        r"^Pairwise extraction progress: (\d+)/(\d+) pairs \(\d+ metrics extracted so far\)$",
        result.stderr,
        re.MULTILINE,
    )
    assert progress and progress[-1][0] == progress[-1][1]
    assert re.search(
        r"^Pairwise extraction completed in \d+\.\d\d s \(\d+\.\d pairs/sec\)$", result.stderr, re.MULTILINE
    )
    made = table(layout)
    assert set(made["procedure"]) == {"IVg", "VVg"}
    assert "consecutive_sweep_difference" in set(made["metric_name"])
    whole = values(table(done)).filter(pl.concat_str("chip_group", "chip_number").is_in(names))
    assert values(made).equals(whole.filter(pl.col("procedure").is_in(["IVg", "VVg"])))


def test_why_there_is_no_metric_is_told_to_those_who_ask(layout):
    called("stage-all", layout, "-q")
    told = called("derive-all-metrics", layout, "--verbose").stderr
    (line,) = re.findall(
        r"^no mobility of (\d+) runs: MISSING_GEOMETRY, as of ([0-9a-f]{16}): (.*)$", told, re.MULTILINE
    )
    assert line[0] == str(Store(layout.store).table.filter(pl.col("proc") == "IVg", pl.col("status") == "ok").height)
    assert line[2].startswith("no geometry of chip ")
    assert re.search(r"^no power_law of \d+ runs?: PRECONDITION_FAILED, as of ", told, re.MULTILINE)
    assert "MISSING_GEOMETRY" not in called("derive-all-metrics", layout, "--force").output


def test_metrics_that_a_history_lacks_are_named_with_the_command_that_joins_them(layout, done):
    for name in ("stage-all", "build-all-histories", "link-calibrations"):
        assert called(name, layout, "-q").exit_code == 0
    chip = chip_names(layout)[0]
    asked = ("show-history", layout, chip, "--enriched", "--columns", "seq,cnp_voltage")
    refused = called(*asked)
    assert refused.exit_code == 2
    assert "derive-all-metrics --enrich" in refused.output and "enrich-history" not in refused.output
    assert called("derive-all-metrics", layout, "-q").exit_code == 0
    assert f"enrich-history {chip} joins" in called(*asked).output
    plain = called("show-history", layout, chip, "--columns", "cnp_voltage")
    assert plain.exit_code == 2 and "--enriched" in plain.output
    assert called("derive-all-metrics", layout, "--enrich", "-q").exit_code == 0
    assert "cnp_voltage" in shown(called(*asked))
    slip = called("show-history", layout, chip, "--enriched", "--columns", "laser_voltage")
    assert "did you mean 'laser_voltage_v'?" in slip.output


def test_pages_that_tell_of_earlier_metrics_are_named(layout):
    assert called("full-pipeline", layout, "-q").exit_code == 0
    said = "tells of earlier metrics; batchlab devices report, or --pages, renews them"
    assert said not in called("derive-all-metrics", layout, "--force").output
    changed = ("derive-all-metrics", layout, "--constant", "MIN_RESISTANCE_MODULATION=1e9")
    assert said in called(*changed).output
    assert said not in called(*changed, "-q").output
    assert called("report", layout).exit_code == 0
    assert said not in called(*changed).output
    assert said not in called("derive-all-metrics", layout, "--pages").output


def test_rows_of_a_summary_have_one_order(tmp_path, capsys):
    layout = Layout.below(tmp_path)
    layout.metrics.parent.mkdir(parents=True)
    names = [f"shift_{number}" for number in range(20) for _ in "AV"]
    pl.DataFrame(
        {
            "run_id": "a",
            "chip_group": None,
            "chip_number": None,
            "procedure": "IVg",
            "metric_name": names,
            "unit": list("VA" * 20),
            "extraction_method": "robust",
            "value_float": 1.0,
            "confidence": 1.0,
        },
        schema_overrides={"chip_group": pl.String, "chip_number": pl.Int64},
    ).write_parquet(layout.metrics)
    tell_metrics(layout, SimpleNamespace(chips=(), procedures=("IVg",)))
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip().startswith("shift_")]
    told = [(row[0], row[3]) for row in rows]
    assert told == sorted(zip(names, "VA" * 20, strict=True))


def test_the_other_derivations_settle_their_own(layout):
    called("stage-all", layout, "-q")
    called("build-all-histories", layout, "-q")
    assert called("derive-fitting-metrics", layout, "-q").exit_code == 0
    assert {"tau_dark"} <= set(table(layout)["metric_name"])
    assert "consecutive_sweep_difference" not in set(table(layout)["metric_name"])
    assert called("derive-consecutive-sweeps", layout, "-q").exit_code == 0
    alike = table(layout).filter(pl.col("metric_name") == "consecutive_sweep_difference").height
    assert alike > 0
    assert called("derive-consecutive-sweeps", layout, "--same", "", "-q").exit_code == 0
    assert table(layout).filter(pl.col("metric_name") == "consecutive_sweep_difference").height >= alike
    assert {"tau_dark"} <= set(table(layout)["metric_name"])


def test_a_procedure_that_nobody_measured_stops_no_other(layout):
    for path in layout.raw.rglob("VVg*.csv"):
        path.unlink()
    called("stage-all", layout, "-q")
    said = called("derive-all-metrics", layout, "--procedures", "IVg,VVg", "--force")
    assert said.exit_code == 0, said.output
    assert "no VVg is staged" in said.output and set(table(layout)["procedure"]) == {"IVg"}
    assert "VVg" not in called("derive-all-metrics", layout, "--procedures", "IVg", "-q").output
    alone = called("derive-all-metrics", layout, "--procedures", "VVg")
    assert alone.exit_code == 2 and "nothing is to be derived of VVg" in alone.output
    slip = called("derive-all-metrics", layout, "--procedures", "IVgg")
    assert slip.exit_code == 2 and "did you mean 'IVg'?" in slip.output


def test_options_of_metrics_have_their_effect(layout):
    called("stage-all", layout, "-q")
    called("build-all-histories", layout, "-q")
    chip = chip_names(layout)[0]

    def derive(*words: str) -> pl.DataFrame:
        result = called("derive-all-metrics", layout, "--chip", chip, "-q", *words)
        assert result.exit_code == 0, result.output
        return table(layout)

    assert set(derive("--method", "dirac_point")["metric_name"]) >= {"cnp_voltage"}
    assert "on_off_ratio" not in set(table(layout)["metric_name"])
    assert "consecutive_sweep_difference" not in set(derive("--no-pairs")["metric_name"])
    usual = derive()
    assert "irradiated_power" in set(usual["metric_name"])
    assert "v_th_constant_current" not in set(usual["metric_name"])
    stale = "CALIBRATION_STALE"
    aged = derive("--stale-threshold", "0.001")
    assert aged["flags"].str.contains(stale).sum() > usual["flags"].str.contains(stale).sum()
    assert derive().drop("extraction_timestamp").equals(usual.drop("extraction_timestamp"))
    assert "irradiated_power" not in set(derive("--no-calibrations")["metric_name"])
    methods = derive("--constant", "MIN_RESISTANCE_MODULATION=1e9")["extraction_method"]
    assert "maximum-resistance" not in set(methods)
    assert len(derive("--threshold-current", "1e-5")["extraction_method"].unique()) > len(methods.unique())
    wrong = called("derive-all-metrics", layout, "--constant", "MIN_RESISTANCE=3")
    assert wrong.exit_code == 2 and "no constant MIN_RESISTANCE" in wrong.output
    wrong = called("derive-all-metrics", layout, "--workers", "0")
    assert wrong.exit_code == 2 and "--workers" in wrong.output
    assert not layout.enriched.exists()
    derive("--enrich")
    assert [path.name for path in layout.enriched.iterdir()] == [f"{chip}_history.parquet"]


def test_calibrations_are_linked(layout):
    called("stage-all", layout, "-q")
    called("build-all-histories", layout, "-q")
    planned = called("link-calibrations", layout, "--dry-run")
    assert "dark" in shown(planned) and not layout.enriched.exists()
    links = json.loads(shown(called("link-calibrations", layout, "--dry-run", "--json")))
    assert {"perfect", "stale"} & {row["calibration"] for row in links}
    assert called("link-calibrations", layout, "--stale-threshold", "0.01").exit_code == 0
    some = pl.concat([pl.read_parquet(path) for path in layout.enriched.iterdir()], how="diagonal")
    assert "perfect" not in set(some["calibration"]) and "stale" in set(some["calibration"])


def test_links_are_checked_against_the_calibrations_of_today(layout):
    called("stage-all", layout, "-q")
    called("build-all-histories", layout, "-q")
    none = called("validate-calibration-links", layout)
    assert none.exit_code == 1 and "link-calibrations does it" in none.output
    called("link-calibrations", layout, "-q")
    assert "all links are right" in shown(called("validate-calibration-links", layout))
    links = pl.concat([pl.read_parquet(path) for path in layout.enriched.iterdir()], how="diagonal")
    used = links["calibration_run_id"].drop_nulls().mode().sort()[0]
    files = dict(Store(layout.store).table.select("run_id", "source_file").iter_rows())
    (layout.raw / files[used]).unlink()
    called("stage-all", layout, "-q")
    wrong = called("validate-calibration-links", layout, "--json")
    problems = json.loads(wrong.stdout)["problems"]
    assert wrong.exit_code == 1 and all("no longer in the store" in each for each in problems)
    assert len(problems) == links.filter(pl.col("calibration_run_id") == used).height
    called("link-calibrations", layout, "-q")
    assert called("validate-calibration-links", layout).exit_code == 0


def test_histories_are_enriched_as_asked(layout, done):
    for name in ("stage-all", "build-all-histories"):
        called(name, layout, "-q")
    names = chip_names(layout)
    first = layout.enriched / f"{names[0]}_history.parquet"
    assert called("enrich-history", layout, names[0], "--derive-first", "-q").exit_code == 0
    assert [path.name for path in layout.enriched.iterdir()] == [first.name]
    columns = set(pl.read_parquet(first).columns)
    assert {"cnp_voltage", "irradiated_power_w"} <= columns
    called("enrich-history", layout, names[0], "--calibrations-only", "-q")
    assert "cnp_voltage" not in pl.read_parquet(first).columns
    called("enrich-history", layout, names[0], "--metrics-only", "-m", "cnp,photoresponse", "-q")
    columns = set(pl.read_parquet(first).columns)
    assert {"cnp_voltage", "delta_current"} <= columns and not {"irradiated_power_w", "tau_dark"} & columns
    wrong = called("enrich-history", layout, names[0], "-m", "cmp")
    assert wrong.exit_code == 2 and "no metric begins so" in wrong.output
    for words in ((), (names[0], "--all"), (names[0], "--calibrations-only", "--metrics-only")):
        assert called("enrich-history", layout, *words).exit_code == 2
    assert called("enrich-history", layout, "-a", "-q").exit_code == 0
    assert len(list(layout.enriched.iterdir())) == len(list(layout.histories.iterdir()))


def test_an_update_after_the_whole_pipeline_finds_all_done(layout):
    assert called("full-pipeline", layout, "-q").exit_code == 0
    assert called("update", layout).output == "nothing is new\n"
    assert called("link-calibrations", layout, "-q").exit_code == 0
    assert called("update", layout).output == "nothing is new\n"


def test_update_acts_only_on_what_is_new(layout):
    assert called("update", layout).exit_code == 0
    assert not layout.metrics.exists() and len(list(layout.enriched.iterdir())) == len(chip_names(layout))
    again = called("update", layout)
    assert again.exit_code == 0 and again.output == "nothing is new\n"
    path = sorted(layout.raw.rglob("It*.csv"))[0]
    rewrite(path, b"VG: ", b"VG: 1")
    assert "nothing is new" not in called("update", layout).output
    assert called("update", layout).output == "nothing is new\n"
    next(layout.enriched.iterdir()).unlink()
    assert "nothing is new" not in called("update", layout).output
    assert len(list(layout.enriched.iterdir())) == len(chip_names(layout))


def test_what_can_be_made_again_is_removed_and_made_again(layout):
    assert called("full-pipeline", layout, "-q").exit_code == 0
    before = table(layout)
    would = shown(called("clean-data", layout, "--dry-run"))
    assert "would remove 02_stage" in would and layout.stage.exists()
    refused = called("clean-data", layout, input="n\n")
    assert refused.exit_code != 0 and layout.stage.exists()
    told = json.loads(shown(called("clean-data", layout, "metrics", "--yes", "--json")))
    assert told["folders"] == ["03_derived/_metrics"] and not layout.metrics.exists() and layout.enriched.exists()
    assert called("full-pipeline", layout, "-q").exit_code == 0
    assert values(table(layout)).equals(values(before))
    assert "removed 02_stage" in shown(called("clean-data", layout, "-y"))
    assert not layout.stage.exists() and any(layout.raw.rglob("*.csv"))
    assert shown(called("clean-data", layout, "-y")) == "there is nothing to remove\n"
    wrong = called("clean-data", layout, "01_raw", "-y")
    assert wrong.exit_code == 2 and "nothing is called '01_raw'" in wrong.output


def test_the_pipeline_leaves_out_what_it_is_told_to(layout):
    assert called("full-pipeline", layout, "--skip-metrics", "--skip-enrichment", "-q").exit_code == 0
    assert layout.histories.exists() and not layout.derived.exists()
    assert called("full-pipeline", layout, "--skip-metrics", "-q").exit_code == 0
    assert layout.enriched.exists() and not layout.metrics.exists()
    assert called("full-pipeline", layout, "--skip-enrichment", "--no-calibrations", "-q").exit_code == 0
    assert "irradiated_power" not in set(table(layout)["metric_name"])
    planned = called("full-pipeline", layout, "--dry-run")
    assert planned.exit_code == 0 and "once the runs are staged" in planned.stdout
    assert called("full-pipeline", layout, "--group", "Nobody", "-q").exit_code == 2


def test_chips_of_few_runs_need_no_history(layout):
    called("stage-all", layout, "-q")
    most = max(Store(layout.store).table["chip_name"].drop_nulls().value_counts()["count"])
    assert called("full-pipeline", layout, "--min", str(most), "-q").exit_code == 0
    assert 1 <= len(list(layout.enriched.iterdir())) == len(list(layout.histories.iterdir()))
    assert set(table(layout)["chip_number"]) > {pl.read_parquet(p)["chip_number"][0] for p in layout.enriched.iterdir()}
    other = min(chip_names(layout), key=lambda name: (layout.histories / f"{name}_history.parquet").exists())
    missing = called("enrich-history", layout, other)
    assert missing.exit_code == 1 and f"no history of {other}" in missing.output


def test_a_reject_does_not_keep_the_pipeline_from_its_end(layout):
    (layout.raw / "letter.csv").write_text("Dear all,\nthe lamp is broken.\n")
    result = called("full-pipeline", layout)
    assert result.exit_code == 1
    assert table(layout).height > 0 and any(layout.enriched.iterdir())


def test_enriching_builds_the_histories_that_lack(layout):
    assert called("stage-all", layout, "-q").exit_code == 0
    planned = called("derive-all-metrics", layout, "--enrich", "--dry-run")
    assert planned.exit_code != 0 and "build-all-histories" in planned.output
    result = called("derive-all-metrics", layout, "--enrich", "--no-pairs", "-p", "IVg")
    assert result.exit_code == 0 and "all histories are built first" in result.output
    there = sorted(path.name for path in layout.histories.iterdir())
    assert there and sorted(path.name for path in layout.enriched.iterdir()) == there


def test_histories_take_no_workers(layout):
    refused = called("build-all-histories", layout, "--workers", "2")
    assert refused.exit_code == 2 and "--workers" in refused.output


def test_commands_that_share_a_folder_call_nothing_of_each_other_left_over(layout):
    told = [shown_all(called("stage-all", layout)), shown_all(called("build-all-histories", layout))]
    told.append(shown_all(called("derive-all-metrics", layout)))
    told.append(shown_all(called("derive-all-metrics", layout, "--chip", chip_names(layout)[0])))
    told.append(shown_all(called("update", layout)))
    assert not [text for text in told if "earlier runs" in text]
    for report in (layout.stage, layout.derived):
        assert "earlier runs" not in (report / "batch_report.html").read_text()


def test_staging_notes_when_runs_came_in(layout):
    shown(called("stage-all", layout, "--quiet"))
    first = came(layout)
    assert None not in first.values()
    shown(called("stage-all", layout, "--force", "--quiet"))
    assert came(layout) == first


def came(layout: Layout) -> dict:
    return dict(Store(layout.store).table.select("run_id", "ingested_at_utc").iter_rows())


def shown_all(result) -> str:
    assert result.exit_code == 0, result.output
    return result.output
