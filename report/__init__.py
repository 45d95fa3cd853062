from . import copaco_margin
