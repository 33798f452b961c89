"""HTTP: the GraphQL endpoint and health, and the consumer beside them."""

import asyncio
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from strawberry.asgi import GraphQL

from .books import Books
from .events import Deliveries
from .identity import Identity, Refused
from .schema import Context, schema


class Endpoint(GraphQL):
    def __init__(self, books: Books, identity: Identity) -> None:
        super().__init__(schema(), graphql_ide=None)
        self._books, self._identity = books, identity

    async def get_context(self, request: Request, response) -> Context:
        # The keys may have to be fetched: not on the thread that serves.
        customer = await asyncio.to_thread(self._identity.customer, request.headers.get("authorization"))
        return Context(self._books, customer)


def application(books: Books, identity: Identity, deliveries: Deliveries) -> Starlette:
    """The service; it reads events as long as it runs."""

    @asynccontextmanager
    async def running(_app):
        reading = asyncio.create_task(deliveries.run())
        yield
        deliveries.stop()
        await reading

    async def live(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> JSONResponse:
        books.stars_of("")
        return JSONResponse({"status": "ready", "service": "review"})

    async def refused(_request: Request, error: Exception) -> JSONResponse:
        body = {"errors": [{"message": str(error), "extensions": {"code": "UNAUTHENTICATED"}}]}
        return JSONResponse(body, status_code=401)

    return Starlette(
        routes=[
            Route("/health/live", live),
            Route("/health/ready", ready),
            Route("/graphql", Endpoint(books, identity)),
        ],
        exception_handlers={Refused: refused},
        lifespan=running,
    )
