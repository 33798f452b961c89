//! No bytes panic the readers, and only what the issuer signed is accepted.

use baedal_token::{KeySet, http};
use proptest::prelude::*;

use crate::forge::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_the_verifier(text in ".{0,300}") {
        prop_assert!(verifier().verify(&text, &keys(), NOW).is_err());
    }

    #[test]
    fn no_three_parts_panic_the_verifier(
        header in proptest::collection::vec(any::<u8>(), 0..80),
        claims in proptest::collection::vec(any::<u8>(), 0..80),
        signature in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let token = format!("{}.{}.{}", b64(header), b64(claims), b64(signature));
        prop_assert!(verifier().verify(&token, &keys(), NOW).is_err());
    }

    #[test]
    fn no_signature_bytes_pass(signature in proptest::collection::vec(any::<u8>(), 0..80)) {
        let token = format!("{}.{}.{}", b64(super::forge::header()), b64(claims().to_string()), b64(signature));
        prop_assert!(verifier().verify(&token, &keys(), NOW).is_err());
    }

    #[test]
    fn no_signed_bytes_panic_the_reader_of_claims(claims in "\\PC{0,200}") {
        let token = sign_text(&super::forge::header(), &claims);
        prop_assert!(verifier().verify(&token, &keys(), NOW).is_err());
    }

    #[test]
    fn no_bytes_panic_the_key_set(bytes in proptest::collection::vec(any::<u8>(), 0..200), x in ".{0,60}", y in ".{0,60}") {
        prop_assert!(KeySet::from_jwks(&bytes).is_err());
        let jwk = serde_json::json!({ "kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y });
        let ed = serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "kid": "e", "x": x });
        let set = serde_json::json!({ "keys": [jwk, ed] });
        prop_assert!(KeySet::from_jwks(set.to_string().as_bytes()).is_err());
    }

    #[test]
    fn no_header_panics(value in "\\PC{0,100}", bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = http::bearer(&value);
        let _ = http::bearer(&format!("Bearer {value}"));
        let _ = http::single([&bytes[..]]);
    }
}
