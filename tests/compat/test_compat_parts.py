"""The parts of the batch processor by themselves: settings, names, validation, reading, drawing, showing folders."""

from __future__ import annotations

import asyncio
import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from batchlab.compat.spectra import (
    BatchConfig,
    BatchProcessor,
    ComparisonGraph,
    CSVParser,
    FileManager,
    GraphGenerator,
    OutputSettings,
)
from batchlab.compat.spectra import _folder as folder_module
from batchlab.compat.spectra._folder import opener, show_folder
from batchlab.compat.spectra._names import settle
from batchlab.engine import Conflict
from batchlab.errors import ConfigError, DataError, JobError
from batchlab.spectra import AxisKind, Quantity, Spectrum

Files = tuple[Path, list[Path]]
Write = Callable[..., Path]


# settings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"output_dir": ""}, "output_dir is empty"),
        ({"format": "gif"}, "format 'gif': write one of png, jpg"),
        ({"dpi": 0}, "dpi 0"),
        ({"dpi": True}, "dpi True"),
        ({"conflict_resolution": "rename"}, "conflict_resolution 'rename'"),
        ({"filename_template": "{sampel}"}, "unknown field {sampel}.*sample"),
        ({"filename_template": "{sample"}, "template"),
        ({"filename_template": " "}, "names no file"),
        ({"filename_template": "{sample}/"}, "names no file"),
    ],
)
def test_wrong_output_settings_are_told_at_once(settings: dict[str, object], said: str):
    with pytest.raises(ConfigError, match=said):
        OutputSettings(**{"output_dir": "out", **settings})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "config",
    [
        {"max_concurrent_files": 0},
        {"memory_limit_mb": -1},
        {"timeout_per_file_minutes": 0},
        {"timeout_per_file_minutes": float("nan")},
        {"max_retries": -1},
        {"max_retries": "two"},
    ],
)
def test_wrong_configurations_are_told_at_once(config: dict[str, object]):
    (name,) = config
    with pytest.raises(ConfigError, match=f"^{name} "):
        BatchConfig(**config)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("template", "format", "picture"),
    [
        ("{sample}", "png", "{sample}.png"),
        ("{sample}", "JPG", "{sample}.jpg"),
        ("{sample}.v2", "pdf", "{sample}.v2.pdf"),
        ("{sample}.SVG", "png", "{sample}.SVG"),
    ],
)
def test_a_template_without_a_suffix_gets_the_formats(template: str, format: str, picture: str):
    assert OutputSettings(output_dir="out", format=format, filename_template=template).picture_template == picture


# names


def test_conflicts_are_resolved_by_the_strategy(tmp_path: Path):
    manager, path = FileManager(), tmp_path / "a.png"
    assert manager.resolve_filename_conflicts(path) == str(path)
    path.write_text("")
    assert manager.resolve_filename_conflicts(path) == str(tmp_path / "a_001.png")
    (tmp_path / "a_001.png").write_text("")
    assert manager.resolve_filename_conflicts(str(path), "auto_increment") == str(tmp_path / "a_002.png")
    assert manager.resolve_filename_conflicts(path, "overwrite") == str(path)
    assert manager.resolve_filename_conflicts(path, "skip") is None
    assert re.fullmatch(r"a_\d{8}T\d{6}Z\.png", Path(manager.resolve_filename_conflicts(path, "timestamp") or "").name)
    with pytest.raises(JobError, match="is there already"):
        manager.resolve_filename_conflicts(path, "fail")
    with pytest.raises(ConfigError, match="write one of"):
        manager.resolve_filename_conflicts(path, "ask")


