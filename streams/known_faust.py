"""The Faust and the aiokafka that this worker knows: what it overrides, or reaches into, must be as it was then.

Knows: those places, and a fingerprint of each one's source.
Must not know: what any of them is for here; that stands where it is overridden.

None of them is part of a public interface, so a patch release may change any without a word, and tables would be
read back wrongly or records be delivered twice before anybody noticed.  A release that leaves them as they are is fine,
whatever its number.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from typing import Any

from streams.settings import StartError

PACKAGES = {"faust": ("faust-streaming", "0.15.3"), "aiokafka": ("aiokafka", "0.14.0")}
"""By module: the package, and the version of it that is known."""
RELIED_ON = {
    # The consumer is made by a subclass, and set to read committed records before it starts (streams/transport.py).
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f6cad",
    "faust.transport.drivers.aiokafka:Consumer._new_consumer_thread": "0870ec53dea75083",
    "faust.app.base:App._new_transport": "42db531312dd776f",
    # Changelogs are assigned, and not read there.
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.seek_to_committed": "775ab0adc4b052ab",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.verify_event_path": "b983e7735f647cb3",
    "faust.transport.consumer:Consumer.perform_seek": "0e8c130ff4b0afd8",
    # What a fetch brought of a partition goes through Faust as one message, whose headers are the records.
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1455a",
    "faust.transport.consumer:Consumer.getmany": "4b168d84882a70d6",
    "faust.transport.drivers.aiokafka:Consumer._to_message": "7c24f6511b2fcef7",
    "faust.events:Event.__init__": "a1d3454dce427003",
    # The fetcher of that consumer makes messages of records, where it would make its own (streams/transport.py).
    "aiokafka.consumer.fetcher:PartitionRecords._unpack_records": "b803e6d46480732c",
    "aiokafka.consumer.fetcher:PartitionRecords._consumer_record": "e668541600b047ab",
    "aiokafka.consumer.fetcher:FetchResult.getall": "3e717e30de5068d5",
    "aiokafka.consumer.fetcher:Fetcher._proc_fetch_request": "59bf948fff47eed5",
    "aiokafka.consumer.fetcher:Fetcher.fetched_records": "be4348896b9b66af",
    # Requests with records are made of the same parts by us, and joined once (streams/joined.py).
    "aiokafka.protocol.struct:Struct.encode": "ede5976c899dd66a",
    "aiokafka.protocol.types:Schema.encode": "0cf5f9852ba23fc4",
    "aiokafka.protocol.types:Array.encode": "26bc52f6c02ab6c3",
    # Nothing is committed by Faust: its consumer keeps no acknowledgement of a topic that is declared without them.
    "faust.transport.consumer:Consumer.ack": "5fcf41cf45153475",
    "faust.transport.conductor:Conductor.acks_enabled_for": "77ff8a731d3085ed",
    # The restore is ours, between the assignment and what Faust does once its tables are read (streams/restore.py).
    "faust.tables.manager:TableManager.on_start": "365dd25fbc0e0684",
    "faust.tables.manager:TableManager.recovery": "f0bf5de78b4c3d23",
    "faust.tables.recovery:Recovery._restart_recovery": "6bd8a8558a2dffe4",
    "faust.tables.recovery:Recovery._wait": "ec7429b70176f8c6",
    "faust.tables.recovery:Recovery._build_highwaters": "91b4cc0d3724ae7b",
    "faust.tables.recovery:Recovery._build_offsets": "27eec86be06cb51f",
    "faust.tables.recovery:Recovery._seek_offsets": "19598ca63d94d250",
    # Rows are put into the local store by us, and read from it by key and prefix (streams/tables.py).
    "faust.stores.rocksdb:Store.persisted_offset": "6f2e502fb86043a1",
    "faust.stores.rocksdb:Store._db_for_partition": "cb7e67d5f9efc4bc",
    # Where it opens a database and lets go of it, a table of ours has a part of a larger one (streams/databases.py).
    "faust.tables.base:Collection.data": "ade4a02ddd5582cb",
    "faust.stores.rocksdb:Store.apply_changelog_batch": "ea3344d369fc4ab5",
    "faust.stores.rocksdb:Store.set_persisted_offset": "b4c811926678346e",
    "faust.stores.rocksdb:Store._open_for_partition": "1dc4e0113d67379d",
    "faust.stores.rocksdb:Store.assign_partitions": "34dc27ace6dd9160",
    "faust.stores.rocksdb:Store.revoke_partitions": "3f85447a24fc34ff",
    "faust.stores.rocksdb:Store.partition_path": "0cc4eae7dc33fcf1",
    "faust.stores.rocksdb:Store.stop": "2e98db0eb7c7582b",
    "faust.stores.rocksdb:RocksDBOptions.as_options": "d2a1bea17736d2eb",
    # Each worker's address and partitions are told to all others with every assignment (streams/peers.py, app.py).
    "faust.assignor.partition_assignor:PartitionAssignor.on_assignment": "72f34bf053d696b5",
    "faust.assignor.partition_assignor:PartitionAssignor._get_external_topic_distribution": "d84e460e9789f8c2",
    "faust.assignor.partition_assignor:PartitionAssignor.external_topics_metadata": "6a2766feb2371700",
    "faust.transport.drivers.aiokafka:ConsumerRebalanceListener.on_partitions_assigned": "1c1f8406ad3698a6",
}
"""Where a member is defined, and the fingerprint of its source in the version that is known."""


class UnknownFaust(StartError):
    """Another Faust is installed; the message says what differs and which one to install."""


def check() -> None:
    """UnknownFaust where something that the worker relies on is not as it was."""
    for module, (package, known) in PACKAGES.items():
        theirs = {place: expected for place, expected in RELIED_ON.items() if place.startswith(f"{module}.")}
        if changed := sorted(_changed(theirs)):
            raise UnknownFaust(
                f"{package} {version(package)} is not the one that this worker knows: {', '.join(changed)} changed "
                f"since {known}. Going on could lose or repeat events. Install the one that it knows: "
                f"pip install '{package}=={known}'"
            )


def fingerprint(place: str) -> str:
    """Of the source of `module:Class.member`; empty where there is no such member, or its source is not there."""
    module, _, path = place.partition(":")
    try:
        found: Any = import_module(module)
        for name in path.split("."):
            found = inspect.getattr_static(found, name)
        return sha256(inspect.getsource(_function(found)).encode()).hexdigest()[:16]
    except (ImportError, AttributeError, OSError, TypeError):
        return ""


def _changed(known: dict[str, str]) -> Iterator[str]:
    for place, expected in known.items():
        if fingerprint(place) != expected:
            yield place.partition(":")[2]


def _function(member: Any) -> Any:
    """What a property or one of mode's background tasks is made of."""
    return getattr(member, "fget", None) or getattr(member, "fun", None) or member
