"""The batch processor, promise by promise: what it says, and what it does."""

from __future__ import annotations

import asyncio
import shutil
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.image import imread

from batchlab.compat.spectra import (
    BatchConfig,
    BatchProcessor,
    BatchProcessResult,
    OutputSettings,
    ProcessingProgress,
    ProcessingStage,
)
from batchlab.engine import Status, read_view
from batchlab.errors import ConfigError
from batchlab.spectra import read_text
from batchlab.spectra._write import read_written

Files = tuple[Path, list[Path]]
Write = Callable[..., Path]


@pytest.fixture
def pair(files: Files) -> Files:
    """A baseline and a single sample, for what does not depend on how many there are."""
    return files[0], files[1][:1]


def process(
    baseline: Path,
    samples: Sequence[Path],
    out: Path,
    *,
    config: BatchConfig | None = None,
    callback: Callable[[ProcessingProgress], object] | None = None,
    processor: BatchProcessor | None = None,
    **settings: object,
) -> BatchProcessResult:
    """One batch, its sums checked."""
    output = OutputSettings(output_dir=str(out), **{"dpi": 50, **settings})  # type: ignore[arg-type]
    processor = processor or BatchProcessor()
    result = asyncio.run(processor.process_spectral_batch(str(baseline), samples, output, callback, config))
    rest = len(result.skipped_files) + len(result.cancelled_files)
    assert result.total_files == len(samples) == result.successful + result.failed + rest
    return result


def names(result: BatchProcessResult) -> list[str]:
    return [Path(path).name for path in result.output_files]


def attempts(out: Path, kind: str) -> list[int]:
    return [job.attempts for job in read_view(out).jobs if job.name.startswith(f"{kind}/")]


# the whole


def test_a_batch_compares_each_sample_with_the_baseline(files: Files, tmp_path: Path):
    result = process(*files, tmp_path / "out")
    assert (result.successful, result.failed, result.errors) == (3, 0, ())
    assert names(result) == [f"sample{i}_vs_baseline.png" for i in (1, 2, 3)]
    assert all(Path(path).is_absolute() and Path(path).read_bytes()[:4] == b"\x89PNG" for path in result.output_files)
    assert result.processing_time > 0 and result.memory_peak_mb > 1
    assert (result.ai_normalizations, result.cache_hits, result.skipped_files) == (0, 0, ())
    assert result.success


@pytest.mark.parametrize("workers", [1, 3])
def test_the_baseline_is_read_and_normalized_once(files: Files, tmp_path: Path, workers: int):
    baseline, samples = files

    def callback(progress: ProcessingProgress) -> None:
        if progress.current_stage is ProcessingStage.NORMALIZATION:
            baseline.unlink(missing_ok=True)  # whoever wanted to read it again could not

    config = BatchConfig(max_concurrent_files=workers)
    assert process(baseline, samples, tmp_path / "out", config=config, callback=callback).successful == 3
    assert not baseline.exists()
    jobs = read_view(tmp_path / "out").jobs
    readers = [job for job in jobs if any(str(path).endswith("baseline.csv") for path in job.inputs.values())]
    assert [(job.name.split("/")[0], job.attempts) for job in readers] == [("baseline", 1)]
    compares = [job for job in jobs if job.name.startswith("compare/")]
    assert len(compares) == 3 and all(job.inputs["reference"] == compares[0].inputs["reference"] for job in compares)


def test_one_worker_and_many_give_the_same_bytes(files: Files, tmp_path: Path):
    one = process(*files, tmp_path / "one", config=BatchConfig(max_concurrent_files=1), save_normalized_csvs=True)
    many = process(*files, tmp_path / "many", config=BatchConfig(max_concurrent_files=3), save_normalized_csvs=True)
    assert names(one) == names(many)
    for left, right in zip(one.output_files, many.output_files, strict=True):
        assert Path(left).read_bytes() == Path(right).read_bytes()


# progress