def test_only_the_same_job_replaces_its_own_file(tmp_path: Path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_text("")
    wanted = [("one", "a.png"), ("two", "a.png"), ("three", "b.png"), ("four", "B.png")]
    owned = {"a.png": "two", "b.png": "somebody"}
    assert settle(wanted, Conflict.AUTO_INCREMENT, tmp_path, owned) == ["a_001.png", "a.png", "b_001.png", "B.png"]
    assert settle(wanted, Conflict.SKIP, tmp_path, owned) == [None, None, None, "B.png"]
    assert settle(wanted, Conflict.OVERWRITE, tmp_path, owned) == ["a.png", "a_001.png", "b.png", "B_001.png"]


def test_temporary_files_are_removed_and_counted(tmp_path: Path):
    files = [tmp_path / f"{i}.tmp" for i in range(3)]
    for file in files[:2]:
        file.write_text("")
    assert FileManager().cleanup_temp_files_batch([*files, tmp_path]) == 2
    assert list(tmp_path.iterdir()) == []


# validation


def test_validation_tells_what_is_fit(files: Files, tmp_path: Path):
    empty, picture = tmp_path / "empty.csv", tmp_path / "picture.csv"
    empty.write_bytes(b"")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(300))
    samples = [*map(str, files[1]), empty, picture, tmp_path / "gone.csv", tmp_path]
    found = asyncio.run(BatchProcessor().file_manager.validate_batch_files(files[0], samples))
    assert found.valid_files == (str(files[0]), *map(str, files[1]))
    reasons = dict(found.invalid_files)
    assert list(reasons) == ["empty.csv", "picture.csv", "gone.csv", tmp_path.name]
    assert "empty" in reasons["empty.csv"] and "PNG" in reasons["picture.csv"]
    assert "no such file" in reasons["gone.csv"] and "directory" in reasons[tmp_path.name]
    assert found.total_size_mb == pytest.approx(sum(each.stat().st_size for each in (files[0], *files[1])) / 1e6)
    assert 0 < found.estimated_time_minutes < 1 and found.warnings == ()


def test_validation_says_which_rights_are_missing(files: Files, monkeypatch: pytest.MonkeyPatch):
    locked = files[1][0]

    def refused(self: Path) -> bytes:
        if self == locked:
            raise PermissionError(13, "Permission denied")
        return real(self)

    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", refused)  # the tests may run as somebody who may read all
    found = asyncio.run(FileManager().validate_batch_files(files[0], files[1]))
    ((name, reason),) = found.invalid_files
    assert name == "sample1.csv" and "may not be read" in reason


def test_validation_goes_on_where_the_event_loop_does(files: Files):
    async def both() -> list[str]:
        done: list[str] = []

        async def validate() -> None:
            await FileManager().validate_batch_files(files[0], files[1])
            done.append("validated")

        async def other() -> None:
            done.append("other")

        await asyncio.gather(validate(), other())
        return done

    assert asyncio.run(both()) == ["other", "validated"]


# reading


def test_the_parser_gives_the_spectrum_and_how_sure_it_is(files: Files):
    result = CSVParser().parse_file(str(files[0]))
    assert result.success and result.errors == ()
    assert isinstance(result.data, Spectrum) and len(result.data) == 300
    assert (result.data.axis_kind, result.data.quantity) == (AxisKind.WAVENUMBER, Quantity.ABSORBANCE)
    assert 0.8 <= result.structure.confidence <= 1 and result.structure.format


def test_the_parser_tells_what_is_no_spectrum(tmp_path: Path):
    result = CSVParser().parse_file(tmp_path / "gone.csv")
    assert not result.success and result.data is None and result.structure.confidence == 0
    assert "no such file" in result.errors[0]


def test_the_first_of_several_spectra_is_taken_with_a_warning(tmp_path: Path):
    path = tmp_path / "wide.csv"
    path.write_text("Wavelength (nm),leaf,stem\n" + "".join(f"{300 + i},{i % 7},{i % 5}\n" for i in range(60)))
    result = asyncio.run(BatchProcessor().ai_normalizer.normalize_csv(None, path))
    assert result.success and result.data is not None
    assert result.data.intensity[3] == 3 and result.data.name == "wide"
    assert any("holds 2 spectra; the first, 'leaf', is taken" in text for text in result.warnings)


