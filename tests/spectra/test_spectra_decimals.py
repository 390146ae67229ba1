"""Numbers read all at once are those that `float` reads one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.spectra._read._decimals import plain_decimals

cells = st.from_regex(r"-?(?:[0-9]{1,9}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})", fullmatch=True)


@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=30))
def test_every_bit_is_that_of_float(rows):
    body = "\n".join(",".join(row) for row in rows)
    found = plain_decimals(body, ",", ".", 2 * len(rows))
    told = np.array([float(cell) for row in rows for cell in row])
    assert found.tobytes() == told.tobytes()


def test_a_decimal_comma_is_read_as_well():
    assert plain_decimals("1,5;-2\n,25;3,", ";", ",", 4).tolist() == [1.5, -2.0, 0.25, 3.0]


def test_blanks_around_numbers_are_nothing_and_empty_cells_are_not_a_number():
    found = plain_decimals("  1.5 , 2\n,   \n -3 ,", ",", ".", 6)
    np.testing.assert_array_equal(found, [1.5, 2.0, np.nan, np.nan, -3.0, np.nan])


@pytest.mark.parametrize(
    "body",
    [
        "",
        ".",
        "-",
        "1,,2",
        "1.2.3,4",
        "1-2,3",
        "--1,2",
        "1e5,2",
        "+1,2",
        "1 2,3",
        "1,2 -",
        "1,nan",
        "1,1234567890123456",
        "1,½",
    ],
)
def test_anything_else_is_left_to_the_slow_reader(body):
    assert plain_decimals(body, ",", ".", 2) is None


def test_too_few_cells_are_left_to_the_slow_reader():
    assert plain_decimals("1,2\n3", ",", ".", 4) is None
