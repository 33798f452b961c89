//! The key cache: how often the issuer is asked, by how many at once, and what happens while it is away.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use baedal_token::{FetchJwks, KeyCache, SigningKey, TokenError, authenticate};
use tokio::sync::Notify;

use crate::forge::*;

/// An issuer in memory.
#[derive(Clone, Default)]
struct Issuer(Arc<Inner>);

#[derive(Default)]
struct Inner {
    body: Mutex<Vec<u8>>,
    down: AtomicBool,
    panics: AtomicBool,
    slow: AtomicBool,
    go: Notify,
    fetches: AtomicUsize,
}

impl FetchJwks for Issuer {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, String> {
        assert_eq!(url, "http://issuer/jwks.json");
        self.0.fetches.fetch_add(1, Ordering::SeqCst);
        if self.0.slow.load(Ordering::SeqCst) {
            self.0.go.notified().await;
        }
        assert!(!self.0.panics.load(Ordering::SeqCst), "a fetcher that panics");
        match self.0.down.load(Ordering::SeqCst) {
            true => Err("connection refused".into()),
            false => Ok(self.0.body.lock().unwrap().clone()),
        }
    }
}

impl Issuer {
    fn serve(&self, keys: &[&SigningKey]) {
        *self.0.body.lock().unwrap() = jwks(keys);
    }

    fn fetches(&self) -> usize {
        self.0.fetches.load(Ordering::SeqCst)
    }

    fn set_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }
}

fn issuer() -> (Issuer, KeyCache<Issuer>) {
    let issuer = Issuer::default();
    issuer.serve(&[&KEY]);
    (issuer.clone(), KeyCache::new("http://issuer/jwks.json", issuer))
}

async fn accepted(cache: &KeyCache<Issuer>, token: &str, now: u64) -> Result<(), TokenError> {
    let header = format!("Bearer {token}");
    authenticate(Some(&header), cache, &verifier(), now)
        .await
        .map(|claims| assert!(claims.is_some()))
}

/// A token of `KEY` that is still valid at `now`.
fn token_at(key: &SigningKey, now: u64) -> String {
    key.sign(
        &claims_with(serde_json::json!({ "iat": now, "exp": now + 600 })),
        "at+jwt",
    )
}

#[tokio::test]
async fn no_header_is_anonymous_and_a_bad_one_is_not() {
    let (issuer, cache) = issuer();
    assert_eq!(authenticate(None, &cache, &verifier(), NOW).await, Ok(None));
    for bad in ["", "Basic YTpi", "Bearer x", "Bearer a.b.c"] {
        assert!(
            authenticate(Some(bad), &cache, &verifier(), NOW).await.is_err(),
            "{bad}"
        );
    }
    assert_eq!(
        issuer.fetches(),
        0,
        "a token that is no token costs the issuer nothing"
    );
}

