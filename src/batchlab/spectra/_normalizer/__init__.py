"""How a text file is read: proposed by rules, by known plans or by an AI, and judged before it is used.

Who asks an AI imports `_ai` besides; nothing here loads the network's modules.
"""

from batchlab.spectra._normalizer._cache import PlanCache
from batchlab.spectra._normalizer._decide import Status
from batchlab.spectra._normalizer._dry_run import Verdict, dry_run
from batchlab.spectra._normalizer._normalize import Normalized, Normalizer, RuleProposer
from batchlab.spectra._normalizer._payload import fingerprint, masked
from batchlab.spectra._normalizer._plan_diff import differences
from batchlab.spectra._normalizer._plan_file import StoredPlan, parse_plan, plan_text, read_plan
from batchlab.spectra._normalizer._proposal import NormalizationError, Proposal, Proposer, Source
from batchlab.spectra._normalizer._settings import AiSettings, Budget, Price

__all__ = [
    "AiSettings",
    "Budget",
    "NormalizationError",
    "Normalized",
    "Normalizer",
    "PlanCache",
    "Price",
    "Proposal",
    "Proposer",
    "RuleProposer",
    "Source",
    "Status",
    "StoredPlan",
    "Verdict",
    "differences",
    "dry_run",
    "fingerprint",
    "masked",
    "parse_plan",
    "plan_text",
    "read_plan",
]
