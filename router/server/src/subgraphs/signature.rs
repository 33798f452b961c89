//! What a signed call carries besides: the fields of its signature.

use baedal_token::message::{Message, SharedKey};
use http::{HeaderName, HeaderValue, Uri};

/// Of HTTP Message Signatures (RFC 9421) and digests (RFC 9530).
const NAMES: [HeaderName; 3] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("signature-input"),
    HeaderName::from_static("signature"),
];

/// The fields of a request's signature. `body`: nothing for one that is streamed. `now`: seconds since 1970.
pub fn fields(
    key: &SharedKey,
    method: &str,
    url: &Uri,
    body: Option<&[u8]>,
    now: u64,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
    let message = Message {
        method,
        path: url.path(),
        body,
    };
    let signed = key.sign(message, now);
    let values = [
        signed.content_digest,
        Some(signed.signature_input),
        Some(signed.signature),
    ];
    let field = |(name, value): (HeaderName, Option<String>)| {
        let value = HeaderValue::from_str(&value?);
        Some((
            name,
            value.expect("base64, digits and the id of a key are a header value"),
        ))
    };
    NAMES.into_iter().zip(values).filter_map(field)
}
