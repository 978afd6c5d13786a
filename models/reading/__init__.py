"""From an unwrapped value to an Observation: `read` it, `derive` what follows from its leaves, `merge` its copies.

Whoever reads many reads some of them `ahead`.
"""

from models.reading.ahead import ahead
from models.reading.derive import derive
from models.reading.merge import merge
from models.reading.records import read

__all__ = ["ahead", "derive", "merge", "read"]
