"""The menu of baselines: which methods there are and which parameters each takes. Loads no numpy."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["METHODS", "OWN_METHODS", "checked"]

OWN_METHODS: dict[str, tuple[str, ...]] = {"constant": (), "linear": (), "polynomial": ("order",)}
"""Polynomials through regions, computed here."""

# What pybaselines 1.2 offers for one spectrum and a number, a word or a flag can say; parameters that are arrays or
# arguments of something else are left out, and so are the methods that need them.
_OFFERED = {
    "airpls": "lam diff_order max_iter tol normalize_weights",
    "amormol": "half_window tol max_iter",
    "arpls": "lam diff_order max_iter tol",
    "asls": "lam p diff_order max_iter tol",
    "aspls": "lam diff_order max_iter tol asymmetric_coef",
    "beads": "freq_cutoff lam_0 lam_1 lam_2 asymmetry filter_type cost_function "
    "max_iter tol eps_0 eps_1 fit_parabola smooth_half_window",
    "brpls": "lam diff_order max_iter tol max_iter_2 tol_2",
    "corner_cutting": "max_iter",
    "cwt_br": "poly_order num_std min_length max_iter tol symmetric",
    "derpsalsa": "lam p k diff_order max_iter tol smooth_half_window num_smooths",
    "dietrich": "smooth_half_window num_std interp_half_window poly_order max_iter tol min_length",
    "drpls": "lam eta max_iter tol diff_order",
    "fabc": "lam scale num_std diff_order min_length",
    "fastchrom": "half_window threshold min_fwhm interp_half_window smooth_half_window max_iter min_length",
    "goldindec": "poly_order tol max_iter cost_function peak_ratio alpha_factor tol_2 tol_3 max_iter_2",
    "golotvin": "half_window num_std sections smooth_half_window interp_half_window min_length",
    "iarpls": "lam diff_order max_iter tol",
    "iasls": "lam p lam_1 max_iter tol diff_order",
    "imodpoly": "poly_order tol max_iter use_original mask_initial_peaks num_std",
    "imor": "half_window tol max_iter",
    "ipsa": "half_window max_iter tol original_criteria",
    "irsqr": "lam quantile num_knots spline_degree diff_order max_iter tol eps",
    "jbcd": "half_window alpha beta gamma beta_mult gamma_mult diff_order max_iter tol tol_2 robust_opening",
    "loess": "fraction total_points poly_order scale tol max_iter "
    "symmetric_weights use_threshold num_std use_original delta",
    "lsrpls": "lam diff_order max_iter tol",
    "mixture_model": "lam p num_knots spline_degree diff_order max_iter tol symmetric num_bins",
    "modpoly": "poly_order tol max_iter use_original mask_initial_peaks",
    "mor": "half_window",
    "mormol": "half_window tol max_iter smooth_half_window",
    "mpls": "half_window lam p diff_order tol max_iter",
    "mpspline": "half_window lam lam_smooth p num_knots spline_degree diff_order",
    "mwmv": "half_window smooth_half_window",
    "noise_median": "half_window smooth_half_window sigma",
    "peak_filling": "half_window sections max_iter lam_smooth",
    "penalized_poly": "poly_order tol max_iter cost_function threshold alpha_factor",
    "poly": "poly_order",
    "psalsa": "lam p k diff_order max_iter tol",
    "pspline_airpls": "lam num_knots spline_degree diff_order max_iter tol normalize_weights",
    "pspline_arpls": "lam num_knots spline_degree diff_order max_iter tol",
    "pspline_asls": "lam p num_knots spline_degree diff_order max_iter tol",
    "pspline_aspls": "lam num_knots spline_degree diff_order max_iter tol asymmetric_coef",
    "pspline_brpls": "lam num_knots spline_degree diff_order max_iter tol max_iter_2 tol_2",
    "pspline_derpsalsa": "lam p k num_knots spline_degree diff_order max_iter tol smooth_half_window num_smooths",
    "pspline_drpls": "lam eta num_knots spline_degree diff_order max_iter tol",
    "pspline_iarpls": "lam num_knots spline_degree diff_order max_iter tol",
    "pspline_iasls": "lam p lam_1 num_knots spline_degree max_iter tol diff_order",
    "pspline_lsrpls": "lam num_knots spline_degree diff_order max_iter tol",
    "pspline_mpls": "half_window lam p num_knots spline_degree diff_order tol max_iter",
    "pspline_psalsa": "lam p k num_knots spline_degree diff_order max_iter tol",
    "quant_reg": "poly_order quantile tol max_iter eps",
    "ria": "half_window max_iter tol side width_scale height_scale sigma_scale",
    "rolling_ball": "half_window smooth_half_window",
    "rubberband": "segments lam diff_order smooth_half_window",
    "snip": "max_half_window decreasing smooth_half_window filter_order",
    "std_distribution": "half_window interp_half_window fill_half_window num_std smooth_half_window",
    "swima": "min_half_window max_half_window smooth_half_window",
    "tophat": "half_window",
}
METHODS: dict[str, tuple[str, ...]] = {**OWN_METHODS, **{name: tuple(each.split()) for name, each in _OFFERED.items()}}
"""Every method with the parameters it takes."""

_NUMBERED = (
    "_iter _iter_2 _order _window _points _length _smooths _knots _degree _bins order sections segments filter_type"
)
_ENDINGS_OF_COUNTS = tuple(_NUMBERED.split())
_FLAGS = (
    "decreasing", "fit_parabola", "mask_initial_peaks", "normalize_weights", "original_criteria", "robust_opening",
    "symmetric", "symmetric_weights", "use_original", "use_threshold",
)  # fmt: skip
_SHARES = ("p", "quantile", "eta", "fraction", "peak_ratio", "alpha_factor")
_SIDES = ("left", "right", "both")
_COSTS = tuple(
    f"{kind}_{name}"
    for kind in ("asymmetric", "symmetric")
    for name in ("truncated_quadratic", "huber", "indec")
)  # fmt: skip


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Check a baseline's method and the parameters of that method.

    Parameters
    ----------
    given
        ``method``, its parameters, and whatever else belongs to the step.

    Returns
    -------
    dict
        The same, the method in its own spelling.

    Raises
    ------
    ValueError
        Naming the nearest method or parameter, or what a value should be.
    """
    if "method" not in given:
        return dict(given)
    method = str(given["method"]).strip().lower().replace("-", "_").replace(" ", "_")
    if method not in METHODS:
        near = _near(method, METHODS)
        listed = "" if near.endswith("?") else f" There are {', '.join(METHODS)}"
        raise ValueError(f"no baseline {given['method']!r}{near}{listed}")
    options = {key: value for key, value in given.items() if key not in ("step", "method", "regions")}
    for key, value in options.items():
        if key not in METHODS[method]:
            takes = ", ".join(METHODS[method]) or "no parameter"
            raise ValueError(f"the baseline {method} has no {key!r}{_near(key, METHODS[method])} It takes {takes}")
        wanted = _refused(method, key, value)
        if wanted:
            raise ValueError(f"{key} of the baseline {method} is {value!r}; write {wanted}")
    if given.get("regions") is not None and method not in OWN_METHODS:
        raise ValueError(f"regions are for {', '.join(OWN_METHODS)}; {method} finds the baseline by itself")
    if method == "polynomial" and "order" not in options:
        raise ValueError("a polynomial baseline needs its order, such as {method: polynomial, order: 2}")
    return {**given, "method": method}


def _near(word: str, words: Mapping[str, Any] | tuple[str, ...]) -> str:
    found = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {found[0]}?" if found else "."


def _refused(method: str, key: str, value: Any) -> str | None:
    """What should have been written instead of a value; None where it is right."""
    rules: tuple[tuple[bool, Callable[[Any], bool], str], ...] = (
        (key in _FLAGS, lambda v: isinstance(v, bool), "true or false"),
        (key == "side", lambda v: v in _SIDES, ", ".join(_SIDES)),
        (key == "cost_function" and method != "beads", lambda v: v in _COSTS, ", ".join(_COSTS)),
        (key in ("cost_function", "filter_type"), lambda v: _count(v) and v in (1, 2), "1 or 2"),
        (key.endswith(_ENDINGS_OF_COUNTS) or (method, key) == ("fabc", "scale"), _count, "a whole number from 0 on"),
        (key in _SHARES, lambda v: _number(v) and 0 <= v <= 1, "a share from 0 to 1"),
        (True, lambda v: _number(v) and v >= 0, "a number from 0 on"),
    )
    right, wanted = next((right, wanted) for applies, right, wanted in rules if applies)
    return None if right(value) else wanted


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1_000_000
