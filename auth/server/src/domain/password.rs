//! Passwords: Argon2id with the OWASP minimum (m = 19456 KiB, t = 2, p = 1), off the async threads, a few at once.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use super::Secret;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The longest password that is hashed, in bytes: well over 64 characters of any script.
const MAX_BYTES: usize = 1024;
const MIN_CHARACTERS: usize = 8;
/// How long a login waits for its turn to hash.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a text is no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short to be chosen.
    #[error("a password has at least 8 characters")]
    TooShort,
    /// Too long to be hashed.
    #[error("a password has at most 1024 bytes")]
    TooLong,
    /// Holds a NUL, which other systems cut at.
    #[error("a password holds no NUL character")]
    Nul,
}

/// A text that may be tried or chosen as a password. `Debug` hides it.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// A password typed to log in: any length that is safe to hash.
    pub fn typed(text: &str) -> Result<Password, PasswordError> {
        match text {
            _ if text.len() > MAX_BYTES => Err(PasswordError::TooLong),
            _ if text.contains('\0') => Err(PasswordError::Nul),
            _ => Ok(Password(text.to_owned())),
        }
    }

    /// A password for a new account: long enough, too.
    pub fn chosen(text: &str) -> Result<Password, PasswordError> {
        let password = Password::typed(text)?;
        if text.chars().count() < MIN_CHARACTERS {
            Err(PasswordError::TooShort)
        } else {
            Ok(password)
        }
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

/// Every place to hash is taken, and stayed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked at once")]
pub struct HasherBusy;

/// Hashes and checks passwords; a clone shares the limit.
#[derive(Clone)]
pub struct Hasher {
    places: Arc<Semaphore>,
    /// The hash of nobody's password: checked when the login is unknown, so that the answer takes as long.
    nobody: Arc<str>,
}

impl Hasher {
    /// A hasher that works on `at_once` passwords at a time.
    pub fn new(at_once: usize) -> Hasher {
        let nobody = hash(Secret::random().text());
        Hasher {
            places: Arc::new(Semaphore::new(at_once.max(1))),
            nobody: nobody.into(),
        }
    }

    /// The PHC string of a new password.
    pub async fn hash(&self, password: Password) -> Result<String, HasherBusy> {
        self.run(move || hash(&password.0)).await
    }

    /// Whether the password belongs to the stored hash; `None`, an unknown login, costs the same and is never right.
    pub async fn verify(&self, password: Password, stored: Option<String>) -> Result<bool, HasherBusy> {
        let nobody = Arc::clone(&self.nobody);
        self.run(move || {
            let right = is_right(&password.0, stored.as_deref().unwrap_or(&nobody));
            right && stored.is_some()
        })
        .await
    }

    /// Whether a stored hash is weaker than what is made today, and should be made anew at the next login.
    pub fn is_weak(&self, stored: &str) -> bool {
        is_weak(stored)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HasherBusy> {
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await;
        let place = place
            .map_err(|_| HasherBusy)?
            .expect("the semaphore is never closed");
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(place);
            result
        });
        done.await.map_err(|_| HasherBusy)
    }
}

fn is_weak(stored: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(stored) else {
        return true;
    };
    let number = |name| parsed.params.get_decimal(name).unwrap_or(0);
    parsed.algorithm.as_str() != "argon2id" || number("m") < MEMORY_KIB || number("t") < PASSES
}

fn hash(text: &str) -> String {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the OWASP minimum is valid");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2
        .hash_password(text.as_bytes())
        .expect("a bounded password can be hashed")
        .to_string()
}

fn is_right(text: &str, stored: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(stored) else {
        return false;
    };
    Argon2::default()
        .verify_password(text.as_bytes(), &parsed)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_names_its_strength() {
        let phc = hash("baedal-customer");
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(!is_weak(&phc) && is_right("baedal-customer", &phc) && !is_right("baedal-owner", &phc));
        assert_ne!(phc, hash("baedal-customer"), "salted");
    }

    #[test]
    fn a_weak_hash_is_recognized() {
        for weak in [
            "$argon2id$v=19$m=4096,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "x",
        ] {
            assert!(is_weak(weak), "{weak}");
        }
    }

    #[test]
    fn any_script_is_a_password_and_nul_is_not() {
        assert!(
            Password::chosen("통닭배달하는비밀번호").is_ok() && Password::chosen(&"🍗".repeat(64)).is_ok()
        );
        assert_eq!(Password::chosen("통닭").unwrap_err(), PasswordError::TooShort);
        assert_eq!(Password::typed("a\0b").unwrap_err(), PasswordError::Nul);
        assert_eq!(
            Password::typed(&"a".repeat(1_000_000)).unwrap_err(),
            PasswordError::TooLong
        );
    }

    #[tokio::test]
    async fn an_unknown_login_is_never_right() {
        let hasher = Hasher::new(1);
        assert_eq!(
            hasher.verify(Password::typed("x").unwrap(), None).await,
            Ok(false)
        );
    }

    /// One thread: if hashing held it, nothing else could run meanwhile.
    #[tokio::test]
    async fn hashing_does_not_hold_the_async_threads() {
        let hasher = Hasher::new(1);
        let task =
            tokio::spawn(async move { hasher.hash(Password::typed("baedal-customer").unwrap()).await });
        let mut turns = 0;
        while !task.is_finished() {
            turns += 1;
            tokio::task::yield_now().await;
        }
        assert!(turns > 10, "{turns}");
        task.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn no_more_than_the_limit_is_hashed_at_once() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let hasher = Hasher::new(2);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = |hasher: Hasher| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            tokio::spawn(async move {
                let busy = move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(20));
                    running.fetch_sub(1, Ordering::SeqCst);
                };
                hasher.run(busy).await.unwrap();
            })
        };
        let tasks: Vec<_> = (0..12).map(|_| work(hasher.clone())).collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }
}
