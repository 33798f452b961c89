//! C1–C13 of the security checklist, each named after the attack, and the good tokens beside them.

use std::time::{Duration, Instant};

use baedal_token::{Claims, KeyError, KeySet, SigningKey, TokenError, Verifier};
use serde_json::{Value, json};

use crate::forge::*;

fn verify(token: &str) -> Result<Claims, TokenError> {
    verifier().verify(token, &keys(), NOW)
}

fn refused(token: &str) -> TokenError {
    verify(token).expect_err("this token must be refused")
}

#[test]
fn a_good_token_is_accepted_and_read() {
    let claims = verify(&sign(&claims_with(json!({ "sid": "s-1" })))).unwrap();
    assert_eq!(
        (claims.sub.as_str(), claims.client_id.as_str()),
        ("demo-customer", "baedal-cli")
    );
    assert_eq!(
        (claims.exp, claims.iat, claims.jti.as_str()),
        (NOW + 600, NOW, "t-1")
    );
    assert!(claims.has_scope("order") && !claims.has_scope("store"));
    assert_eq!(claims.sid.as_deref(), Some("s-1"));
}

#[test]
fn a_handmade_token_is_accepted_so_that_the_refusals_below_mean_something() {
    assert!(verify(&sign_text(&header(), &claims().to_string())).is_ok());
    let long_type = header().replace("at+jwt", "application/AT+JWT");
    assert!(verify(&sign_text(&long_type, &claims().to_string())).is_ok());
}

#[test]
fn alg_none_is_refused() {
    for alg in ["none", "None", "nOnE", "NONE", ""] {
        let header = header().replace("ES256", alg);
        let unsigned = format!("{}.{}.", b64(&header), b64(claims().to_string()));
        assert_eq!(refused(&unsigned), TokenError::Algorithm, "{alg}");
    }
    let empty = format!("{}.{}.", b64(header()), b64(claims().to_string()));
    assert_eq!(refused(&empty), TokenError::Signature);
}

#[test]
fn alg_confusion_is_refused() {
    let public = jwks(&[&KEY]);
    let pem_like = KEY.public_jwk()["x"].as_str().unwrap().as_bytes().to_vec();
    for secret in [public, pem_like] {
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        header.typ = Some("at+jwt".into());
        header.kid = Some(KEY.kid().into());
        let key = jsonwebtoken::EncodingKey::from_secret(&secret);
        let token = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
        assert_eq!(refused(&token), TokenError::Algorithm);
    }
}

#[test]
fn an_algorithm_outside_the_list_is_refused() {
    for alg in [
        "HS256", "HS512", "RS256", "PS256", "ES384", "ES512", "ES256K", "es256", "EdDSA ",
    ] {
        let token = sign_text(&header().replace("ES256", alg), &claims().to_string());
        assert_eq!(refused(&token), TokenError::Algorithm, "{alg}");
    }
    let not_text = sign_text(
        &header().replace("\"ES256\"", "[\"ES256\"]"),
        &claims().to_string(),
    );
    assert_eq!(refused(&not_text), TokenError::Algorithm);
}

#[test]
fn an_allowed_algorithm_of_another_key_type_is_refused() {
    let token = sign_text(&header().replace("ES256", "EdDSA"), &claims().to_string());
    assert_eq!(refused(&token), TokenError::Algorithm);
}