def test_data_without_a_file_are_handed_back():
    data = np.column_stack([np.arange(10.0), np.arange(10.0) ** 2])
    result = asyncio.run(BatchProcessor().ai_normalizer.normalize_csv(data, "never-written.csv"))
    assert result.success and result.source == "given" and result.data is not None
    np.testing.assert_array_equal(result.data.intensity, data[:, 1])


# drawing


def test_a_graph_holds_the_numbers_and_saves_a_picture(files: Files, tmp_path: Path):
    parser = CSVParser()
    baseline, sample = parser.parse_file(files[0]).data, parser.parse_file(files[1][0]).data
    graph = GraphGenerator().generate_comparison_graph(baseline, sample, "before", "after")
    assert isinstance(graph, ComparisonGraph)
    assert (graph.comparison.reference_name, graph.comparison.sample_name) == ("before", "after")
    assert graph.comparison.metrics["pearson_r"] > 0.99
    graph.savefig(tmp_path / "graph.png", dpi=50)
    sink = io.BytesIO()
    graph.savefig(sink, dpi=50)
    assert sink.getvalue() == (tmp_path / "graph.png").read_bytes()
    assert graph._repr_png_()[:4] == b"\x89PNG"
    with pytest.raises(ConfigError, match="format 'gif'"):
        graph.savefig(tmp_path / "graph.gif")


@pytest.mark.parametrize("kind", ["columns", "structured", "mapping"])
def test_tables_of_two_columns_are_taken_for_spectra(kind: str):
    axis = np.linspace(400, 700, 50)
    signal = np.sin(axis / 50)
    table: object = np.column_stack([axis, signal])
    if kind == "structured":
        table = np.array(list(zip(axis, signal, strict=True)), dtype=[("wavelength", "f8"), ("absorbance", "f8")])
    elif kind == "mapping":
        table = {"wavelength": list(axis), "absorbance": list(signal)}
    graph = GraphGenerator().generate_comparison_graph(table, table)
    assert graph.comparison.metrics["rmse"] == 0
    named = AxisKind.UNKNOWN if kind == "columns" else AxisKind.WAVELENGTH
    assert graph.comparison.axis_kind is named


def test_a_data_frame_is_taken_for_a_spectrum():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"wavenumber": np.linspace(400, 700, 50), "absorbance": np.ones(50) + np.arange(50)})
    graph = GraphGenerator().generate_comparison_graph(frame, frame)
    assert graph.comparison.axis_kind is AxisKind.WAVENUMBER


def test_what_is_no_table_is_told():
    with pytest.raises(DataError, match="tea: not a spectrum"):
        GraphGenerator().generate_comparison_graph([[1, 2], [2, 3]], "leaves", "pot", "tea")


# showing the folder


@pytest.mark.parametrize(
    ("environment", "interactive", "platform", "program"),
    [
        ({"DISPLAY": ":0"}, True, "linux", "xdg-open"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True, "linux", "xdg-open"),
        ({}, True, "darwin", "open"),
        ({}, True, "linux", None),
        ({"DISPLAY": ":0"}, False, "linux", None),
        ({"DISPLAY": ":0", "CI": "true"}, True, "linux", None),
        ({"SSH_CONNECTION": "1"}, True, "darwin", None),
    ],
)
def test_a_folder_is_shown_to_somebody_before_a_display(
    environment: dict[str, str], interactive: bool, platform: str, program: str | None
):
    assert opener(environment, interactive=interactive, platform=platform) == program


def test_the_folder_is_handed_to_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told = tmp_path / "told"
    os.mkfifo(told)
    program = tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" > "{told}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.delenv("CI", raising=False)
    assert show_folder(tmp_path) is False  # nobody sits at this terminal
    monkeypatch.setattr(folder_module, "_is_terminal", lambda stream: True)
    assert show_folder(tmp_path) is True
    assert told.read_text() == f"{tmp_path}\n"  # waits for the program to write it
