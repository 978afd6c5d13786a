"""What the stories of this folder are told to."""

from tests.fleet import fleet

__all__ = ["fleet"]
