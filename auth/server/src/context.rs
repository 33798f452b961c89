//! What every flow is given: the database, the settings, the keys, the clock.

use std::sync::{Arc, PoisonError, RwLock};

use baedal_token::{Claims, SigningKey, TokenError, Verifier};

use crate::config::Settings;
use crate::db::{Db, DbError};
use crate::domain::{Hasher, KEY_NOTICE, Keys, StoredKey};
use crate::observe::Observer;

/// Seconds since 1970. Tests bring their own.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The context of all requests.
pub struct Context {
    /// The tables.
    pub db: Db,
    /// The checked settings.
    pub settings: Settings,
    /// The password hasher.
    pub hasher: Hasher,
    /// What is counted.
    pub observer: Observer,
    clock: Clock,
    keys: RwLock<Arc<Keys>>,
}

impl Context {
    /// Puts the context together; the first key is made if the database has none.
    pub async fn new(db: Db, settings: Settings, hasher: Hasher, clock: Clock) -> Result<Context, DbError> {
        let keys = RwLock::new(Arc::new(first_keys(&db, &settings, clock()).await?));
        Ok(Context {
            db,
            settings,
            hasher,
            observer: Observer::default(),
            clock,
            keys,
        })
    }

    /// The time.
    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    /// The keys as last read.
    pub fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the keys again: another replica may have made one, or one's time may have come.
    pub async fn reload_keys(&self) -> Result<(), DbError> {
        if let Some(keys) = choose(self.db.keys().await?, self.now(), &self.settings)? {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        }
        Ok(())
    }

    /// The claims of one of our own access tokens, for any of our audiences, that was not withdrawn.
    pub async fn check_access_token(&self, token: &str) -> Result<Result<Claims, TokenError>, DbError> {
        let claims = match self.verify(token) {
            Ok(claims) => claims,
            Err(error) => return Ok(Err(error)),
        };
        match self.db.is_denied(&claims.jti, claims.sid.as_deref()).await? {
            true => Ok(Err(TokenError::Revoked)),
            false => Ok(Ok(claims)),
        }
    }

    fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let (keys, now) = (self.keys(), u64::try_from(self.now()).unwrap_or(0));
        let check = |audience: &str| {
            Verifier::new(&self.settings.issuer, audience).verify(token, keys.verifying(), now)
        };
        let mut outcome = check(&self.settings.audience);
        for resource in &self.settings.resources {
            if outcome != Err(TokenError::Audience) {
                break;
            }
            outcome = check(resource);
        }
        outcome
    }
}

/// Adds a key that starts to sign after [`KEY_NOTICE`]; `false` if another replica did so at the same moment.
pub async fn rotate_key(db: &Db, now: i64) -> Result<bool, DbError> {
    let newest = db
        .keys()
        .await?
        .iter()
        .map(|key| key.generation)
        .max()
        .unwrap_or(0);
    let active_from = if newest == 0 { now } else { now + KEY_NOTICE };
    let pem = SigningKey::generate().to_pem();
    db.add_key(&StoredKey {
        generation: newest + 1,
        pem,
        active_from,
    })
    .await
}

async fn first_keys(db: &Db, settings: &Settings, now: i64) -> Result<Keys, DbError> {
    let mut stored = db.keys().await?;
    if stored.is_empty() {
        db.add_key(&StoredKey {
            generation: 1,
            pem: SigningKey::generate().to_pem(),
            active_from: now,
        })
        .await?;
        stored = db.keys().await?;
    }
    Ok(choose(stored, now, settings)?.expect("a key was just added"))
}

fn choose(stored: Vec<StoredKey>, now: i64, settings: &Settings) -> Result<Option<Keys>, DbError> {
    Keys::choose(stored, now, settings.access_token_lifetime)
        .map_err(|_| DbError::corrupt("signing_keys.pem"))
}
