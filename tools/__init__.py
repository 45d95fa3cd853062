from .amounts import CENT, round_amount
from .line_pairing import pair_lines
