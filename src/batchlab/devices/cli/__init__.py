"""What this domain offers to the command line; a command is imported when it is used, not when it is listed."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping

import click

from batchlab.options import LazyCommands

__all__ = ["devices"]

_CLI = "batchlab.devices.cli"
_PLOTS = "batchlab.devices.cli._plots"  # makes a command of each kind of plot

# By section of the help: name of a command to where it lies and its line.
_COMMANDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "All at once": {
        "full-pipeline": (f"{_CLI}._pipeline:full_pipeline", "Stage, number, derive and join all that is new."),
        "update": (f"{_CLI}._pipeline:update", "Stage what is new, and bring histories and powers up to date."),
        "clean-data": (f"{_CLI}._staging:clean_data", "Remove what can be made again."),
    },
    "Staged runs": {
        "stage-all": (f"{_CLI}._staging:stage_all", "Read raw files into the staged store."),
        "validate-manifest": (f"{_CLI}._staging:validate_manifest", "Check that the store is whole."),
        "inspect-manifest": (f"{_CLI}._staging:inspect_manifest", "List raw files with what was read from them."),
        "staging-stats": (f"{_CLI}._staging:staging_stats", "Count what is staged."),
    },
    "Histories": {
        "build-all-histories": (f"{_CLI}._histories:build_all_histories", "Number the runs of every chip."),
        "build-history": (f"{_CLI}._histories:build_history", "Number the runs of one chip."),
        "show-history": (f"{_CLI}._histories:show_history", "Show the runs of a chip."),
        "export-history": (f"{_CLI}._histories:export_history", "Write the history of a chip to a file."),
        "link-calibrations": (f"{_CLI}._enriching:link_calibrations", "Find the power of each run's light."),
        "validate-calibration-links": (f"{_CLI}._enriching:validate_calibration_links", "Check those powers."),
        "enrich-history": (f"{_CLI}._enriching:enrich_history", "Join histories with powers and metrics."),
    },
    "Metrics": {
        "derive-all-metrics": (f"{_CLI}._metrics:derive_all_metrics", "Derive all metrics of runs and pairs."),
        "derive-consecutive-sweeps": (f"{_CLI}._metrics:derive_consecutive_sweeps", "Compare consecutive sweeps."),
        "derive-fitting-metrics": (f"{_CLI}._metrics:derive_fitting_metrics", "Fit relaxations, phases and drifts."),
    },
    "Reports": {
        "report": (f"{_CLI}._report:report", "Write a page for each chip, and one over all."),
    },
    "Figures": {
        "batch-plot": ("batchlab.devices.cli._batch_plot:batch_plot", "Draw all plots of a YAML file."),
        "plot-its": (_PLOTS, "Current over time, runs laid over each other."),
        "plot-its-sequential": (_PLOTS, "Current over the time of a whole series."),
        "plot-its-suite": (_PLOTS, "Currents: overlay, sequence, and response to light."),
        "plot-its-photoresponse": (_PLOTS, "Response of the current to light."),
        "plot-its-relaxation": (_PLOTS, "Stretched-exponential fits with their residuals."),
        "plot-its-relaxation-batch": (_PLOTS, "Such a fit for every run, in a picture of its own."),
        "plot-its-presets": (_PLOTS, "Currents over time under each preset."),
        "plot-ivg": (_PLOTS, "Current over gate voltage."),
        "plot-ivg-by-sample": (_PLOTS, "Gate sweeps by sample of a chip."),
        "compare-first-ivg": (_PLOTS, "First gate sweeps of chips and samples."),
        "plot-vvg": (_PLOTS, "Drain voltage over gate voltage."),
        "plot-transconductance": (_PLOTS, "Derivative of gate sweeps."),
        "plot-vt": (_PLOTS, "Drain voltage over time, runs laid over each other."),
        "plot-vt-sequential": (_PLOTS, "Drain voltage over the time of a whole series."),
        "plot-vt-presets": (_PLOTS, "Drain voltages over time under each preset."),
        "plot-vts-suite": (_PLOTS, "Drain voltages: overlay, sequence, and response to light."),
        "plot-cnp-time": (_PLOTS, "Dirac point over date and time."),
        "plot-photoresponse": (_PLOTS, "Response against power, wavelength, gate voltage or time."),
        "plot-consecutive-sweep-diff": (_PLOTS, "Differences of consecutive gate sweeps."),
        "plot-laser-calibration": (_PLOTS, "Optical power over laser voltage."),
        "plot-laser-calibration-comparison": (_PLOTS, "Calibrations of each wavelength beside each other."),
    },
}
_WHERE = {name: where for section in _COMMANDS.values() for name, where in section.items()}
_PLOT_GROUP = "batchlab.devices.plots"


class _Commands(LazyCommands):
    """Our commands, and one for each plot that another package brings."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_others()]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if _WHERE.get(name, ("", ""))[0] != _PLOTS and name not in _others():
            return super().get_command(ctx, name)
        from batchlab.devices.cli._plots import command_of

        return command_of(name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section, commands in _COMMANDS.items():
            with formatter.section(section):
                formatter.write_dl([(name, line) for name, (_, line) in commands.items()])
        if _others():
            with formatter.section("Plots of other packages"):
                formatter.write_dl([(name, "") for name in _others()])


def _others() -> list[str]:
    found = {entry.name for entry in importlib.metadata.entry_points(group=_PLOT_GROUP)}
    return sorted(name for name in found - set(_WHERE) if name.startswith(("plot-", "compare-")))


@click.group(cls=_Commands, where=_WHERE, context_settings={"help_option_names": ["-h", "--help"]})
def devices() -> None:
    """Transistors and 2D materials: from raw lab files to histories, figures and metrics."""
