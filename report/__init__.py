from . import copaco_margin, copaco_margin_comparison
