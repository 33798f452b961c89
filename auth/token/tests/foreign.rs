//! Tokens of issuers that are not ours: RSA keys, no `at+jwt`, scopes elsewhere. Only what is allowed for the issuer is
//! accepted, and the strict form stays strict.
use baedal_token::{Algorithm, Form, KeyError, KeySet, Profile, TokenError, Verifier};
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

use crate::forge::{self, ISSUER, NOW, b64};

/// A key for tests alone: making one takes a debug build many seconds.
const PEM: &str = include_str!("keys/foreign_rsa.pem");
const MODULUS: &str = "uOjvwhfxdEaz8OZ2HH4nfDjJ-Dqv0RCQ00CnFDhmuElJvYPnDVy_HOg5An0crfcFwmtSBGzln4ma0EWkdyQaGbWXmVWsYFu5KN4z3Fv-k_ARgu3AUdc0Pl-GemmWl-Z99EU3MOuwzwsnngHVIXjlwDS1FhfOC2I49XZ60Ab2mKJl5nhEkxo9E1V1NuxZWJ011G8K4HuygwyOpwrpynylvvxoETMmOPpPModFC8mNby6GbMirA1nySwOXH8LvrMAxJvvd-PUvtsilKS27uRRB6jbH5UP7dQVDQ1yT1vyoQR1dr4UNL0dbd_UQ0Z_6Z-IgQKj0iw5Ws4iKejr1_ybRHw";

fn jwk() -> Value {
    json!({"kty": "RSA", "use": "sig", "kid": "foreign", "n": MODULUS, "e": "AQAB"})
}

fn set(keys: Value, allowed: &[Algorithm]) -> Result<KeySet, KeyError> {
    KeySet::for_algorithms(json!({ "keys": keys }).to_string().as_bytes(), allowed)
}

fn sign(header: Value, claims: &Value, algorithm: jsonwebtoken::Algorithm) -> String {
    let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let key = EncodingKey::from_rsa_pem(PEM.as_bytes()).unwrap();
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, algorithm).unwrap();
    format!("{signed}.{signature}")
}

fn rs256(typ: Option<&str>, claims: &Value) -> String {
    let mut header = json!({"alg": "RS256", "kid": "foreign"});
    if let Some(typ) = typ {
        header["typ"] = typ.into();
    }
    sign(header, claims, jsonwebtoken::Algorithm::RS256)
}

/// What other issuers write: no `jti`, no `client_id`, permissions as a list.
fn foreign_claims() -> Value {
    json!({"iss": ISSUER, "sub": "auth0|5", "aud": ["baedal", "https://other"], "exp": NOW + 600,
           "azp": "app", "permissions": ["orders:read", "orders:write"]})
}

fn profile(algorithms: &[Algorithm], form: Form) -> Profile {
    Profile {
        algorithms: algorithms.to_vec(),
        form,
        scope_claim: "permissions".to_owned(),
    }
}

fn lenient(algorithms: &[Algorithm]) -> (Verifier, KeySet) {
    let verifier = Verifier::new(ISSUER, "baedal").with_profile(profile(algorithms, Form::Jwt));
    (verifier, set(json!([jwk()]), algorithms).unwrap())
}

#[test]
fn an_rsa_issuer_is_accepted_where_its_algorithm_is_allowed() {
    let (verifier, keys) = lenient(&[Algorithm::Rs256]);
    for typ in [None, Some("JWT"), Some("at+jwt")] {
        let claims = verifier
            .verify(&rs256(typ, &foreign_claims()), &keys, NOW)
            .unwrap();
        assert_eq!(claims.sub, "auth0|5");
        assert!(claims.has_scope("orders:read") && claims.has_scope("orders:write"));
        assert_eq!((claims.jti.as_str(), claims.iat), ("", 0));
    }
}

#[test]
fn pss_is_not_pkcs1() {
    let (verifier, keys) = lenient(&[Algorithm::Ps256]);
    let header = json!({"alg": "PS256", "kid": "foreign"});
    let token = sign(header.clone(), &foreign_claims(), jsonwebtoken::Algorithm::PS256);
    assert!(verifier.verify(&token, &keys, NOW).is_ok());
    assert_eq!(
        verifier.verify(&rs256(None, &foreign_claims()), &keys, NOW),
        Err(TokenError::Algorithm)
    );
    let lying = sign(header, &foreign_claims(), jsonwebtoken::Algorithm::RS256);
    assert_eq!(verifier.verify(&lying, &keys, NOW), Err(TokenError::Signature));
}

#[test]
fn without_being_allowed_rsa_stays_refused() {
    let token = rs256(Some("at+jwt"), &forge::claims());
    let keys = set(json!([jwk()]), &[Algorithm::Rs256]).unwrap();
    assert_eq!(
        forge::verifier().verify(&token, &keys, NOW),
        Err(TokenError::Algorithm)
    );
    let ours = &Profile::default().algorithms;
    assert_eq!(set(json!([jwk()]), ours).unwrap_err(), KeyError::NoUsableKey);
}

