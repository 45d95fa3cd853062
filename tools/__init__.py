from .accounts import get_account_key
from .amounts import CENT, round_amount
from .evidence import (
    EVIDENCE,
    VatKey,
    get_number_key,
    get_vat_key,
    is_same_vat_key,
)
from .line_pairing import are_apart, pair_lines
from .names import enumerate_names
from .rule_index import LineTraits, RuleConditions, RuleIndex
