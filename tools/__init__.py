from .accounts import get_account_key
from .actions import notify, open_invoices, open_window, soft_reload
from .client_messages import translate, translate_advice
from .evidence import (
    EVIDENCE,
    VatKey,
    get_text_key,
    get_vat_key,
    is_same_number,
    is_same_vat_key,
    write_text_key,
)
from .json_text import indent_json
from .limits import ask_for_whole_time, get_seconds_left, get_server
from .line_order import merge_order
from .line_pairing import (
    are_apart,
    find_repeated,
    get_charge_key,
    get_row_hash,
    get_service_key,
    is_same_amount,
    may_be_same_charge,
    pair_charges,
    pair_lines,
)
from .messages import (
    Amount,
    FieldLabel,
    Joined,
    LockDates,
    Message,
    Month,
    ShortMessage,
    Stored,
    join_messages,
    name_invoice,
    quote_message,
    render_message,
    replace_group,
)
from .month_comparison import Charge, compare_months
from .names import enumerate_names, join_different, list_names, name_line
from .pace import Pace
from .queries import (
    CHARGE_COLUMNS,
    avoid_compiling,
    get_month_id,
    read_month_id,
    write_charges,
)
from .rounding import (
    CENT,
    format_exact,
    get_rounding_room,
    round_amount,
    round_price,
    to_decimal,
)
from .rule_index import LineTraits, RuleConditions, RuleIndex, get_name_key
