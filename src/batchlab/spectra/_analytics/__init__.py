"""Batches of spectra as a whole: components, outliers with their reasons, clusters, charts, drift, precision."""

from batchlab.spectra._analytics._analyse import analyse
from batchlab.spectra._analytics._analysis import Analysis, Overview, SpectrumRow, Verdict
from batchlab.spectra._analytics._charts import ControlChart, control_chart, correlation_chart
from batchlab.spectra._analytics._clusters import Clusters, clusters, silhouette
from batchlab.spectra._analytics._drift import Drift, drift
from batchlab.spectra._analytics._hotelling import leverage, t2, t2_limit
from batchlab.spectra._analytics._matrix import DiskMatrix, Matrix
from batchlab.spectra._analytics._model_of import Limits, Settled, settle
from batchlab.spectra._analytics._pca import Pca, pca, project
from batchlab.spectra._analytics._precision import Precision, precision
from batchlab.spectra._analytics._residual import jackson_mudholkar, q, spread_limit
from batchlab.spectra._analytics._separation import Separation, separation

__all__ = [
    "Analysis",
    "Clusters",
    "ControlChart",
    "DiskMatrix",
    "Drift",
    "Limits",
    "Matrix",
    "Overview",
    "Pca",
    "Precision",
    "Separation",
    "Settled",
    "SpectrumRow",
    "Verdict",
    "analyse",
    "clusters",
    "control_chart",
    "correlation_chart",
    "drift",
    "jackson_mudholkar",
    "leverage",
    "pca",
    "precision",
    "project",
    "q",
    "separation",
    "settle",
    "silhouette",
    "spread_limit",
    "t2",
    "t2_limit",
]
