from . import copaco_overview_mixin

# isort: split

from . import (
    copaco_margin,
    copaco_margin_comparison,
    copaco_overview,
    copaco_overview_line,
)
