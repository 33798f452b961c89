"""Starts the service: `python -m review`. Settings are environment variables, named as those of the other services."""

import os

import uvicorn

from .app import application
from .books import Books
from .events import Deliveries
from .identity import Identity


def main() -> None:
    host, _, port = os.environ.get("BAEDAL_LISTEN", "127.0.0.1:4015").rpartition(":")
    issuer = os.environ.get("ISSUER_URL", "http://127.0.0.1:4001")
    books = Books(os.environ.get("REVIEW_DATABASE", "data/review.db"))
    identity = Identity(
        issuer=issuer,
        jwks_url=os.environ.get("JWKS_URL", f"{issuer}/jwks.json"),
        audience=os.environ.get("AUDIENCE", "baedal"),
    )
    deliveries = Deliveries(os.environ.get("EVENTS_URL", "kafka://127.0.0.1:9092"), books)
    uvicorn.run(
        application(books, identity, deliveries),
        host=host,
        port=int(port),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main()
