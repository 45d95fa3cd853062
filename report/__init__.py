from . import copaco_margin_mixin, copaco_overview_mixin

# What the others inherit from comes first.
# isort: split

from . import (
    copaco_margin,
    copaco_margin_comparison,
    copaco_overview,
    copaco_overview_line,
)
