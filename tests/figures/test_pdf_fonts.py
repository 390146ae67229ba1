"""PDF files whose fonts were cut before look and read as those that matplotlib cuts itself."""

from __future__ import annotations

import io

import numpy as np
import pypdfium2
import pytest

from batchlab.figures import Legend, Line, Picture, Plot, Sheet, _pdf_fonts

X = np.linspace(-2.0, 2.0, 30)
LABELS = ("Δ light − dark: 3.1 µA", "rare: ж ⊕ é")


def written(label: str) -> bytes:
    line = Line(x=X, y=X**3, label=label)
    plot = Plot(marks=(line,), x_limits=(-2, 2), y_limits=(-8, 8), x_label=label, legend=Legend())
    return Picture(Sheet(plots=(plot,), size_in=(4, 3), dpi=100)).vector(".pdf")


def seen(data: bytes) -> tuple[str, np.ndarray]:
    page = pypdfium2.PdfDocument(data)[0]
    return page.get_textpage().get_text_bounded(), page.render(scale=1.5).to_numpy()


@pytest.mark.parametrize("label", LABELS)
def test_text_and_pixels_are_those_of_matplotlib(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, pixels = seen(written(label))
    assert _pdf_fonts._quick_writer() is not None
    monkeypatch.setattr(_pdf_fonts, "_quick_writer", lambda: None)
    own_text, own_pixels = seen(written(label))
    assert text == own_text and label.split()[-1] in text
    np.testing.assert_array_equal(pixels, own_pixels)


def test_bytes_depend_on_no_file_before() -> None:
    _pdf_fonts._cut.cache_clear()
    first = written(LABELS[0])
    written(LABELS[1])
    assert written(LABELS[0]) == first
    _pdf_fonts._cut.cache_clear()
    written(LABELS[1])
    assert written(LABELS[0]) == first


def test_a_font_is_cut_once_for_usual_letters() -> None:
    _pdf_fonts._cut.cache_clear()
    for number in range(5):
        written(f"run {number}")
    counts = _pdf_fonts._cut.cache_info()
    assert counts.misses == 2 and counts.hits == 8  # letters of one byte, and the minus


def test_matplotlib_itself_is_as_it_was() -> None:
    from matplotlib.backends import _backend_pdf_ps, backend_pdf

    before = backend_pdf.PdfFile, backend_pdf.PdfFile.embedTTF, backend_pdf._backend_pdf_ps
    written(LABELS[0])
    assert before == (backend_pdf.PdfFile, backend_pdf.PdfFile.embedTTF, _backend_pdf_ps)


def test_a_matplotlib_that_is_built_otherwise_writes_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.backends import backend_pdf

    monkeypatch.delattr(backend_pdf, "_backend_pdf_ps")
    assert _pdf_fonts._quick_writer.__wrapped__() is None


def test_a_figure_without_letters_is_written() -> None:
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure

    buffer = io.BytesIO()
    _pdf_fonts.print_pdf(FigureCanvasPdf(Figure(figsize=(1, 1))), buffer, {"CreationDate": None})
    assert len(pypdfium2.PdfDocument(buffer.getvalue())) == 1