def test_every_stage_is_told_and_progress_never_falls(files: Files, tmp_path: Path):
    told: list[ProcessingProgress] = []
    process(*files, tmp_path / "out", callback=told.append)
    assert {each.current_stage for each in told} == set(ProcessingStage)
    percents = [each.progress_percent for each in told]
    assert percents == sorted(percents) and percents[0] == 0 and percents[-1] == 100
    done = [each.files_completed for each in told]
    assert done == sorted(done) and done[-1] == 3 and {each.total_files for each in told} == {3}
    assert {each.current_file for each in told} == {"", "baseline.csv", "sample1.csv", "sample2.csv", "sample3.csv"}
    assert all(each.current_operation for each in told)
    assert any(each.estimated_remaining_minutes > 0 for each in told)
    assert all(each.errors_count == each.warnings_count == 0 for each in told)


def test_errors_and_warnings_are_counted_as_they_come(pair: Files, measured: Write, tmp_path: Path):
    baseline, samples = pair
    (tmp_path / "bad.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    far = measured("far.csv")
    far.write_text("Wavelength (nm),Absorbance\n" + "".join(f"{x},{x / 1e3}\n" for x in range(300, 400)))
    told: list[ProcessingProgress] = []
    result = process(baseline, [*samples, tmp_path / "bad.csv", far], tmp_path / "out", callback=told.append)
    assert (result.successful, result.failed, len(result.errors)) == (1, 2, 2)
    assert told[-1].errors_count == 2 and told[-1].files_completed == 3
    assert [each.errors_count for each in told] == sorted(each.errors_count for each in told)


def test_warnings_name_their_file(files: Files, tmp_path: Path):
    baseline, samples = files
    samples[1].write_text(samples[1].read_text() + "400.5,0.5\n")
    told: list[ProcessingProgress] = []
    result = process(baseline, samples[:2], tmp_path / "out", callback=told.append)
    assert result.warnings and all(text.startswith("sample2.csv: ") for text in result.warnings)
    assert "the axis steps back" in result.warnings[0]
    assert told[-1].warnings_count > 0


def test_a_callback_that_fails_ends_nothing(pair: Files, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    calls = []

    def callback(progress: ProcessingProgress) -> None:
        calls.append(progress)
        raise RuntimeError("no window")

    assert process(*pair, tmp_path / "out", callback=callback).successful == 1
    assert len(calls) == 1
    assert "progress callback failed" in caplog.text


def test_the_event_loop_goes_on_and_callbacks_come_in_its_thread(pair: Files, tmp_path: Path):
    async def both() -> tuple[list[int], set[int]]:
        ticks, seen, threads = 0, [], set()
        done = False

        async def tick() -> None:
            nonlocal ticks
            while not done:
                ticks += 1
                await asyncio.sleep(0)

        def callback(progress: ProcessingProgress) -> None:
            seen.append(ticks)
            threads.add(threading.get_ident())

        ticking = asyncio.create_task(tick())
        await BatchProcessor().process_spectral_batch(
            *pair, OutputSettings(output_dir=tmp_path / "out", dpi=50), callback
        )
        done = True
        await ticking
        return seen, threads

    seen, threads = asyncio.run(both())
    # The loop turned between the first and the last that was told, and not only after all of it.
    assert len(set(seen)) > 3
    assert threads == {threading.get_ident()}


def test_signal_handlers_are_left_alone(pair: Files, tmp_path: Path):
    before = signal.getsignal(signal.SIGINT)
    during = []
    process(*pair, tmp_path / "out", callback=lambda progress: during.append(signal.getsignal(signal.SIGINT)))
    assert len(set(during)) == 1  # the event loop's own
    assert signal.getsignal(signal.SIGINT) is before


def test_it_runs_off_the_main_thread(pair: Files, tmp_path: Path):
    results: list[BatchProcessResult] = []
    thread = threading.Thread(target=lambda: results.append(process(*pair, tmp_path / "out")))
    thread.start()
    thread.join()
    assert results[0].successful == 1


# outputs


def test_normalized_csvs_are_kept_and_read_back(files: Files, tmp_path: Path):
    baseline, samples = files
    result = process(baseline, samples, tmp_path / "out", save_normalized_csvs=True)
    assert names(result) == [
        "baseline_normalized.csv",
        "sample1_vs_baseline.png",
        "sample1_normalized.csv",
        "sample2_vs_baseline.png",
        "sample2_normalized.csv",
        "sample3_vs_baseline.png",
        "sample3_normalized.csv",
    ]
    (kept,) = read_written(tmp_path / "out" / "sample2_normalized.csv")
    was = read_text(samples[1])
    np.testing.assert_array_equal(kept.axis, was.axis)
    np.testing.assert_array_equal(kept.intensity, was.intensity)
    assert (kept.name, kept.axis_kind, kept.quantity) == ("sample2", was.axis_kind, was.quantity)


def test_temporary_copies_are_removed_unless_they_are_to_stay(pair: Files, tmp_path: Path):
    process(*pair, tmp_path / "out")
    left = sorted(each.name for each in (tmp_path / "out").iterdir())
    assert left == [".batchlab", "sample1_vs_baseline.png"]
    process(*pair, tmp_path / "kept", config=BatchConfig(cleanup_temp_files=False))
    copies = list((tmp_path / "kept" / ".temporary").rglob("*.csv"))
    assert len(copies) == 2 and all(len(read_written(copy)) == 1 for copy in copies)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{sample}_vs_{baseline}", "sample1_vs_baseline.png"),
        ("{sample}_vs_{reference}_publication", "sample1_vs_baseline_publication.png"),
        ("figures/{sample}.png", "figures/sample1.png"),
        ("v1.2 {sample}", "v1.2 sample1.png"),
    ],
)
def test_pictures_are_named_by_the_template(files: Files, tmp_path: Path, template: str, name: str):
    result = process(files[0], files[1][:1], tmp_path / "out", filename_template=template)
    assert result.output_files == (str(tmp_path / "out" / name),)


