//! What a request's answer is told of its parts: how many were kept, how long all of them stay fresh, whose they are.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{AGE, CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderValue};

/// Of one request.
#[derive(Debug)]
pub struct Parts {
    sum: Mutex<Sum>,
    /// The headers of requests that answers depend on.
    vary: HeaderValue,
}

/// The sum of the parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Parts that were kept.
    pub hits: u64,
    /// Parts that had to be asked for.
    pub misses: u64,
    /// The shortest time that a part stays fresh.
    pub left: Option<Duration>,
    /// The age of the oldest.
    pub age: Duration,
    /// Whether a part is one caller's own, or the request said who asks.
    pub own: bool,
    /// Whether a part must not be kept.
    pub no_store: bool,
}

impl Parts {
    /// Of a request whose answer depends on these headers.
    pub fn new(vary: HeaderValue) -> Parts {
        Parts {
            sum: Mutex::default(),
            vary,
        }
    }

    /// The request said who asks: the answer is for nobody else, whatever its parts are.
    pub fn named(&self) {
        self.lock().own = true;
    }

    /// Writes what caches between here and the client may do with an answer that had so many errors.
    pub fn write(&self, headers: &mut HeaderMap, errors: usize) {
        let Some((control, age)) = self.sum().control().filter(|_| errors == 0) else {
            return;
        };
        let control = HeaderValue::from_str(&control).expect("words and numbers are a header value");
        headers.insert(CACHE_CONTROL, control);
        headers.insert(AGE, age.into());
        headers.append(VARY, self.vary.clone());
    }

    /// A part that stays fresh for some time.
    pub fn fresh(&self, hit: bool, left: Duration, age: Duration, own: bool) {
        let mut sum = self.lock();
        sum.hits += u64::from(hit);
        sum.misses += u64::from(!hit);
        sum.left = Some(sum.left.map_or(left, |least| least.min(left)));
        sum.age = sum.age.max(age);
        sum.own |= own;
    }

    /// A part that must not be kept.
    pub fn passing(&self, hit: bool) {
        let mut sum = self.lock();
        sum.hits += u64::from(hit);
        sum.misses += u64::from(!hit);
        sum.no_store = true;
    }

    /// All of it.
    pub fn sum(&self) -> Sum {
        *self.lock()
    }

    /// A poisoned lock holds a whole sum: a part too few at worst.
    fn lock(&self) -> MutexGuard<'_, Sum> {
        self.sum.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sum {
    /// `Cache-Control` and `Age` of the answer; `None` if it must not be kept.
    fn control(&self) -> Option<(String, u64)> {
        let left = self.left.filter(|_| !self.no_store)?.as_secs();
        let (scope, age) = (if self.own { "private" } else { "public" }, self.age.as_secs());
        (left > 0).then(|| (format!("{scope}, max-age={}", left + age), age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn written(parts: &Parts, errors: usize) -> String {
        let mut headers = HeaderMap::new();
        parts.write(&mut headers, errors);
        let of = |name: &http::HeaderName| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or("-")
        };
        format!("{} | {} | {}", of(&CACHE_CONTROL), of(&AGE), of(&VARY))
    }

    #[test]
    fn an_answer_lives_as_long_as_its_shortest_part() {
        let parts = Parts::new(HeaderValue::from_static("accept"));
        let nothing = "- | - | -";
        assert_eq!(written(&parts, 0), nothing, "no part says anything");
        parts.fresh(true, 60 * SECOND, 5 * SECOND, false);
        parts.fresh(false, 90 * SECOND, Duration::ZERO, false);
        assert_eq!(written(&parts, 0), "public, max-age=65 | 5 | accept");
        assert_eq!(written(&parts, 1), nothing, "it has an error");
        parts.fresh(true, 30 * SECOND, SECOND, true);
        assert_eq!(written(&parts, 0), "private, max-age=35 | 5 | accept");
        parts.passing(false);
        assert_eq!(written(&parts, 0), nothing);
        let Sum { hits, misses, .. } = parts.sum();
        assert_eq!((hits, misses), (2, 2));
    }

    #[test]
    fn an_answer_to_someone_is_for_nobody_else() {
        let parts = Parts::new(HeaderValue::from_static("accept"));
        parts.named();
        parts.fresh(true, 60 * SECOND, Duration::ZERO, false);
        assert_eq!(written(&parts, 0), "private, max-age=60 | 0 | accept");
        parts.fresh(true, SECOND / 2, Duration::ZERO, false);
        assert_eq!(written(&parts, 0), "- | - | -", "less than a second is nothing");
    }
}
