"""Three Kafka brokers that are one cluster, each a process of its own that a test may kill.

The embedded broker, with other properties: the last of a name holds.  The product has no use for more than one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from streams.broker import EmbeddedKafka, free_port, new_cluster_id

SIZE = 3
REPLICATED = """\
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://{address},CONTROLLER://127.0.0.1:{controller}
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
min.insync.replicas=2
"""


class Node(EmbeddedKafka):
    """One of them; `controllers` are the ports of all, in order."""

    def __init__(self, data: Path, number: int, cluster_id: str, controllers: list[int]) -> None:
        super().__init__(data, port=free_port())
        self.number, self.cluster_id, self._controllers = number, cluster_id, controllers

    def _configure(self, controller_port: int) -> None:
        del controller_port
        voters = ",".join(f"{n}@127.0.0.1:{port}" for n, port in enumerate(self._controllers, 1))
        controller = self._controllers[self.number - 1]
        super()._configure(controller)
        own = REPLICATED.format(node=self.number, voters=voters, address=self.bootstrap, controller=controller)
        with (self.data / "server.properties").open("a") as properties:
            properties.write(own)

    def kill(self) -> None:
        """kill -9; `start` brings it back with its data."""
        assert self.pid is not None
        os.kill(self.pid, signal.SIGKILL)
        self.wait(30)
        self.stop()


@contextmanager
def quorum(folder: Path) -> Iterator[list[Node]]:
    """All of them, started at once, as none answers before there is a majority."""
    cluster_id, controllers = new_cluster_id(), [free_port() for _ in range(SIZE)]
    nodes = [Node(folder / f"node-{number}", number, cluster_id, controllers) for number in range(1, SIZE + 1)]
    try:
        with ThreadPoolExecutor(SIZE) as pool:
            list(pool.map(Node.start, nodes))
        yield nodes
    finally:
        with ThreadPoolExecutor(SIZE) as pool:
            list(pool.map(Node.stop, nodes))