def test_a_name_cannot_lead_out_of_the_folder(measured: Write, tmp_path: Path):
    odd = measured("in/..%2f {sample} 50%.csv")
    result = process(measured("baseline.csv"), [odd], tmp_path / "out")
    (path,) = result.output_files
    assert Path(path).parent == tmp_path / "out" and Path(path).is_file()


def test_the_resolution_is_the_one_asked_for(files: Files, tmp_path: Path):
    for dpi in (50, 100):
        result = process(files[0], files[1][:1], tmp_path / str(dpi), dpi=dpi)
        head = Path(result.output_files[0]).read_bytes()[16:24]
        assert (int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")) == (10 * dpi, 6 * dpi)


@pytest.mark.parametrize(
    ("format", "begins"),
    [
        ("png", b"\x89PNG"),
        ("jpg", b"\xff\xd8\xff"),
        ("jpeg", b"\xff\xd8\xff"),
        ("pdf", b"%PDF"),
        ("svg", b"<?xml"),
        ("webp", b"RIFF"),
    ],
)
def test_pictures_are_of_the_format_asked_for(files: Files, tmp_path: Path, format: str, begins: bytes):
    result = process(files[0], files[1][:1], tmp_path / "out", format=format)
    (path,) = result.output_files
    assert Path(path).name == f"sample1_vs_baseline.{format}" and Path(path).read_bytes().startswith(begins)
    graph = BatchProcessor().graph_generator.generate_comparison_graph(read_text(files[0]), read_text(files[1][0]))
    graph.savefig(tmp_path / f"graph.{format}", dpi=50)
    assert (tmp_path / f"graph.{format}").read_bytes().startswith(begins)


def test_all_pictures_have_one_scale(files: Files, measured: Write, tmp_path: Path):
    alone = process(files[0], files[1][:1], tmp_path / "alone")
    beside = process(files[0], [files[1][0], measured("tall.csv", height=9.0)], tmp_path / "beside")
    single, short, tall = (imread(path) for path in (*alone.output_files, *beside.output_files))
    ticks = np.s_[: single.shape[0] // 2, 20:64]  # the numbers beside the upper axes
    assert np.array_equal(short[ticks], tall[ticks]) and not np.array_equal(short, tall)
    assert not np.array_equal(single[ticks], short[ticks])


# names that are taken


def test_auto_increment_leaves_foreign_files_alone(pair: Files, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "sample1_vs_baseline.png").write_text("mine")
    result = process(*pair, out)
    assert names(result) == ["sample1_vs_baseline_001.png"]
    assert (out / "sample1_vs_baseline.png").read_text() == "mine"
    assert names(process(*pair, out)) == names(result)  # its own name is found again


def test_auto_increment_keeps_another_batchs_picture_of_the_same_name(files: Files, measured: Write, tmp_path: Path):
    out = tmp_path / "out"
    first = process(files[0], files[1][:1], out)
    before = Path(first.output_files[0]).read_bytes()
    other = measured("elsewhere/sample1.csv", height=3.0)
    second = process(files[0], [other], out)
    assert names(second) == ["sample1_vs_baseline_001.png"]
    assert Path(first.output_files[0]).read_bytes() == before


def test_equal_stems_of_one_batch_are_numbered(measured: Write, tmp_path: Path):
    samples = [measured("a/leaf.csv"), measured("b/leaf.csv", height=2.0)]
    for strategy in ("auto_increment", "overwrite"):
        result = process(measured("baseline.csv"), samples, tmp_path / strategy, conflict_resolution=strategy)
        assert names(result) == ["leaf_vs_baseline.png", "leaf_vs_baseline_001.png"]


def test_skipped_files_are_counted_as_skipped(files: Files, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    two = files[0], files[1][:2]
    (out / "sample2_vs_baseline.png").write_text("mine")
    result = process(*two, out, conflict_resolution="skip")
    assert (result.successful, result.failed, result.skipped_files) == (1, 0, ("sample2.csv",))
    assert (out / "sample2_vs_baseline.png").read_text() == "mine"
    again = process(*two, out, conflict_resolution="skip")
    assert (again.successful, len(again.skipped_files)) == (0, 2) and again.success


def test_overwrite_replaces_what_is_there(pair: Files, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "sample1_vs_baseline.png").write_text("old")
    result = process(*pair, out, conflict_resolution="overwrite")
    assert names(result) == ["sample1_vs_baseline.png"]
    assert (out / "sample1_vs_baseline.png").read_bytes()[:4] == b"\x89PNG"


def test_a_file_named_twice_is_compared_once(pair: Files, tmp_path: Path):
    result = process(pair[0], [*pair[1], *pair[1]], tmp_path / "out")
    assert (result.successful, result.skipped_files) == (1, ("sample1.csv",))
    assert "sample1.csv: named 2 times, compared once" in result.warnings


def test_the_baseline_may_be_a_sample_too(files: Files, tmp_path: Path):
    result = process(files[0], [files[0], files[1][0]], tmp_path / "out", save_normalized_csvs=True)
    assert result.successful == 2
    assert "baseline_vs_baseline.png" in names(result) and names(result).count("baseline_normalized.csv") == 1


# again


def test_what_is_done_is_not_done_again(pair: Files, tmp_path: Path):
    out = tmp_path / "out"
    keep = BatchConfig(cleanup_temp_files=False)
    first = process(*pair, out, config=keep)
    before = [Path(path).stat().st_mtime_ns for path in first.output_files]
    second = process(*pair, out, config=keep)
    assert (second.successful, second.cache_hits, second.output_files) == (1, 1, first.output_files)
    assert [Path(path).stat().st_mtime_ns for path in first.output_files] == before


def test_pictures_stand_though_the_copies_they_were_drawn_from_are_gone(pair: Files, tmp_path: Path):
    first = process(*pair, tmp_path / "out")
    before = [Path(path).stat().st_mtime_ns for path in first.output_files]
    told: list[ProcessingProgress] = []
    second = process(*pair, tmp_path / "out", callback=told.append)
    assert (second.successful, second.cache_hits) == (1, 1)
    assert [Path(path).stat().st_mtime_ns for path in first.output_files] == before
    assert told[-1].files_completed == 1


def test_a_changed_sample_is_compared_anew(files: Files, measured: Write, tmp_path: Path):
    two = files[0], files[1][:2]
    first = process(*two, tmp_path / "out")
    before = [Path(path).read_bytes() for path in first.output_files]
    measured("sample1.csv", height=1.15)  # and the scale of all pictures stays what it was
    second = process(*two, tmp_path / "out")
    assert second.cache_hits == 1 and second.output_files == first.output_files
    after = [Path(path).read_bytes() for path in second.output_files]
    assert after[0] != before[0] and after[1] == before[1]


# what goes wrong


def test_a_missing_sample_costs_itself(pair: Files, tmp_path: Path):
    result = process(pair[0], [*pair[1], tmp_path / "gone.csv"], tmp_path / "out")
    assert (result.successful, result.failed) == (1, 1)
    (error,) = result.errors
    assert error.startswith("File validation failed: gone.csv: ") and "no such file" in error


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(200), b"just words\nand more\n"], ids=["empty", "picture", "words"]
)
def test_a_corrupt_sample_costs_itself(pair: Files, tmp_path: Path, content: bytes):
    bad = tmp_path / "bad.csv"
    bad.write_bytes(content)
    result = process(pair[0], [bad, *pair[1]], tmp_path / "out")
    assert (result.successful, result.failed) == (1, 1)
    assert result.errors[0].startswith("File validation failed: bad.csv: ")


def test_a_bad_baseline_fails_all_and_starts_nothing(files: Files, tmp_path: Path):
    result = process(tmp_path / "gone.csv", files[1], tmp_path / "out")
    assert (result.successful, result.failed, result.output_files) == (0, 3, ())
    assert result.errors[0].startswith("File validation failed: gone.csv: ")
    assert not (tmp_path / "out").exists()


def test_without_continue_on_error_a_bad_file_stops_the_batch(files: Files, tmp_path: Path):
    strict = BatchConfig(continue_on_error=False, max_concurrent_files=1)
    result = process(files[0], [tmp_path / "gone.csv", *files[1]], tmp_path / "out", config=strict)
    assert (result.failed, len(result.cancelled_files)) == (1, 3)


def test_without_continue_on_error_the_first_failure_ends_it(files: Files, tmp_path: Path):
    far = tmp_path / "far.csv"
    far.write_text("Wavelength (nm),Absorbance\n" + "".join(f"{x},{x / 1e3}\n" for x in range(300, 400)))
    samples = [far, *files[1]]
    strict = BatchConfig(continue_on_error=False, max_concurrent_files=1)
    result = process(files[0], samples, tmp_path / "strict", config=strict)
    assert result.failed == 1 and result.cancelled_files
    lenient = process(files[0], samples[:2], tmp_path / "lenient")
    assert (lenient.successful, lenient.failed, lenient.cancelled_files) == (1, 1, ())


@pytest.mark.parametrize(("retry", "tries"), [(True, 2), (False, 1)])
def test_memory_limit_exceeded(measured: Write, tmp_path: Path, retry: bool, tries: int):
    config = BatchConfig(memory_limit_mb=10, retry_failed_files=retry)
    result = process(measured("long.csv", points=400_000), [measured("s.csv")], tmp_path / "out", config=config)
    assert (result.successful, result.failed) == (0, 1)
    (error,) = result.errors
    assert error.startswith("Memory limit exceeded: long.csv: ")
    assert "reduce max_concurrent_files or increase memory_limit_mb" in error
    assert attempts(tmp_path / "out", "baseline") == [tries]


def test_memory_is_shared_among_the_workers_there_is_room_for(files: Files, tmp_path: Path):
    config = BatchConfig(memory_limit_mb=500, max_concurrent_files=3)
    result = process(*files, tmp_path / "out", config=config, dpi=300)
    assert result.successful == 3 and result.memory_peak_mb < 250
    assert "memory_limit_mb=500 leaves room for 2 files at a time" in result.warnings
    view = read_view(tmp_path / "out")
    assert view.runs[-1].workers == 2


@pytest.mark.parametrize(("config", "tries"), [({}, 2), ({"max_retries": 0}, 1), ({"retry_failed_files": False}, 1)])
def test_a_file_that_takes_too_long_is_given_up(measured: Write, tmp_path: Path, config: dict[str, object], tries: int):
    long = measured("long.csv", points=400_000)
    told: list[ProcessingProgress] = []
    hasty = BatchConfig(timeout_per_file_minutes=0.05 / 60, **config)  # type: ignore[arg-type]
    result = process(long, [measured("sample.csv")], tmp_path / "out", config=hasty, callback=told.append)
    assert (result.successful, result.failed) == (0, 1)
    assert result.errors[0].startswith("long.csv: ") and "increase timeout_per_file_minutes" in result.errors[0]
    assert attempts(tmp_path / "out", "baseline") == [tries]
    assert any("tried again" in each.current_operation for each in told) == (tries > 1)


def test_output_directory_not_writable_since_it_is_a_file(files: Files, tmp_path: Path):
    (tmp_path / "file").write_text("")
    result = process(*files, tmp_path / "file" / "out")
    assert (result.failed, result.successful) == (3, 0)
    (error,) = result.errors
    assert error.startswith("Output directory not writable: ") and "is a file, not a folder" in error


def test_output_directory_not_writable_since_it_is_anothers(files: Files, tmp_path: Path):
    from dataclasses import replace

    from batchlab.engine import run
    from batchlab.spectra import compare_batch

    out = tmp_path / "out"
    batch = compare_batch(files[0], files[1][:1], out, figure=False)
    run(replace(batch, name="mine"), install_signal_handlers=False)
    result = process(*files, out)
    assert result.failed == 3 and result.errors[0].startswith("Output directory not writable: ")
    assert "'mine'" in result.errors[0]


def test_output_directory_not_writable_since_the_disk_is_full(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=10**9, used=10**9 - 10**6, free=10**6))
    result = process(*files, tmp_path / "out")
    assert result.failed == 3 and not (tmp_path / "out").exists()
    assert "1.0 MB free where about" in result.errors[0]