/// RFC 8037 appendix A.1: a published Ed25519 key pair.
#[test]
fn eddsa_is_accepted() {
    let secret = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44,
        0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ];
    let mut pkcs8 = vec![
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    pkcs8.extend(secret);
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
    header.typ = Some("at+jwt".into());
    header.kid = Some("ed".into());
    let key = jsonwebtoken::EncodingKey::from_ed_der(&pkcs8);
    let token = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "alg": "EdDSA", "use": "sig",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let set = KeySet::from_jwks(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
    assert_eq!(verifier().verify(&token, &set, NOW).unwrap().sub, "demo-customer");
}

#[test]
fn kid_injection_is_refused_and_not_echoed() {
    let long = "k".repeat(10_000);
    for kid in [
        "../../etc/passwd",
        "' OR 1=1 --",
        "http://evil.test/k",
        &long,
        "",
        "unknown",
    ] {
        let header = header().replace(KEY.kid(), kid);
        let error = refused(&sign_text(&header, &claims().to_string()));
        assert!(
            matches!(error, TokenError::UnknownKid | TokenError::Malformed),
            "{error:?}"
        );
        assert!(kid.is_empty() || kid == "unknown" || !format!("{error} {error:?}").contains(kid));
    }
}

#[test]
fn a_missing_kid_is_refused() {
    let token = sign_text(r#"{"alg":"ES256","typ":"at+jwt"}"#, &claims().to_string());
    assert_eq!(refused(&token), TokenError::Malformed);
}

#[test]
fn a_key_brought_along_in_the_header_is_never_used() {
    let attacker = SigningKey::generate();
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256);
    header.typ = Some("at+jwt".into());
    header.jwk = Some(serde_json::from_value(attacker.public_jwk()).unwrap());
    header.jku = Some("http://evil.test/jwks.json".into());
    header.x5u = Some("http://evil.test/cert.pem".into());
    let key = jsonwebtoken::EncodingKey::from_ec_pem(attacker.to_pem().as_bytes()).unwrap();
    for (kid, expected) in [
        (KEY.kid(), TokenError::Signature),
        (attacker.kid(), TokenError::UnknownKid),
    ] {
        header.kid = Some(kid.to_owned());
        let token = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
        assert_eq!(refused(&token), expected);
    }
}

#[test]
fn unknown_crit_is_refused() {
    for crit in [
        r#","crit":["b64"],"b64":false"#,
        r#","crit":["exp"]"#,
        r#","crit":[]"#,
        r#","crit":null"#,
    ] {
        let token = sign_text(&header_with(crit), &claims().to_string());
        assert_eq!(refused(&token), TokenError::Critical, "{crit}");
    }
}

#[test]
fn an_expired_token_is_refused() {
    let exp = |exp: u64| sign(&claims_with(json!({ "exp": exp, "iat": NOW - 700 })));
    assert_eq!(refused(&exp(NOW - 11)), TokenError::Expired);
    assert_eq!(refused(&exp(NOW - 10)), TokenError::Expired);
    assert!(verify(&exp(NOW - 9)).is_ok(), "the leeway of 10 s forgives 9 s");
    let most = verifier().with_leeway(86_400);
    assert_eq!(
        most.verify(&exp(NOW - 30), &keys(), NOW),
        Err(TokenError::Expired),
        "leeway is cut to 30 s"
    );
    assert!(most.verify(&exp(NOW - 29), &keys(), NOW).is_ok());
}

#[test]
fn missing_required_claims_are_refused() {
    for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        let token = sign(&claims_with(json!({ name: null })));
        assert_eq!(refused(&token), TokenError::Claim(name));
    }
}

/// CVE-2026-25537: a time of the wrong type must never count as "no time given".
#[test]
fn times_that_are_not_integers_are_refused() {
    let bad = [
        "\"9999999999\"",
        "1e400",
        "-1",
        "null",
        "1.8e9",
        "1800000600.5",
        "true",
        "[1800000600]",
        "{}",
        "0",
        "99999999999999999999",
        "253402300800",
        "-0",
        "\"\"",
    ];
    for name in ["exp", "nbf", "iat"] {
        for value in bad {
            let mut fields = claims_with(json!({ name: null })).to_string();
            fields.insert_str(1, &format!("\"{name}\":{value},"));
            let error = refused(&sign_text(&header(), &fields));
            let expected = [TokenError::Claim(name), TokenError::Malformed];
            assert!(expected.contains(&error), "{name} = {value}: {error:?}");
        }
    }
}

#[test]
fn a_token_from_the_future_is_refused() {
    for name in ["nbf", "iat"] {
        let at = |time: u64| sign(&claims_with(json!({ name: time })));
        assert_eq!(refused(&at(NOW + 11)), TokenError::NotYetValid, "{name}");
        assert!(verify(&at(NOW + 10)).is_ok(), "{name} within the leeway");
    }
}

#[test]
fn a_foreign_issuer_is_refused() {
    let other = [
        json!("http://127.0.0.1:4001/"),
        json!("HTTP://127.0.0.1:4001"),
        json!("http://evil.test"),
    ];
    for iss in other {
        assert_eq!(
            refused(&sign(&claims_with(json!({ "iss": iss })))),
            TokenError::Issuer,
            "{iss}"
        );
    }
    let list = sign(&claims_with(json!({ "iss": [ISSUER] })));
    assert_eq!(refused(&list), TokenError::Claim("iss"));
}

