from .accounts import get_account_key
from .amounts import CENT, round_amount
from .line_pairing import are_apart, pair_lines
from .names import enumerate_names