# stopping


def test_cancel_keeps_what_is_done_and_the_next_call_goes_on(files: Files, measured: Write, tmp_path: Path):
    samples = [*files[1], *(measured(f"more{i}.csv", height=2 + i) for i in range(2))]
    processor = BatchProcessor()

    def callback(progress: ProcessingProgress) -> None:
        if progress.current_stage is ProcessingStage.GRAPH_GENERATION:
            assert processor.cancel_processing()

    one = BatchConfig(max_concurrent_files=1)
    result = process(files[0], samples, tmp_path / "out", callback=callback, processor=processor, config=one)
    assert result.cancelled_files and not result.success and result.failed == 0
    assert len(result.output_files) == result.successful
    assert all(Path(path).read_bytes()[-8:-4] == b"IEND" for path in result.output_files)
    assert process(files[0], samples, tmp_path / "out").successful == 5


def test_cancel_before_the_first_job_starts_nothing(files: Files, tmp_path: Path):
    processor = BatchProcessor()

    def callback(progress: ProcessingProgress) -> None:
        processor.cancel_processing(now=True)

    result = process(*files, tmp_path / "out", callback=callback, processor=processor)
    assert result.successful == 0 and len(result.cancelled_files) == 3


def test_cancelling_the_awaiting_task_stops_the_batch(files: Files, tmp_path: Path):
    async def cancelled() -> None:
        def callback(progress: ProcessingProgress) -> None:
            if progress.current_stage is ProcessingStage.LOADING:
                working.cancel()

        working = asyncio.create_task(
            BatchProcessor().process_spectral_batch(
                files[0], files[1], OutputSettings(output_dir=tmp_path / "out", dpi=50), callback
            )
        )
        with pytest.raises(asyncio.CancelledError):
            await working

    asyncio.run(cancelled())
    view = read_view(tmp_path / "out")
    assert view.state == "cancelled" and Status.RUNNING not in {job.state for job in view.jobs}


