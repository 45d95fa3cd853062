from . import export_without_formulas, manual
