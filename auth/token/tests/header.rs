//! RFC 6750 as text: one Authorization header, one token.

use baedal_token::{TokenError, http};

#[test]
fn a_bearer_value_gives_its_token() {
    for value in [
        "Bearer abc.def-_~+/=",
        "bearer abc.def-_~+/=",
        "BEARER   abc.def-_~+/= ",
    ] {
        assert_eq!(http::bearer(value), Ok("abc.def-_~+/="));
    }
}

#[test]
fn another_scheme_or_no_token_is_refused() {
    for value in ["", "Bearer", "Bearer ", "Basic YTpi", "Bearerabc", "abc"] {
        assert_eq!(http::bearer(value), Err(TokenError::NotBearer), "{value:?}");
    }
    assert_eq!(http::bearer("Bearer a b"), Err(TokenError::Malformed));
    assert_eq!(http::bearer("Bearer a\"b"), Err(TokenError::Malformed));
}

#[test]
fn two_authorization_headers_are_a_bad_request() {
    let one: &[u8] = b"Bearer a";
    assert_eq!(http::single([one]), Ok(Some("Bearer a")));
    assert_eq!(http::single([]), Ok(None));
    let error = http::single([one, one]).unwrap_err();
    assert_eq!((error, http::status(&error)), (TokenError::SeveralTokens, 400));
    assert_eq!(http::bearer("Bearer a, Bearer b"), Err(TokenError::SeveralTokens));
    assert_eq!(http::www_authenticate(&error), None);
}

#[test]
fn a_value_that_is_not_ascii_is_refused() {
    assert_eq!(http::single([&b"Bearer \xff"[..]]), Err(TokenError::NotBearer));
    assert_eq!(
        http::single(["Bearer 토큰".as_bytes()]),
        Err(TokenError::NotBearer)
    );
}

#[test]
fn a_bad_token_asks_for_a_better_one() {
    assert_eq!(
        http::www_authenticate(&TokenError::Expired),
        Some(r#"Bearer error="invalid_token""#)
    );
    assert_eq!(http::status(&TokenError::Expired), 401);
    assert_eq!(http::status(&TokenError::KeysUnavailable), 503);
}
