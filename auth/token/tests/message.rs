//! Signed requests: what is refused, named after the attack.

use baedal_token::message::{
    Claimed, LIFETIME, Message, MessageError, SharedKey, SharedKeyError, Signed, verify,
};

const NOW: u64 = 1_700_000_000;
const SECRET: &[u8] = b"a secret of two that is long enough";
const BODY: &[u8] = br#"{"query":"{ orders { id } }"}"#;

fn key(id: &str, secret: &[u8]) -> SharedKey {
    SharedKey::new(id, secret).expect("a key")
}

fn post(body: &[u8]) -> Message<'_> {
    Message {
        method: "POST",
        path: "/graphql",
        body: Some(body),
    }
}

fn claimed(signed: &Signed) -> Claimed<'_> {
    Claimed {
        content_digest: signed.content_digest.as_deref(),
        signature_input: Some(&signed.signature_input),
        signature: Some(&signed.signature),
    }
}

fn verified(message: Message<'_>, signed: &Signed, now: u64) -> Result<(), MessageError> {
    let keys = [
        key("old", b"another secret that is long enough too"),
        key("one", SECRET),
    ];
    verify(&keys, message, claimed(signed), now)
}

#[test]
fn a_signed_request_is_believed_for_as_long_as_it_may_be() {
    let signed = key("one", SECRET).sign(post(BODY), NOW);
    for (now, wanted) in [
        (NOW, Ok(())),
        (NOW + LIFETIME, Ok(())),
        (NOW - LIFETIME, Ok(())),
        (NOW + LIFETIME + 1, Err(MessageError::Expired)),
        (NOW - LIFETIME - 1, Err(MessageError::Expired)),
    ] {
        assert_eq!(verified(post(BODY), &signed, now), wanted, "{now}");
    }
}

#[test]
fn an_unsigned_request_is_refused() {
    let signed = key("one", SECRET).sign(post(BODY), NOW);
    let keys = [key("one", SECRET)];
    let whole = claimed(&signed);
    let long = "x".repeat(2_000);
    for claimed in [
        Claimed::default(),
        Claimed {
            signature: None,
            ..whole
        },
        Claimed {
            signature_input: None,
            ..whole
        },
        Claimed {
            signature: Some("router=no base64"),
            ..whole
        },
        Claimed {
            signature: Some("other=:AAAA:"),
            ..whole
        },
        Claimed {
            signature_input: Some("router=()"),
            ..whole
        },
        Claimed {
            signature_input: Some(&long),
            ..whole
        },
    ] {
        assert_eq!(
            verify(&keys, post(BODY), claimed, NOW),
            Err(MessageError::Unsigned),
            "{claimed:?}"
        );
    }
}

#[test]
fn an_altered_request_is_refused() {
    let signed = key("one", SECRET).sign(post(BODY), NOW);
    let altered = Err(MessageError::Altered);
    assert_eq!(
        verified(post(b"{\"query\":\"{ all }\"}"), &signed, NOW),
        altered,
        "another body"
    );
    let elsewhere = Message {
        path: "/other",
        ..post(BODY)
    };
    assert_eq!(verified(elsewhere, &signed, NOW), altered, "another path");
    let got = Message {
        method: "GET",
        ..post(BODY)
    };
    assert_eq!(verified(got, &signed, NOW), altered, "another method");
    let later = signed.signature_input.replace("1700000000", "1700000010");
    let later = Signed {
        signature_input: later,
        ..signed.clone()
    };
    assert_eq!(verified(post(BODY), &later, NOW), altered, "another time");
    // A digest that fits a body that was put in its place, under the signature of the first.
    let forged = key("one", b"a secret that the attacker has made up").sign(post(b"{}"), NOW);
    let swapped = Signed {
        content_digest: forged.content_digest,
        ..signed
    };
    assert_eq!(verified(post(b"{}"), &swapped, NOW), altered, "another digest");
}

#[test]
fn another_secret_or_an_unknown_key_is_refused() {
    let other = key("one", b"a secret that the attacker has made up").sign(post(BODY), NOW);
    assert_eq!(verified(post(BODY), &other, NOW), Err(MessageError::Altered));
    let unknown = key("three", SECRET).sign(post(BODY), NOW);
    assert_eq!(verified(post(BODY), &unknown, NOW), Err(MessageError::UnknownKey));
}

/// Whoever leaves the digest out could put another body in its place.
#[test]
fn a_signature_without_the_body_is_not_one_of_a_request_with_a_body() {
    let streamed = Message {
        body: None,
        ..post(BODY)
    };
    let signed = key("one", SECRET).sign(streamed, NOW);
    assert_eq!(verified(streamed, &signed, NOW), Ok(()));
    assert_eq!(verified(post(BODY), &signed, NOW), Err(MessageError::Unsigned));
    let whole = key("one", SECRET).sign(post(BODY), NOW);
    assert_eq!(verified(streamed, &whole, NOW), Err(MessageError::Unsigned));
}

#[test]
fn weak_keys_are_refused() {
    assert_eq!(SharedKey::new("one", b"short").err(), Some(SharedKeyError::Short));
    for id in ["", "a b", "a\"b", "é", &"x".repeat(65)] {
        assert_eq!(SharedKey::new(id, SECRET).err(), Some(SharedKeyError::Id), "{id}");
    }
}
