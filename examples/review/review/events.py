"""What was delivered, from Kafka: the topic `baedal.store`, as the other consumers of the platform read it.

The position is committed after the database: what is read twice counts once (see `Books.deliver`). A field or an event
type that is not known is skipped; a record that cannot be read is skipped and logged."""

import asyncio
import json
import logging
from urllib.parse import urlsplit

from confluent_kafka import Consumer, KafkaError

from .books import Books

log = logging.getLogger(__name__)

TOPIC = "baedal.store"
GROUP = "review"


class Deliveries:
    """A consumer that runs on a thread of its own."""

    def __init__(self, events_url: str, books: Books) -> None:
        address = urlsplit(events_url)
        if address.scheme != "kafka":
            raise SystemExit("EVENTS_URL must be kafka://HOST:PORT,HOST:PORT, with /NAMESPACE where systems share brokers")
        namespace = address.path.strip("/")
        self._prefix = f"{namespace}." if namespace else ""
        self._brokers = address.netloc
        self._books = books
        self._stopped = False

    async def run(self) -> None:
        """Reads until it is stopped."""
        await asyncio.to_thread(self._read)

    def stop(self) -> None:
        self._stopped = True

    def _read(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._brokers,
                "group.id": self._prefix + GROUP,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        consumer.subscribe([self._prefix + TOPIC])
        try:
            while not self._stopped:
                self._take(consumer, consumer.poll(0.2))
        finally:
            consumer.close()

    def _take(self, consumer: Consumer, message) -> None:
        if message is None:
            return
        if message.error():
            if message.error().code() not in (KafkaError._PARTITION_EOF, KafkaError.UNKNOWN_TOPIC_OR_PART):
                log.warning("the event log answers: %s", message.error())
            return
        self.apply(message.value())
        consumer.commit(message, asynchronous=True)

    def apply(self, record: bytes) -> None:
        """Lets one record take effect."""
        try:
            event = json.loads(record)
            if event["type"] != "Delivered" or event["version"] != 1:
                return
            data = event["data"]
            delivery = (event["id"], data["orderId"], data["storeId"], data["customerId"])
        except (ValueError, KeyError, TypeError) as error:
            log.error("a record that cannot be read is skipped: %r", error)
            return
        self._books.deliver(*delivery)
