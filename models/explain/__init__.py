"""Everything in words: what a code, state, kind or phase means, what an entity is doing, who replaced whom.

Knows: the tables of `models` and the public items.  Must not know: rows, folding, judging, clocks, HTTP, terminals.
"""

from __future__ import annotations

from models.explain.chain import ChainItem, lineage_chain
from models.explain.expect import Expectation
from models.explain.now import Story, event_of, story_of_cluster, story_of_group, story_of_instance
from models.explain.rollouts import tell_rollout
from models.explain.topics import Topic, closest, every, explain, words

__all__ = [
    "ChainItem",
    "Expectation",
    "Story",
    "Topic",
    "closest",
    "event_of",
    "every",
    "explain",
    "lineage_chain",
    "story_of_cluster",
    "story_of_group",
    "story_of_instance",
    "tell_rollout",
    "words",
]