#[test]
fn a_foreign_audience_is_refused() {
    let aud = |aud: Value| sign(&claims_with(json!({ "aud": aud })));
    assert_eq!(refused(&aud(json!("other"))), TokenError::Audience);
    assert_eq!(refused(&aud(json!(["other", "baedal2"]))), TokenError::Audience);
    for malformed in [json!([]), json!(7), json!({ "baedal": 1 }), json!(["baedal", 7])] {
        let error = refused(&aud(malformed));
        assert!(
            matches!(error, TokenError::Claim("aud") | TokenError::Audience),
            "{error:?}"
        );
    }
    assert_eq!(
        verify(&aud(json!(["other", "baedal"]))).unwrap().aud,
        ["other", "baedal"]
    );
}

#[test]
fn an_id_token_used_as_access_token_is_refused() {
    assert_eq!(refused(&KEY.sign(&claims(), "JWT")), TokenError::NotAnAccessToken);
    let untyped = header().replace(r#""typ":"at+jwt","#, "");
    assert_eq!(
        refused(&sign_text(&untyped, &claims().to_string())),
        TokenError::NotAnAccessToken
    );
}

#[test]
fn a_flipped_bit_is_refused() {
    let token = sign(&claims());
    for index in (0..token.len()).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        bytes[index] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        assert!(verify(&changed).is_err(), "byte {index}");
    }
}

#[test]
fn another_issuers_signature_is_refused() {
    let (head, _) = sign(&claims())
        .rsplit_once('.')
        .map(|(h, s)| (h.to_owned(), s.to_owned()))
        .unwrap();
    let (_, foreign) = SigningKey::generate()
        .sign(&claims(), "at+jwt")
        .rsplit_once('.')
        .map(|(h, s)| (h.to_owned(), s.to_owned()))
        .unwrap();
    assert_eq!(refused(&format!("{head}.{foreign}")), TokenError::Signature);
}

#[test]
fn a_der_encoded_or_zero_signature_is_refused() {
    let signed = format!("{}.{}", b64(header()), b64(claims().to_string()));
    for signature in [
        vec![0u8; 64],
        vec![0u8; 63],
        vec![0x30, 0x06, 2, 1, 1, 2, 1, 1],
        vec![0xff; 64],
    ] {
        assert_eq!(
            refused(&format!("{signed}.{}", b64(signature))),
            TokenError::Signature
        );
    }
}

#[test]
fn a_token_with_the_wrong_number_of_parts_is_refused() {
    let token = sign(&claims());
    let headless = token.split_once('.').unwrap().1;
    for broken in [
        "",
        ".",
        "..",
        "...",
        headless,
        &token.replace('.', ""),
        &format!("{token}."),
        &format!("{token}.x"),
    ] {
        assert_eq!(refused(broken), TokenError::Malformed, "{broken:?}");
    }
}

#[test]
fn a_token_of_three_megabytes_is_refused_at_once() {
    for huge in [
        "a".repeat(3 << 20),
        ".".repeat(3 << 20),
        format!("{}{}", sign(&claims()), "A".repeat(3 << 20)),
    ] {
        let start = Instant::now();
        assert_eq!(refused_with(&huge), TokenError::TooLong);
        assert!(
            start.elapsed() < Duration::from_millis(5),
            "{:?}",
            start.elapsed()
        );
    }
}

/// The keys are made outside the measured time.
fn refused_with(token: &str) -> TokenError {
    static KEYS: std::sync::LazyLock<KeySet> = std::sync::LazyLock::new(keys);
    let _ = KEYS.len();
    verifier().verify(token, &KEYS, NOW).unwrap_err()
}

