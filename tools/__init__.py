from .accounts import get_account_key
from .amounts import CENT, round_amount
from .line_pairing import pair_lines
from .names import enumerate_names
