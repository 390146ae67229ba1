"""The reference names everything there is: commands, options, keys, categories, metrics, the context of a task."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
from docs_desk import Desk
from docs_pages import ROOT, first_cells, page

from batchlab import motion, particles
from batchlab.batchfile import schema
from batchlab.cli import cli
from batchlab.devices import _batch_plots as batch_plots
from batchlab.devices.metrics import Reason, _constants, extractors
from batchlab.devices.metrics._pairs import NAMES as PAIR_METRICS
from batchlab.devices.metrics._power_law import NAME as POWER_LAW
from batchlab.devices.plots import Look, plot_type, plot_types
from batchlab.engine import Ask, BatchState, JobContext, Status, find_task, read_view, status_json, task_names
from batchlab.errors import Category
from batchlab.motion.tasks import CameraParams, ConventionParams, EyeWeightsParams, WeightsParams
from batchlab.motion.tasks._known import DistanceParams, SoftEdgeParams, SymmetryParams
from batchlab.spectra import AxisKind, Normalization, Quantity
from batchlab.spectra._kinds import Technique
from batchlab.spectra._measures import MEASURES
from batchlab.spectra._normalizer._settings import _VARIABLES
from batchlab.spectra._pretreatment._steps import STEPS
from batchlab.spectra.tasks import CompareParams, LimitsParams
from batchlab.spectra.tasks._analytics import AnalyticsParams


def commands() -> Iterator[tuple[str, click.Command]]:
    def walk(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None, f"{name} cannot be loaded"
            if isinstance(command, click.Group):
                yield from walk(command, f"{before}{name} ")
            else:
                yield f"{before}{name}", command

    yield from walk(cli, "")


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=lambda each: each if isinstance(each, str) else "")
def test_every_option_of_a_command_stands_in_its_table(name: str, command: click.Command) -> None:
    said = options_told(name)
    options = {
        option
        for param in command.params
        if isinstance(param, click.Option) and param.name not in ("help", "traceback")
        for option in (*param.opts, *param.secondary_opts)
    }
    # --traceback is every command's, but the one of `why` is another.
    if name == "why":
        options.add("--traceback")
    assert options_of(said) <= options
    assert options <= options_of(said | shared_options(name))


COMMAND_PAGES = {
    "devices": "reference/devices-cli.md",
    "motion": "reference/motion-cli.md",
    "particles": "reference/particles-cli.md",
}


def options_told(name: str) -> set[str]:
    text = page(COMMAND_PAGES.get(name.partition(" ")[0], "reference/cli.md"))
    assert f"\n## {name}\n" in text, f"there is no heading {name!r}"
    return set(first_cells(text, f"## {name}"))


def shared_options(name: str) -> set[str]:
    domain, _, command = name.partition(" ")
    if domain not in COMMAND_PAGES:
        return set()
    parts = ["## Common options"]
    if command.startswith("plot-"):
        parts.append("## Common options of plots")
    if name in ("particles plot", "particles orbit"):
        parts.append("## Common options of pictures")
    return {cell for part in parts for cell in first_cells(page(COMMAND_PAGES[domain]), part)}


def options_of(cells: set[str]) -> set[str]:
    return {word.split()[0] for word in cells if word.startswith("-")}


def test_the_command_pages_have_no_command_too_many() -> None:
    names = {name for name, _ in commands()}
    for place, others in (
        ("reference/cli.md", ["For all commands", "Exit codes"]),
        ("reference/devices-cli.md", ["Common options", "Common options of plots"]),
        ("reference/motion-cli.md", ["Common options"]),
        ("reference/particles-cli.md", ["Common options", "Common options of pictures"]),
    ):
        headings = re.findall(r"^## (.+)$", page(place), flags=re.MULTILINE)
        assert [heading for heading in headings if heading not in names] == others


def test_every_error_category_stands_in_the_table() -> None:
    said = first_cells(page("reference/error-categories.md"), "## Categories")
    assert sorted(said) == sorted(str(category) for category in Category)


def keys(part: dict[str, object]) -> set[str]:
    return set(part["properties"])  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("heading", "found"),
    [
        ("## The file", lambda s: keys(s)),
        ("## Entries", lambda s: keys(s["$defs"]["entry"])),
        ("## Limits", lambda s: keys(s["$defs"]["limits"])),
        ("## Settings", lambda s: keys(s["properties"]["settings"])),
        ("## Defaults", lambda s: keys(s["properties"]["defaults"])),
    ],
)
def test_every_key_of_a_batch_file_stands_in_its_table(heading: str, found: object) -> None:
    said = first_cells(page("reference/batch-file.md"), heading)
    assert sorted(said) == sorted(found(schema()))  # type: ignore[operator]


def test_the_batch_file_that_is_shown_whole_uses_every_key() -> None:
    text = page("reference/batch-file.md")
    for key in (*keys(schema()), *keys(schema()["properties"]["settings"])):
        assert re.search(rf"\b{key}:", text), key


def test_everything_a_task_sees_stands_in_the_table() -> None:
    names = {name for name in vars(JobContext) if not name.startswith("_")}
    names |= {"job", "cache", "log"}
    names -= {"left"}  # the engine's own
    said = {
        re.split(r"[(.]", word.removeprefix("ctx."))[0]
        for word in first_cells(page("reference/task-api.md"), "## The context")
    }
    assert said == names


def test_params_and_words_of_the_spectra_tasks_stand_in_the_tables() -> None:
    text = page("reference/spectra.md")
    assert set(first_cells(text, "## Params")) == set(CompareParams.model_fields)
    assert set(LimitsParams.model_fields) - {"each_spectrum"} <= set(CompareParams.model_fields)
    for words in (AxisKind, Quantity, Normalization):
        for word in words:
            assert f"`{word}`" in text or word == "unknown", word
    own = set(AnalyticsParams.model_fields) - (set(CompareParams.model_fields) - {"dpi", "size_in"})
    assert own <= set(first_cells(text, "## Analytics"))


def test_params_and_words_of_recipes_stand_in_the_tables() -> None:
    text = page("reference/spectra.md")
    assert first_cells(text, "### Steps") == list(STEPS)
    for name, kind in STEPS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |") and line.count("|") == 4)
        parameters = set(kind.model_fields) - {"step"}
        assert all(re.search(rf"\b{each}\b", row) for each in parameters), name
    assert first_cells(text, "### Presets") == [str(each) for each in Technique]
    assert set(first_cells(text, "## AI")) == {f"BATCHLAB_AI_{name}" for name in _VARIABLES}


def test_metrics_are_those_that_a_comparison_gives(desk: Desk) -> None:
    desk.make_data(1)
    desk.run("batchlab spectra compare data/reference.csv data/samples/sample_001.csv --output out --no-figure -q")
    assert desk.code == 0
    view = read_view(desk.folder / "out")
    spectra = page("reference/spectra.md")
    assert set(first_cells(spectra, "## Metrics")) == set(view.jobs[-1].metrics)
    assert set(MEASURES) <= {*first_cells(spectra, "## Metrics"), *first_cells(spectra, "### Metrics on wish")}
    shape = status_json(view)
    text = page("reference/json.md")
    assert set(first_cells(text, "## status")) == set(shape)
    assert set(first_cells(text, "### A job")) == set(shape["jobs"][0])


def test_states_are_all_named() -> None:
    text = page("reference/json.md")
    assert set(first_cells(text, "### States of a job")) == {str(state) for state in Status}
    assert set(first_cells(text, "### States of a batch")) == {str(state) for state in BatchState}


def test_reasons_of_the_readers_stand_in_the_table() -> None:
    source = ROOT / "src" / "batchlab" / "spectra"
    given = {reason for file in source.rglob("*.py") for reason in re.findall(r'reason="([a-z-]+)"', file.read_text())}
    given |= {"quantity-mismatch"}  # chosen beside unit-mismatch
    assert given <= set(first_cells(page("reference/spectra.md"), "## Reasons"))


def test_tasks_of_devices_stand_in_the_tables_with_their_params() -> None:
    text = page("reference/devices.md")
    tasks = {name for name in task_names() if name.startswith("devices.")}
    assert set(first_cells(text, "## Tasks")) == tasks
    for name in tasks:
        params = find_task(name).params
        assert params is not None
        assert set(first_cells(text, f"### {name}")) == set(params.model_fields), name


def test_keys_and_options_of_device_plots_stand_in_the_tables() -> None:
    text = page("reference/devices.md")
    assert set(first_cells(text, "### On top")) == set(batch_plots._TOP)
    assert set(first_cells(text, "### In an entry")) == set(batch_plots._ENTRY)
    assert set(first_cells(text, "### Style")) == set(Look.model_fields)
    ours = {name for name in plot_types() if plot_type(name).draw.__module__.startswith("batchlab.")}
    assert set(first_cells(text, "## Plots")) == ours
    options = {option for name in ours for option in plot_type(name).options.model_fields}
    assert set(first_cells(text, "### Options of plots")) == {*options, "dark", *preset_names()}


def preset_names() -> set[str]:
    from batchlab.devices.plots._options import _PRESETS

    return set(_PRESETS)


def test_metrics_of_devices_stand_in_the_tables() -> None:
    text = page("reference/devices.md")
    given = {name for each in extractors() for name in each.metrics} | {*PAIR_METRICS, POWER_LAW}
    assert set(first_cells(text, "## Metrics")) == given
    assert set(first_cells(text, "### Methods")) == {each.name for each in extractors()}
    assert set(first_cells(text, "### Reasons for no value")) == set(Reason)
    assert set(first_cells(text, "## Constants")) == set(_constants._NAMES)


def test_flags_of_devices_stand_in_the_table() -> None:
    source = ROOT / "src" / "batchlab" / "devices" / "metrics"
    code = "".join(file.read_text() for file in source.glob("*.py"))
    given = set(re.findall(r'checks\["([A-Z_]+)"\]', code)) | set(re.findall(r'notes\.append\("([A-Z_]+)"\)', code))
    assert given and given <= set(first_cells(page("reference/devices.md"), "## Flags"))


def test_reasons_of_devices_stand_in_the_table() -> None:
    source = ROOT / "src" / "batchlab" / "devices"
    given = {reason for file in source.rglob("*.py") for reason in re.findall(r'reason="([a-z-]+)"', file.read_text())}
    assert set(first_cells(page("reference/devices.md"), "## Reasons")) == given


def test_tasks_of_particles_stand_in_the_tables_with_their_params() -> None:
    text = page("reference/particles.md")
    tasks = {name for name in task_names() if name.startswith("particles.")}
    assert set(first_cells(text, "## Tasks")) == tasks
    for name in tasks:
        params = find_task(name).params
        assert params is not None
        told = set(first_cells(text, f"### {name}"))
        assert set(params.model_fields) <= told, name
        assert told - set(params.model_fields) <= set(METRICS), name


METRICS = (
    "records", "shown", "modes", "invalid_records", "low_quality_records", "out_of_order_records", "fill_fraction",
    "out_of_range_fraction", "positive_values", "start_s", "end_s",
)  # fmt: skip


def test_names_and_reasons_of_particles_stand_in_the_tables() -> None:
    text = page("reference/particles.md")
    assert first_cells(text, "## Names")[: len(particles.__all__)] == sorted(particles.__all__)
    assert set(first_cells(text, "## Categories")) == {each.name for each in particles.PITCH_CATEGORIES}
    source = ROOT / "src" / "batchlab" / "particles"
    code = "".join(file.read_text() for file in source.rglob("*.py") if "_synthetic" not in file.parts)
    given = set(re.findall(r'\breason ?= ?"([a-z-]+)"', code))
    assert set(first_cells(text, "## Reasons")) == given


def test_tasks_of_motion_stand_in_the_tables_with_their_params() -> None:
    text = page("reference/motion.md")
    tasks = {name for name in task_names() if name.startswith("motion.")}
    assert set(first_cells(text, "## Tasks")) == tasks
    for name in tasks:
        params = find_task(name).params
        assert params is not None
        assert set(first_cells(text, f"### {name}")) == set(params.model_fields), name
    for heading, below in (
        ("#### Weights", WeightsParams),
        ("#### Convention", ConventionParams),
        ("#### Distances", DistanceParams),
        ("#### Symmetry", SymmetryParams),
        ("#### Soft edges", SoftEdgeParams),
        ("#### Camera", CameraParams),
        ("#### Weights of an eye", EyeWeightsParams),
    ):
        assert set(first_cells(text, heading)) == set(below.model_fields)
    for words in (motion.Smoothing, motion.Loss, motion.ScoreKind):
        assert all(f"`{word}`" in text for word in words)


def test_names_words_and_reasons_of_motion_stand_in_the_tables() -> None:
    text = page("reference/motion.md")
    assert set(motion.__all__) <= set(first_cells(text, "## Names"))
    assert set(first_cells(text, "## Words")) >= set(motion.FileFormat)
    source = ROOT / "src" / "batchlab" / "motion"
    code = "".join(file.read_text() for file in source.rglob("*.py") if "_synthetic" not in file.parts)
    given = set(re.findall(r'\breason ?= ?"([a-z-]+)"', code))
    assert set(first_cells(text, "## Reasons")) == given


def test_metrics_of_motion_are_those_that_fits_give(desk: Desk) -> None:
    desk.make_recordings()
    desk.run(
        'batchlab motion cross-validate "helmet/subject_0*_session_1.csv" --folds 3 --score held-out --output out -q'
    )
    assert desk.code == 0
    jobs = read_view(desk.folder / "out").jobs
    told = set(first_cells(page("reference/motion.md"), "## Metrics"))
    judging = {"noise_mm", "swaps", "outlier_runs", "loose_markers"}
    assert told == {name for job in jobs if job.task == "motion.fit" for name in job.metrics} | judging


def test_metrics_of_an_eye_are_those_that_its_fit_gives(desk: Desk) -> None:
    motion.write_eyes(desk.folder / "eyes", frames=200)
    desk.run("batchlab motion eye eyes --camera pupil-labs --rate 120 --no-viewer --output out -q")
    assert desk.code == 0
    (job,) = read_view(desk.folder / "out").jobs
    assert set(first_cells(page("reference/motion.md"), "### Metrics of an eye")) == set(job.metrics)


def test_reasons_of_the_engine_stand_in_the_table() -> None:
    source = ROOT / "src" / "batchlab" / "engine"
    given = {reason for file in source.rglob("*.py") for reason in re.findall(r'reason="([a-z-]+)"', file.read_text())}
    assert given <= set(first_cells(page("reference/error-categories.md"), "## Reasons of the engine"))


def test_what_can_be_asked_of_a_run_is_named() -> None:
    text = page("reference/files-and-folders.md")
    assert all(f"`{ask}`" in text for ask in Ask)


def test_the_readme_leaves_room_for_the_figures() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert 0 < text.index("<!-- figures -->") < text.index("<!-- /figures -->")
