"""The subgraph: reviews, and what they add to orders and stores, which other subgraphs own."""

import time
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.dataloader import DataLoader
from strawberry.types import Info

from .books import AlreadyReviewed, Books, NotDelivered, Written

MOST = 50
LONGEST = 1_000


class Context(dict):
    """Of one request: the books, who asks, and reviews read at once for all orders of the request."""

    def __init__(self, books: Books, customer: str | None) -> None:
        super().__init__()
        self.books, self.customer = books, customer
        self.reviews: DataLoader[str, Written | None] = DataLoader(load_fn=self._load)

    async def _load(self, orders: list[str]) -> list[Written | None]:
        found = self.books.of_orders(orders)
        return [found.get(order) for order in orders]


def context(info: Info) -> Context:
    return info.context


def coded(code: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code})


@strawberry.federation.type(keys=["id"], description="리뷰: what a customer thinks of what was delivered.")
class Review:
    id: strawberry.ID = strawberry.field(description="Of the order: there is one review per order.")
    stars: int = strawberry.field(description="1 to 5.")
    text: str
    written_at: str = strawberry.field(description="When, as RFC 3339.")
    order: "Order" = strawberry.field(description="Of which order; only its customer may read more of it than the id.")
    store: "Store"

    @classmethod
    def of(cls, written: Written) -> "Review":
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(written.written_at))
        return cls(
            id=strawberry.ID(written.order_id),
            stars=written.stars,
            text=written.text,
            written_at=moment,
            order=Order(id=strawberry.ID(written.order_id)),
            store=Store(id=strawberry.ID(written.store_id)),
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Review | None":
        written = await context(info).reviews.load(id)
        return None if written is None else cls.of(written)


@strawberry.federation.type(keys=["id"])
class Order:
    id: strawberry.ID

    @strawberry.field(description="What its customer thinks of it.")
    async def review(self, info: Info) -> Review | None:
        written = await context(info).reviews.load(self.id)
        return None if written is None else Review.of(written)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Order":
        return cls(id=id)


@strawberry.federation.type(keys=["id"])
class Store:
    id: strawberry.ID

    @strawberry.field(description="Newest first.")
    def reviews(self, info: Info, first: int = 10) -> list[Review]:
        if not 1 <= first <= MOST:
            raise coded("INVALID_INPUT", f"first is 1 to {MOST}")
        return [Review.of(written) for written in context(info).books.of_store(self.id, first)]

    @strawberry.field(description="The mean of its reviews; none before the first.")
    def stars(self, info: Info) -> float | None:
        return context(info).books.stars_of(self.id)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Store":
        return cls(id=id)


@strawberry.type
class Query:
    @strawberry.field(description="A review by its order.")
    async def review(self, info: Info, order_id: strawberry.ID) -> Review | None:
        written = await context(info).reviews.load(order_id)
        return None if written is None else Review.of(written)


@strawberry.type
class Mutation:
    @strawberry.mutation(description="Reviews an order that was delivered to the caller.")
    def write_review(self, info: Info, order_id: strawberry.ID, stars: int, text: str) -> Review:
        customer = context(info).customer
        if customer is None:
            raise coded("UNAUTHENTICATED", "log in to write a review")
        if not 1 <= stars <= 5:
            raise coded("INVALID_INPUT", "stars are 1 to 5")
        if len(text) > LONGEST:
            raise coded("INVALID_INPUT", f"a review has at most {LONGEST} characters")
        try:
            return Review.of(context(info).books.write(customer, order_id, stars, text, int(time.time())))
        except NotDelivered:
            raise coded("NOT_DELIVERED", "no such order was delivered to you (yet)") from None
        except AlreadyReviewed:
            raise coded("ALREADY_REVIEWED", "this order has its review") from None


def schema() -> Any:
    return strawberry.federation.Schema(query=Query, mutation=Mutation)
