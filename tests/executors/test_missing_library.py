"""A domain whose libraries are absent says which extra to install."""

from batchlab.engine._execute import _with_extra


def test_the_extra_of_the_domain_is_named() -> None:
    error = ModuleNotFoundError("No module named 'cdflib'", name="cdflib")
    told = _with_extra(error, "particles.plot")
    assert "cdflib" in str(told)
    assert "batchlab[particles]" in str(told)
    assert told.__cause__ is error


def test_a_users_own_file_is_told_as_it_is() -> None:
    error = ModuleNotFoundError("No module named 'cdflib'", name="cdflib")
    assert _with_extra(error, "/data/mine.py:measure") is error
