"""Who calls: the access token of the request (RFC 9068), checked with the auth server's keys.

The gateway has checked it before; a service checks it again, since it trusts nobody who can reach its port."""

import jwt
from jwt import PyJWKClient

ALGORITHMS = ["ES256", "EdDSA"]
SCOPE = "order"


class Refused(Exception):
    """A token came, and is not one of ours."""


class Identity:
    def __init__(self, issuer: str, jwks_url: str, audience: str) -> None:
        self._issuer, self._audience = issuer, audience
        self._keys = PyJWKClient(jwks_url, cache_keys=True, lifespan=30, timeout=3)

    def customer(self, authorization: str | None) -> str | None:
        """The customer of an `Authorization` header; none without a header, or without the right to order."""
        if authorization is None:
            return None
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer":
            raise Refused("the authorization is not a bearer token")
        try:
            if jwt.get_unverified_header(token).get("typ", "").lower() != "at+jwt":
                raise Refused("the token is not an access token")
            claims = jwt.decode(
                token,
                self._keys.get_signing_key_from_jwt(token).key,
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                leeway=10,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except jwt.PyJWTError as error:
            raise Refused(str(error)) from error
        return claims["sub"] if SCOPE in claims.get("scope", "").split(" ") else None
