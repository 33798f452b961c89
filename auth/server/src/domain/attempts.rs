//! Brute force: how many wrong passwords are too many (OWASP ASVS 6.3, security checklist C37).

/// The seconds that are looked back.
pub const WINDOW: i64 = 15 * 60;
/// More failures than this in the window, and the account or the address waits.
pub const MAX_FAILURES: i64 = 10;

/// What happened lately, the attempt under way included.
#[derive(Debug, Clone, Copy)]
pub struct Attempts {
    /// Failures on this account, from anywhere.
    pub on_account: i64,
    /// Different accounts this address failed on: guessing one password for everybody counts, one forgetful user
    /// behind a shared address does not lock out the others.
    pub accounts_from_address: i64,
    /// When the oldest of them leaves the window.
    pub oldest: i64,
}

/// How many seconds the caller must wait, or `None` if the password may be tried.
pub fn locked_for(attempts: Attempts, now: i64) -> Option<i64> {
    let locked = attempts.on_account > MAX_FAILURES || attempts.accounts_from_address > MAX_FAILURES;
    locked.then(|| (attempts.oldest + WINDOW - now).clamp(1, WINDOW))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(on_account: i64, accounts_from_address: i64) -> Option<i64> {
        locked_for(
            Attempts {
                on_account,
                accounts_from_address,
                oldest: 100,
            },
            200,
        )
    }

    #[test]
    fn ten_failures_are_forgiven_and_an_eleventh_waits() {
        assert_eq!(after(10, 1), None);
        assert_eq!(after(11, 1), Some(WINDOW - 100));
        assert_eq!(after(1, 10), None);
        assert_eq!(after(1, 11), Some(WINDOW - 100));
    }
}
