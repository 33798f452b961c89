"""The store: SQLite. One transaction holds an event's effect and its inbox row, so that each event counts once."""

import sqlite3
import threading
from dataclasses import dataclass

TABLES = """
CREATE TABLE IF NOT EXISTS inbox (event_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS delivered (
    order_id TEXT PRIMARY KEY, store_id TEXT NOT NULL, customer_id TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS reviews (
    order_id TEXT PRIMARY KEY REFERENCES delivered, store_id TEXT NOT NULL,
    stars INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5), text TEXT NOT NULL, written_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS reviews_of_store ON reviews (store_id, written_at DESC, order_id);
"""


@dataclass(frozen=True)
class Written:
    """A review as it is kept; there is one per order, so the order's id is its own."""

    order_id: str
    store_id: str
    stars: int
    text: str
    written_at: int


class NotDelivered(Exception):
    """Nobody reviews what was not delivered to them."""


class AlreadyReviewed(Exception):
    """One review per order."""


class Books:
    """Every method is one transaction; a lock keeps them apart, as SQLite has one writer."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(TABLES)

    def deliver(self, event_id: str, order_id: str, store_id: str, customer_id: str) -> bool:
        """Notes a delivery; false if the event has been seen before."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            new = self._db.execute("INSERT OR IGNORE INTO inbox VALUES (?)", (event_id,)).rowcount == 1
            if new:
                row = (order_id, store_id, customer_id)
                self._db.execute("INSERT OR IGNORE INTO delivered VALUES (?, ?, ?)", row)
            return new

    def write(self, customer_id: str, order_id: str, stars: int, text: str, now: int) -> Written:
        """Writes the customer's review of an order that was delivered to them."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            found = self._db.execute(
                "SELECT store_id FROM delivered WHERE order_id = ? AND customer_id = ?", (order_id, customer_id)
            ).fetchone()
            if found is None:
                raise NotDelivered
            review = Written(order_id, found[0], stars, text, now)
            row = (order_id, review.store_id, stars, text, now)
            if self._db.execute("INSERT OR IGNORE INTO reviews VALUES (?, ?, ?, ?, ?)", row).rowcount == 0:
                raise AlreadyReviewed
            return review

    def of_orders(self, orders: list[str]) -> dict[str, Written]:
        """The reviews of these orders, by order."""
        places = ", ".join("?" * len(orders))
        rows = self._read(f"SELECT * FROM reviews WHERE order_id IN ({places})", orders)
        return {row[0]: Written(*row) for row in rows}

    def of_store(self, store_id: str, first: int) -> list[Written]:
        """A store's reviews, newest first."""
        query = "SELECT * FROM reviews WHERE store_id = ? ORDER BY written_at DESC, order_id LIMIT ?"
        return [Written(*row) for row in self._read(query, [store_id, first])]

    def stars_of(self, store_id: str) -> float | None:
        """The mean of a store's stars; none without a review."""
        return self._read("SELECT AVG(stars) FROM reviews WHERE store_id = ?", [store_id])[0][0]

    def _read(self, query: str, values: list) -> list[tuple]:
        with self._lock:
            return self._db.execute(query, values).fetchall()
