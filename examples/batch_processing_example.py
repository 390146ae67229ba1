"""Compare a folder of spectra with a baseline, by the calls of an earlier batch processor.

The measurements are made up, in the folder that is named, else in one beside where it runs:

    python batch_processing_example.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import math
import random
import sys
from pathlib import Path

from batchlab.compat.spectra import BatchConfig, BatchProcessor, OutputSettings, ProcessingProgress

FOLDER = Path("batch_processing_example")
BANDS = ((2920.0, 25.0, 0.8), (1740.0, 15.0, 0.5), (1460.0, 20.0, 0.3), (1160.0, 40.0, 0.4))  # centre, width, height


def write_measurement(path: Path, oxidation: float, seed: int) -> None:
    """An infrared spectrum of an oil whose carbonyl band grows as it ages."""
    noise = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        file.write("Wavenumber (cm-1),Absorbance\n")
        for step in range(1800):
            wavenumber = 4000.0 - 2.0 * step
            absorbance = 0.02 + noise.gauss(0.0, 0.002)
            for centre, width, height in BANDS:
                grown = height * (1.0 + oxidation) if centre == 1740.0 else height
                absorbance += grown * math.exp(-(((wavenumber - centre) / width) ** 2))
            file.write(f"{wavenumber:.1f},{absorbance:.5f}\n")


def make_files(folder: Path) -> tuple[Path, list[Path]]:
    """A baseline, four samples of growing age, and a file that is no spectrum."""
    folder.mkdir(parents=True, exist_ok=True)
    baseline = folder / "baseline.csv"
    write_measurement(baseline, 0.0, seed=0)
    samples = [folder / f"sample_{number}.csv" for number in (1, 2, 3, 4)]
    for number, sample in enumerate(samples, start=1):
        write_measurement(sample, 0.2 * number, seed=number)
    broken = folder / "broken.csv"
    broken.write_text("the export stopped here\n", encoding="utf-8")
    return baseline, [*samples, broken]


def show(progress: ProcessingProgress) -> None:
    """One line for each step."""
    stage = progress.current_stage.value.replace("_", " ")
    print(f"{progress.progress_percent:5.1f} %  {stage:16}  {progress.current_operation}")


async def main(folder: Path) -> int:
    """Validate, estimate, process, and tell what came of it."""
    baseline, samples = make_files(folder)
    processor = BatchProcessor()

    checked = await processor.file_manager.validate_batch_files(baseline, samples)
    print(f"{len(checked.valid_files)} files are fit, {len(checked.invalid_files)} are not")
    expected = processor.estimate_processing_time(baseline, samples)
    print(f"about {expected.estimated_time_minutes * 60:.0f} s and {expected.estimated_output_mb:.0f} MB are expected")

    result = await processor.process_spectral_batch(
        baseline,
        samples,
        OutputSettings(output_dir=folder / "comparisons", dpi=100, save_normalized_csvs=True),
        progress_callback=show,
        config=BatchConfig(max_concurrent_files=2),
    )

    print(f"{result.successful} of {result.total_files} files compared in {result.processing_time:.1f} s")
    for text in (*result.errors, *result.warnings):
        print(f"  {text}")
    for path in result.output_files:
        print(f"  {Path(path).name}")
    return 0 if result.successful else 1


if __name__ == "__main__":
    if len(sys.argv) > 2 or (sys.argv[1:] and sys.argv[1].startswith("-")):
        sys.exit(__doc__)
    sys.exit(asyncio.run(main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)))
