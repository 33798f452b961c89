//! A service's proof to another that it may call: HMAC-SHA256, by a key that both have, over whom the call is for, what it
//! is, and until when the proof holds.
//!
//! It says which service calls, not for which user; and it does not hide or seal the rest of a message, which is what TLS or
//! the network between the two are for.

use std::{fmt, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The name of the header, or of the metadata, that carries one.
pub const HEADER: &str = "x-service-proof";
/// How long a proof holds.
pub const LIFETIME: Duration = Duration::from_secs(30);
/// How much the clocks of two machines may differ.
const LEEWAY_MS: i64 = 5_000;
/// Bytes that a key must have at least.
const SHORTEST: usize = 32;
/// How a proof begins.
const VERSION: &str = "v1";

/// A key that services share; while it is being changed, several: the first proves, each is accepted.
#[derive(Clone)]
pub struct Key {
    first: Box<[u8]>,
    others: Vec<Box<[u8]>>,
}

/// It is never shown.
impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Key(…)")
    }
}

/// A key that is too short to be one.
#[derive(Debug, thiserror::Error)]
#[error(
    "a key for proofs needs at least {SHORTEST} characters, from a random source, e.g. `openssl rand -hex 32`"
)]
pub struct TooShort;

/// Why a proof is refused. Callers are told no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is none.
    #[error("there is no proof")]
    Missing,
    /// It is of another time.
    #[error("the proof has expired, or is of a future")]
    Expired,
    /// It is of another key, for another service or for something else.
    #[error("the proof is wrong")]
    Wrong,
}

impl std::str::FromStr for Key {
    type Err = TooShort;

    fn from_str(text: &str) -> Result<Key, TooShort> {
        let mut keys = text.split(',').map(|text| match text.trim() {
            short if short.len() < SHORTEST => Err(TooShort),
            long => Ok(long.as_bytes().into()),
        });
        let first = keys.next().unwrap_or(Err(TooShort))?;
        let others = keys.collect::<Result<_, _>>()?;
        Ok(Key { first, others })
    }
}

impl Key {
    /// The key of a setting, if there is one. It is not for a command line's parser to read, which shows what it refuses.
    ///
    /// # Errors
    /// [`TooShort`], also for one that is empty.
    pub fn given(text: Option<&str>) -> Result<Option<Key>, TooShort> {
        text.map(str::parse).transpose()
    }

    /// A proof, made at this time (milliseconds since 1970), for a call of `what` to `audience`.
    pub fn prove(&self, audience: &str, what: &str, now_ms: i64) -> String {
        let until = now_ms.saturating_add(i64::try_from(LIFETIME.as_millis()).unwrap_or(i64::MAX));
        let mac = mac_of(&self.first, audience, what, until).finalize().into_bytes();
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{VERSION}.{until}.{hex}")
    }

    /// Whether a proof holds now.
    pub fn check(&self, proof: Option<&str>, audience: &str, what: &str, now_ms: i64) -> Result<(), Refused> {
        let mut parts = proof.ok_or(Refused::Missing)?.split('.');
        let (Some(VERSION), Some(until), Some(mac), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refused::Wrong);
        };
        let until: i64 = until.parse().map_err(|_| Refused::Wrong)?;
        let given = bytes(mac).ok_or(Refused::Wrong)?;
        // Each in constant time.
        let proves = |key: &[u8]| mac_of(key, audience, what, until).verify_slice(&given).is_ok();
        if !self.all().any(proves) {
            return Err(Refused::Wrong);
        }
        let lifetime = i64::try_from(LIFETIME.as_millis()).unwrap_or(i64::MAX);
        let left = until.saturating_sub(now_ms);
        match (-LEEWAY_MS..=lifetime + LEEWAY_MS).contains(&left) {
            true => Ok(()),
            false => Err(Refused::Expired),
        }
    }

    fn all(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&*self.first).chain(self.others.iter().map(|key| &**key))
    }
}

fn mac_of(key: &[u8], audience: &str, what: &str, until: i64) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in [VERSION, audience, what, &until.to_string()] {
        // With its length, so that nothing can move from one part to the next.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    };
    (hex.len() == 64).then(|| hex.as_bytes().chunks(2).map(pair).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn key(letter: &str) -> Key {
        letter.repeat(32).parse().unwrap()
    }

    #[test]
    fn a_proof_holds_for_its_call_and_its_time_only() {
        let proof = key("a").prove("payment", "Approve o1", NOW);
        let check = |audience: &str, what: &str, now| key("a").check(Some(&proof), audience, what, now);
        for now in [NOW - 5_000, NOW, NOW + 30_000, NOW + 35_000] {
            assert_eq!(check("payment", "Approve o1", now), Ok(()), "{now}");
        }
        for now in [NOW - 5_001, NOW + 35_001, i64::MAX, i64::MIN, 0] {
            assert_eq!(
                check("payment", "Approve o1", now),
                Err(Refused::Expired),
                "{now}"
            );
        }
        assert_eq!(check("store", "Approve o1", NOW), Err(Refused::Wrong));
        assert_eq!(check("payment", "Approve o2", NOW), Err(Refused::Wrong));
        assert_eq!(check("paymentA", "pprove o1", NOW), Err(Refused::Wrong));
        let other = key("b").check(Some(&proof), "payment", "Approve o1", NOW);
        assert_eq!(other, Err(Refused::Wrong));
        assert_eq!(
            key("a").check(None, "payment", "Approve o1", NOW),
            Err(Refused::Missing)
        );
    }

    #[test]
    fn a_key_is_changed_without_a_moment_when_nothing_holds() {
        let (old, new) = (key("a"), key("b"));
        let between: Key = format!("{}, {}", "b".repeat(32), "a".repeat(32)).parse().unwrap();
        let proof = |key: &Key| key.prove("payment", "Get o1", NOW);
        let check = |key: &Key, proof: &str| key.check(Some(proof), "payment", "Get o1", NOW);
        assert_eq!(check(&between, &proof(&old)), Ok(()));
        assert_eq!(check(&between, &proof(&new)), Ok(()));
        assert_eq!(check(&new, &proof(&between)), Ok(()));
        assert_eq!(check(&old, &proof(&between)), Err(Refused::Wrong));
    }

    #[test]
    fn a_proof_that_was_changed_is_wrong() {
        let proof = key("a").prove("payment", "Approve o1", NOW);
        let later = proof.replacen("v1.17", "v1.18", 1);
        let foreign = "é".repeat(32);
        for changed in [
            "",
            "v1",
            "v1..",
            &later,
            &proof[..proof.len() - 1],
            &format!("{proof}0"),
            &format!("{proof}.x"),
            &proof.replacen("v1", "v2", 1),
            &format!("v1.{NOW}.{foreign}"),
        ] {
            let checked = key("a").check(Some(changed), "payment", "Approve o1", NOW);
            assert_eq!(checked, Err(Refused::Wrong), "{changed}");
        }
        for short in [
            "",
            "short",
            &format!("{},", "a".repeat(32)),
            &format!("{},short", "a".repeat(32)),
        ] {
            assert!(short.parse::<Key>().is_err(), "{short}");
        }
        assert_eq!(format!("{:?}", key("a")), "Key(…)");
    }
}
