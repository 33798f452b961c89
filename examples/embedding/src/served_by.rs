//! A header on every answer: what `tower` brings is enough for it.

use http::{HeaderValue, Response};
use tower::util::MapResponseLayer;

/// Says on every answer who served it.
pub fn layer<B>() -> MapResponseLayer<fn(Response<B>) -> Response<B>> {
    MapResponseLayer::new(|mut response: Response<B>| {
        let name = HeaderValue::from_static("baedal-example");
        response.headers_mut().insert("x-served-by", name);
        response
    })
}