def test_one_processor_does_one_batch_at_a_time_and_two_do_two(pair: Files, tmp_path: Path):
    async def both() -> list[BatchProcessResult]:
        busy, other = BatchProcessor(), BatchProcessor()

        def settings(name: str) -> OutputSettings:
            return OutputSettings(output_dir=tmp_path / name, dpi=50)

        first = asyncio.create_task(busy.process_spectral_batch(*pair, settings("first")))
        await asyncio.sleep(0)
        with pytest.raises(ConfigError, match="at work"):
            await busy.process_spectral_batch(*pair, settings("second"))
        return list(await asyncio.gather(first, other.process_spectral_batch(*pair, settings("other"))))

    assert [each.successful for each in asyncio.run(both())] == [1, 1]


def test_nothing_to_cancel_is_told():
    assert BatchProcessor().cancel_processing() is False


# figures about it all


def test_statistics_add_up_over_batches(pair: Files, tmp_path: Path):
    processor = BatchProcessor()
    assert processor.get_processing_stats()["files_processed"] == 0
    seen: list[dict[str, object]] = []
    process(
        *pair,
        tmp_path / "a",
        processor=processor,
        callback=lambda progress: seen.append(processor.get_processing_stats()),
    )
    process(pair[0], [*pair[1], tmp_path / "gone.csv"], tmp_path / "b", processor=processor)
    assert seen[-1]["is_processing"] is True and isinstance(seen[-1]["progress"], ProcessingProgress)
    stats = processor.get_processing_stats()
    told = {name: stats[name] for name in ("batches", "files_processed", "successful", "failed", "skipped")}
    assert told == {"batches": 2, "files_processed": 3, "successful": 2, "failed": 1, "skipped": 0}
    assert stats["is_processing"] is False and stats["progress"] is None and stats["start_time"]
    seconds = stats["stage_seconds"]
    assert isinstance(seconds, dict)
    assert list(seconds) == ["validation", "loading", "normalization", "graph_generation", "cleanup"]
    assert all(spent > 0 for spent in seconds.values())