#[tokio::test]
async fn keys_are_fetched_once_and_kept() {
    let (issuer, cache) = issuer();
    for second in 0..30 {
        accepted(&cache, &sign(&claims()), NOW + second).await.unwrap();
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn an_unknown_kid_storm_costs_one_fetch_in_ten_seconds() {
    let (issuer, cache) = issuer();
    accepted(&cache, &sign(&claims()), NOW).await.unwrap();
    for n in 0..1000 {
        let made_up = header().replace(KEY.kid(), &format!("k{n}"));
        let token = format!("{}.{}.AAAA", b64(made_up), b64(claims().to_string()));
        assert_eq!(
            accepted(&cache, &token, NOW + n / 100).await,
            Err(TokenError::UnknownKid)
        );
    }
    assert_eq!(
        issuer.fetches(),
        1,
        "the fetch that filled the cache is the only one of these 10 s"
    );
    let unknown = SigningKey::generate();
    assert!(
        accepted(&cache, &token_at(&unknown, NOW), NOW + 10)
            .await
            .is_err()
    );
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn a_rotated_key_is_accepted_and_the_retired_one_dropped() {
    let (issuer, cache) = issuer();
    accepted(&cache, &sign(&claims()), NOW).await.unwrap();
    let new = SigningKey::generate();
    issuer.serve(&[&KEY, &new]);
    accepted(&cache, &token_at(&new, NOW), NOW + 10).await.unwrap();
    accepted(&cache, &sign(&claims()), NOW + 10).await.unwrap();
    issuer.serve(&[&new]);
    cache.refresh(NOW + 20).await;
    assert_eq!(
        accepted(&cache, &sign(&claims()), NOW + 20).await,
        Err(TokenError::UnknownKid)
    );
}

#[tokio::test]
async fn a_retired_key_goes_without_anybody_asking_for_a_new_one() {
    let (issuer, cache) = issuer();
    accepted(&cache, &sign(&claims()), NOW).await.unwrap();
    issuer.serve(&[&SigningKey::generate()]);
    accepted(&cache, &sign(&claims()), NOW + 60).await.unwrap();
    while issuer.fetches() < 2 {
        tokio::task::yield_now().await;
    }
    cache.refresh(NOW + 60).await;
    assert_eq!(
        accepted(&cache, &sign(&claims()), NOW + 61).await,
        Err(TokenError::UnknownKid)
    );
}

#[tokio::test]
async fn cached_keys_serve_while_the_issuer_is_down_but_not_for_ever() {
    let (issuer, cache) = issuer();
    accepted(&cache, &sign(&claims()), NOW).await.unwrap();
    issuer.set_down(true);
    for minutes in [1, 5, 10, 30, 59] {
        let now = NOW + minutes * 60;
        accepted(&cache, &token_at(&KEY, now), now).await.unwrap();
    }
    let stranger = SigningKey::generate();
    let now = NOW + 59 * 60;
    assert_eq!(
        accepted(&cache, &token_at(&stranger, now), now).await,
        Err(TokenError::UnknownKid)
    );
    let now = NOW + 3600;
    assert_eq!(
        accepted(&cache, &token_at(&KEY, now), now).await,
        Err(TokenError::KeysUnavailable)
    );
    assert!(!cache.is_ready(now) && cache.last_error().is_some());
    issuer.set_down(false);
    accepted(&cache, &token_at(&KEY, now + 10), now + 10)
        .await
        .unwrap();
    assert!(cache.last_error().is_none());
}

#[tokio::test]
async fn without_keys_nothing_is_accepted_and_the_issuer_is_tried_each_second() {
    let (issuer, cache) = issuer();
    issuer.set_down(true);
    for second in 0..3 {
        for _ in 0..10 {
            assert_eq!(
                accepted(&cache, &sign(&claims()), NOW + second).await,
                Err(TokenError::KeysUnavailable)
            );
        }
    }
    assert_eq!(issuer.fetches(), 3);
    issuer.set_down(false);
    accepted(&cache, &sign(&claims()), NOW + 3).await.unwrap();
}

#[tokio::test]
async fn a_broken_key_set_does_not_replace_a_good_one() {
    let (issuer, cache) = issuer();
    accepted(&cache, &sign(&claims()), NOW).await.unwrap();
    for body in [&b"<html>"[..], br#"{"keys":[]}"#, b""] {
        *issuer.0.body.lock().unwrap() = body.to_vec();
        cache.refresh(NOW + 10 * issuer.fetches() as u64).await;
    }
    assert_eq!(issuer.fetches(), 4);
    accepted(&cache, &sign(&claims()), NOW + 40).await.unwrap();
}

#[tokio::test]
async fn a_hundred_callers_wait_for_one_fetch() {
    let (issuer, cache) = issuer();
    issuer.0.slow.store(true, Ordering::SeqCst);
    let token = sign(&claims());
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let (cache, token) = (cache.clone(), token.clone());
            tokio::spawn(async move { accepted(&cache, &token, NOW).await })
        })
        .collect();
    while issuer.fetches() == 0 {
        tokio::task::yield_now().await;
    }
    issuer.0.go.notify_one();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_cancel_the_fetch() {
    let (issuer, cache) = issuer();
    issuer.0.slow.store(true, Ordering::SeqCst);
    let gone = tokio::spawn({
        let (cache, token) = (cache.clone(), sign(&claims()));
        async move { accepted(&cache, &token, NOW).await }
    });
    while issuer.fetches() == 0 {
        tokio::task::yield_now().await;
    }
    gone.abort();
    issuer.0.go.notify_one();
    accepted(&cache, &sign(&claims()), NOW).await.unwrap();
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_fetcher_that_panics_does_not_lock_the_cache() {
    let (issuer, cache) = issuer();
    issuer.0.panics.store(true, Ordering::SeqCst);
    assert_eq!(
        accepted(&cache, &sign(&claims()), NOW).await,
        Err(TokenError::KeysUnavailable)
    );
    issuer.0.panics.store(false, Ordering::SeqCst);
    accepted(&cache, &sign(&claims()), NOW + 1).await.unwrap();
}

#[tokio::test]
async fn stale_keys_are_refreshed_behind_the_callers_back() {
    let (issuer, cache) = issuer();
    accepted(&cache, &sign(&claims()), NOW).await.unwrap();
    issuer.0.slow.store(true, Ordering::SeqCst);
    accepted(&cache, &sign(&claims()), NOW + 60).await.unwrap();
    while issuer.fetches() < 2 {
        tokio::task::yield_now().await;
    }
    accepted(&cache, &sign(&claims()), NOW + 61).await.unwrap();
}