#[test]
fn a_shared_secret_is_never_an_algorithm() {
    for name in ["none", "HS256", "HS384", "HS512", "rs256", "RS1", ""] {
        assert_eq!(Algorithm::of_name(name), None, "{name}");
    }
    let (verifier, keys) = lenient(&Algorithm::ALL);
    let signed = format!(
        "{}.{}",
        b64(json!({"alg": "HS256", "kid": "foreign"}).to_string()),
        b64(foreign_claims().to_string())
    );
    let secret = EncodingKey::from_secret(MODULUS.as_bytes());
    let mac = jsonwebtoken::crypto::sign(signed.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
    assert_eq!(
        verifier.verify(&format!("{signed}.{mac}"), &keys, NOW),
        Err(TokenError::Algorithm)
    );
}

#[test]
fn an_elliptic_key_is_not_used_for_rsa_nor_the_other_way() {
    let mut both = vec![jwk()];
    both.push(forge::KEY.public_jwk());
    let allowed = [Algorithm::Es256, Algorithm::Rs256];
    let keys = set(json!(both), &allowed).unwrap();
    assert_eq!(keys.len(), 2);
    let verifier = Verifier::new(ISSUER, "baedal").with_profile(profile(&allowed, Form::Jwt));
    let header = json!({"alg": "RS256", "kid": forge::KEY.kid()});
    let token = sign(header, &foreign_claims(), jsonwebtoken::Algorithm::RS256);
    assert_eq!(verifier.verify(&token, &keys, NOW), Err(TokenError::Algorithm));
    let header = json!({"alg": "ES256", "kid": "foreign"});
    let token = sign(header, &foreign_claims(), jsonwebtoken::Algorithm::RS256);
    assert_eq!(verifier.verify(&token, &keys, NOW), Err(TokenError::Algorithm));
}

#[test]
fn rsa_keys_that_are_weak_or_show_their_private_part_are_passed_over() {
    let change = |name: &str, value: Value| {
        let mut key = jwk();
        key[name] = value;
        key
    };
    let bad = [
        change("n", json!(b64([0xc5; 128]))),
        change("n", json!(b64([0xc5; 1025]))),
        change("n", json!(b64([0; 256]))),
        change("n", json!("not base64!")),
        change("e", json!("")),
        change("e", json!(b64([1; 5]))),
        change("d", json!("AQAB")),
        change("use", json!("enc")),
        change("alg", json!("HS256")),
        change("alg", json!("RSA-OAEP")),
        change("kid", json!("")),
    ];
    for key in bad {
        assert_eq!(
            set(json!([key]), &Algorithm::ALL).unwrap_err(),
            KeyError::NoUsableKey,
            "{key}"
        );
    }
}

#[test]
fn a_key_that_names_its_algorithm_has_no_other() {
    let mut key = jwk();
    key["alg"] = "RS512".into();
    let allowed = [Algorithm::Rs256, Algorithm::Rs512];
    let keys = set(json!([key]), &allowed).unwrap();
    let verifier = Verifier::new(ISSUER, "baedal").with_profile(profile(&allowed, Form::Jwt));
    assert_eq!(
        verifier.verify(&rs256(None, &foreign_claims()), &keys, NOW),
        Err(TokenError::Algorithm)
    );
}

#[test]
fn what_every_token_needs_is_needed_here_too() {
    let (verifier, keys) = lenient(&[Algorithm::Rs256]);
    let without = |changes: Value| {
        let mut claims = foreign_claims();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        verifier.verify(&rs256(None, &claims), &keys, NOW)
    };
    assert_eq!(without(json!({"exp": null})), Err(TokenError::Claim("exp")));
    assert_eq!(
        without(json!({"exp": "9999999999"})),
        Err(TokenError::Claim("exp"))
    );
    assert_eq!(without(json!({"exp": NOW - 60})), Err(TokenError::Expired));
    assert_eq!(without(json!({"nbf": NOW + 60})), Err(TokenError::NotYetValid));
    assert_eq!(without(json!({"iat": NOW + 60})), Err(TokenError::NotYetValid));
    assert_eq!(without(json!({"iat": "x"})), Err(TokenError::Claim("iat")));
    assert_eq!(without(json!({"sub": null})), Err(TokenError::Claim("sub")));
    assert_eq!(without(json!({"aud": "app"})), Err(TokenError::Audience));
    assert_eq!(
        without(json!({"iss": format!("{ISSUER}/")})),
        Err(TokenError::Issuer)
    );
    assert_eq!(
        without(json!({"permissions": [1]})),
        Err(TokenError::Claim("scope"))
    );
    let token = rs256(Some("dpop+jwt"), &foreign_claims());
    assert_eq!(
        verifier.verify(&token, &keys, NOW),
        Err(TokenError::NotAnAccessToken)
    );
}

#[test]
fn the_strict_form_stays_strict_with_rsa() {
    let strict = Profile {
        algorithms: vec![Algorithm::Rs256],
        ..Profile::default()
    };
    let verifier = Verifier::new(ISSUER, "baedal").with_profile(strict);
    let keys = set(json!([jwk()]), &[Algorithm::Rs256]).unwrap();
    assert!(
        verifier
            .verify(&rs256(Some("at+jwt"), &forge::claims()), &keys, NOW)
            .is_ok()
    );
    assert_eq!(
        verifier.verify(&rs256(Some("JWT"), &forge::claims()), &keys, NOW),
        Err(TokenError::NotAnAccessToken)
    );
    assert_eq!(
        verifier.verify(&rs256(Some("at+jwt"), &foreign_claims()), &keys, NOW),
        Err(TokenError::Claim("iat"))
    );
}