def test_types_of_errors_are_counted(files: Files, tmp_path: Path):
    processor = BatchProcessor()
    far = tmp_path / "far.csv"
    far.write_text("Wavelength (nm),Absorbance\n" + "".join(f"{x},{x / 1e3}\n" for x in range(300, 400)))
    process(files[0], [far], tmp_path / "out", processor=processor)
    assert processor.get_processing_stats()["error_types"] == {"invalid-input": 1}


def test_types_of_errors_count_files_that_validation_refuses(files: Files, tmp_path: Path):
    processor = BatchProcessor()
    words = tmp_path / "words.csv"
    words.write_text("nothing but words\nand more of them\n")
    result = process(files[0], [*files[1], tmp_path / "gone.csv", words], tmp_path / "out", processor=processor)
    stats = processor.get_processing_stats()
    assert result.failed == stats["failed"] == 2
    assert stats["error_types"] == {"missing-input": 1, "invalid-input": 1}


def test_estimates_grow_with_the_work(files: Files):
    processor = BatchProcessor()
    one = processor.estimate_processing_time(files[0], files[1][:1])
    three = processor.estimate_processing_time(files[0], files[1])
    assert 0 < one.estimated_time_minutes < 1
    assert one.files == 1 and three.files == 3
    assert one.total_size_mb < three.total_size_mb and one.estimated_output_mb < three.estimated_output_mb
    assert three.estimated_memory_mb <= 1000
    lone = processor.estimate_processing_time(files[0], files[1], BatchConfig(max_concurrent_files=1))
    assert lone.estimated_time_minutes > three.estimated_time_minutes


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
