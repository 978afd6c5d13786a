"""`make scale`: how everything grows with a fleet, measured at three sizes and reckoned for larger ones."""