#[test]
fn a_duplicated_key_is_refused() {
    let twice = claims()
        .to_string()
        .replacen('{', r#"{"sub":"demo-operator","#, 1);
    assert_eq!(refused(&sign_text(&header(), &twice)), TokenError::DuplicateKey);
    let escaped = claims()
        .to_string()
        .replacen('{', r#"{"\u0073ub":"demo-operator","#, 1);
    assert_eq!(refused(&sign_text(&header(), &escaped)), TokenError::DuplicateKey);
    let unknown = claims().to_string().replacen('{', r#"{"x":1,"x":1,"#, 1);
    assert_eq!(refused(&sign_text(&header(), &unknown)), TokenError::DuplicateKey);
    let nested = claims().to_string().replacen('{', r#"{"x":[{"y":1,"y":2}],"#, 1);
    assert_eq!(refused(&sign_text(&header(), &nested)), TokenError::DuplicateKey);
    let in_header = header_with(r#","alg":"ES256""#);
    assert_eq!(
        refused(&sign_text(&in_header, &claims().to_string())),
        TokenError::DuplicateKey
    );
}

#[test]
fn json_that_is_not_one_object_is_refused() {
    for text in [
        "[]",
        "7",
        "null",
        "\"x\"",
        "{}{}",
        "{} x",
        "",
        "{",
        "\u{feff}{}",
        &"[".repeat(5000),
    ] {
        let error = refused(&sign_text(&header(), text));
        assert!(
            matches!(error, TokenError::Malformed | TokenError::Claim(_)),
            "{text:.20}: {error:?}"
        );
        let error = refused(&sign_text(text, &claims().to_string()));
        assert!(
            matches!(error, TokenError::Malformed | TokenError::NotAnAccessToken),
            "{text:.20}: {error:?}"
        );
    }
}

#[test]
fn claims_of_the_wrong_type_are_refused() {
    for (name, value) in [
        ("sub", json!(7)),
        ("sub", json!("")),
        ("jti", json!([])),
        ("client_id", json!({})),
        ("scope", json!(["order"])),
        ("sid", json!(1)),
    ] {
        let error = refused(&sign(&claims_with(json!({ name: value }))));
        assert_eq!(error, TokenError::Claim(name));
    }
}

#[test]
fn a_retired_key_is_refused() {
    let new = SigningKey::generate();
    let only_new = KeySet::from_jwks(&jwks(&[&new])).unwrap();
    assert_eq!(
        verifier().verify(&sign(&claims()), &only_new, NOW),
        Err(TokenError::UnknownKid)
    );
}

#[test]
fn a_key_set_shows_and_accepts_no_private_key() {
    let jwk = KEY.public_jwk();
    for member in ["d", "p", "q", "k"] {
        assert!(jwk.get(member).is_none());
    }
    let mut leaked = jwk.clone();
    leaked["d"] = json!("secret");
    assert_eq!(set_of(json!([leaked])).unwrap_err(), KeyError::NoUsableKey);
}

#[test]
fn unusable_keys_are_passed_over() {
    let good = KEY.public_jwk();
    let change = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        jwk
    };
    let short_ed = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "e", "x": "AAAA" });
    let bad = [
        change("use", json!("enc")),
        change("alg", json!("RS256")),
        change("crv", json!("P-384")),
        change("x", json!("AAAA")),
        change("y", good["x"].clone()),
        change("kid", json!("")),
        change("kty", json!("RSA")),
        short_ed,
    ];
    for jwk in bad {
        assert_eq!(set_of(json!([jwk])).unwrap_err(), KeyError::NoUsableKey, "{jwk}");
        assert_eq!(set_of(json!([jwk, good])).unwrap().len(), 1);
    }
    assert_eq!(set_of(json!([good, good])).unwrap_err(), KeyError::DuplicateKid);
    assert_eq!(KeySet::from_jwks(b"{}").unwrap_err(), KeyError::NotAKeySet);
    assert_eq!(
        KeySet::from_jwks(&vec![b' '; 300_000]).unwrap_err(),
        KeyError::NotAKeySet
    );
}

fn set_of(keys: Value) -> Result<KeySet, KeyError> {
    KeySet::from_jwks(json!({ "keys": keys }).to_string().as_bytes())
}

#[test]
fn a_signing_key_survives_pem_and_hides_in_debug() {
    let pem = KEY.to_pem();
    let back = SigningKey::from_pem(&pem).unwrap();
    assert_eq!(back.kid(), KEY.kid());
    assert!(verify(&back.sign(&claims(), "at+jwt")).is_ok());
    assert!(!format!("{:?}", *KEY).contains("PRIVATE"));
    assert_eq!(SigningKey::from_pem("x").unwrap_err(), KeyError::NotAPrivateKey);
}

#[test]
fn another_verifiers_issuer_and_audience_are_its_own() {
    let other = Verifier::new(ISSUER, "payments");
    assert_eq!(
        other.verify(&sign(&claims()), &keys(), NOW),
        Err(TokenError::Audience)
    );
}
