from .accounts import get_account_key
from .actions import notify, open_invoices, open_window, soft_reload
from .amounts import CENT, get_rounding_room, round_amount
from .evidence import (
    EVIDENCE,
    VatKey,
    get_number_key,
    get_vat_key,
    is_same_vat_key,
)
from .json_text import indent_json
from .limits import ask_for_whole_time, get_seconds_left
from .line_order import merge_order
from .line_pairing import are_apart, pair_charges, pair_lines
from .month_comparison import Charge, compare_months
from .names import enumerate_names, join_different
from .pace import Pace
from .queries import avoid_compiling
from .rule_index import LineTraits, RuleConditions, RuleIndex, get_name_key
