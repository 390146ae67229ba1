"""Files of unsure layout: an AI is asked where there is one, and the rules decide where it fails."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from batchlab.compat.spectra import BatchConfig, BatchProcessor, BatchProcessResult, OutputSettings
from batchlab.spectra import AxisKind, Quantity
from batchlab.spectra._read import recognize

Write = Callable[..., Path]


class Endpoint:
    """A chat-completions server on the loopback device: one answer, and a count of what it was asked."""

    def __init__(self, answer: str) -> None:
        self.asked = 0
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                stub.asked += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                message = {"role": "assistant", "content": answer}
                body = json.dumps(
                    {
                        "id": "x",
                        "object": "chat.completion",
                        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                        "usage": {"prompt_tokens": 700, "completion_tokens": 150, "total_tokens": 850},
                    }
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def good_answer(path: Path) -> str:
    plan = recognize(path).plan
    assert plan is not None
    answer = plan.model_dump(mode="json", exclude={"encoding"})
    answer["axis"] |= {"column": 1, "kind": "wavelength", "unit": "nm", "direction": "descending"}
    (spectrum, *_) = answer["spectra"]
    answer["spectra"] = [{**spectrum, "column": 2, "role": "sample", "quantity": "counts", "unit": "counts"}]
    answer |= {"confidence": 0.97, "reason": "the falling column is the axis"}
    return json.dumps(answer)


@pytest.fixture
def files(unsure: Write) -> tuple[Path, list[Path]]:
    made = unsure("baseline.txt"), [unsure(f"sample{i}.txt", height=1 + i / 5) for i in (1, 2, 3)]
    assert recognize(made[0]).confidence < 0.8
    return made


@pytest.fixture
def endpoint(files: tuple[Path, list[Path]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Endpoint]:
    server = Endpoint(good_answer(files[0]))
    monkeypatch.setenv("BATCHLAB_AI_URL", server.url)
    monkeypatch.setenv("BATCHLAB_AI_MODEL", "stub")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield server
    server.close()


def process(files: tuple[Path, list[Path]], out: Path) -> BatchProcessResult:
    output = OutputSettings(output_dir=out, dpi=50, save_normalized_csvs=True)
    config = BatchConfig(max_concurrent_files=3)
    return asyncio.run(BatchProcessor().process_spectral_batch(*files, output, config=config))


def test_an_ai_is_asked_once_for_all_files_of_a_layout(
    files: tuple[Path, list[Path]], endpoint: Endpoint, tmp_path: Path
):
    result = process(files, tmp_path / "out")
    assert (result.successful, result.failed) == (3, 0), result.errors
    assert endpoint.asked == 1
    assert (result.ai_normalizations, result.cache_hits) == (1, 3)
    parsed = BatchProcessor().csv_parser.parse_file(tmp_path / "out" / "sample1_normalized.csv")
    assert parsed.data is not None
    assert (parsed.data.axis_kind, parsed.data.axis_unit) == (AxisKind.WAVELENGTH, "nm")
    assert parsed.data.quantity is Quantity.COUNTS and parsed.data.axis[0] == 947.8


def test_ai_normalization_failed_and_the_rules_decide(
    files: tuple[Path, list[Path]], endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BATCHLAB_AI_URL", "http://127.0.0.1:9/v1")  # the port to discard: nobody listens there
    result = process(files, tmp_path / "out")
    assert (result.successful, result.failed, result.ai_normalizations) == (3, 0, 0), result.errors
    failed = [text for text in result.warnings if "AI normalization failed" in text]
    assert {text.split(": ")[0] for text in failed} >= {"baseline.txt"}
    assert endpoint.asked == 0


def test_without_an_ai_the_rules_decide_with_a_warning(files: tuple[Path, list[Path]], tmp_path: Path):
    result = process(files, tmp_path / "out")
    assert (result.successful, result.ai_normalizations) == (3, 0), result.errors
    assert any("layout is not sure" in text for text in result.warnings)


def test_the_normalizer_by_itself_asks_too(files: tuple[Path, list[Path]], endpoint: Endpoint):
    processor = BatchProcessor()
    parsed = processor.csv_parser.parse_file(files[0])
    assert parsed.success and parsed.structure.confidence < 0.8
    result = asyncio.run(processor.ai_normalizer.normalize_csv(parsed.data, files[0]))
    assert (result.success, result.source, endpoint.asked) == (True, "ai", 1)
    assert result.data is not None and result.data.axis_kind is AxisKind.WAVELENGTH
    assert result.confidence > 0.8
