//! What travels back: named headers of subgraphs' answers, merged into those of one answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::{HeadersConfig, Merge};

/// Which headers travel back.
#[derive(Debug)]
pub struct Wanted {
    names: Vec<HeaderName>,
    merges: Vec<Merge>,
}

/// What the answers to the calls of one request have said.
#[derive(Debug)]
pub struct Carried {
    wanted: Arc<Wanted>,
    said: Mutex<Said>,
}

/// A value of a wanted header, by its number.
pub type Field = (usize, HeaderValue);

#[derive(Debug, Default)]
struct Said {
    /// Values of each wanted header, in the order in which they came.
    values: Vec<Vec<HeaderValue>>,
    /// What may be kept of all answers so far.
    freshness: Option<Freshness>,
}

/// What a `Cache-Control` allows ([RFC 9111, section 5.2.2](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Freshness {
    /// `None`: it must not be kept.
    max_age: Option<Duration>,
    private: bool,
}

impl Wanted {
    /// What the configuration names; `None` if that is nothing.
    pub fn of(config: &HeadersConfig) -> Option<Arc<Wanted>> {
        let named = config
            .respond
            .iter()
            .filter_map(|responded| Some((responded.name.parse().ok()?, responded.merge)));
        let (names, merges): (Vec<HeaderName>, Vec<Merge>) = named.unzip();
        (!names.is_empty()).then(|| Arc::new(Wanted { names, merges }))
    }

    /// For the answers to one request.
    pub fn begin(self: &Arc<Wanted>) -> Arc<Carried> {
        Arc::new(Carried {
            wanted: Arc::clone(self),
            said: Mutex::default(),
        })
    }
}

impl Carried {
    /// The names of what is wanted.
    pub fn names(&self) -> &[HeaderName] {
        &self.wanted.names
    }

    /// An answer has come with these.
    pub fn take(&self, fields: Vec<Field>) {
        let mut said = self.lock();
        let Said { values, freshness } = &mut *said;
        values.resize_with(self.wanted.names.len(), Vec::new);
        let mut whole = String::new();
        for (number, value) in fields {
            if self.wanted.names[number] == CACHE_CONTROL {
                // One field or several: it is one list.
                whole.push_str(value.to_str().unwrap_or("no-store"));
                whole.push(',');
            }
            values[number].push(value);
        }
        let this = Freshness::read(&whole);
        *freshness = Some(freshness.map_or(this, |before| before.least(this)));
    }

    /// Says it to the client.
    pub fn write(&self, headers: &mut HeaderMap) {
        let said = self.lock();
        for ((name, merge), values) in self
            .wanted
            .names
            .iter()
            .zip(&self.wanted.merges)
            .zip(&said.values)
        {
            if *name == CACHE_CONTROL {
                continue;
            }
            let first = values.first().filter(|_| *merge == Merge::First);
            let last = values.last().filter(|_| *merge == Merge::Last);
            if let Some(one) = first.or(last) {
                headers.insert(name, one.clone());
            }
            if *merge == Merge::All {
                let differs = |(at, value): &(usize, &HeaderValue)| !values[..*at].contains(value);
                let all = values.iter().enumerate().filter(differs);
                for (_, value) in all {
                    headers.append(name, value.clone());
                }
            }
        }
        let kept = self
            .wanted
            .names
            .contains(&CACHE_CONTROL)
            .then_some(said.freshness);
        if let Some(value) = kept.flatten().and_then(Freshness::write) {
            headers.insert(CACHE_CONTROL, value);
        }
    }

    /// A poisoned lock holds whole values: nothing under it can stop halfway.
    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Freshness {
    /// What does not say for how long it may be kept must not be.
    fn read(text: &str) -> Freshness {
        let (mut age, mut shared, mut forbidden, mut private) = (None, None, false, false);
        for directive in text.split(',').map(str::trim) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let seconds = || value.trim_matches('"').parse().ok().map(Duration::from_secs);
            match name.to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => forbidden = true,
                "private" => private = true,
                "max-age" => age = seconds(),
                "s-maxage" => shared = seconds(),
                _ => {}
            }
        }
        let max_age = match (age, shared) {
            (Some(age), Some(shared)) => Some(age.min(shared)),
            (age, shared) => age.or(shared),
        };
        Freshness {
            max_age: max_age.filter(|_| !forbidden),
            private,
        }
    }

    /// What both allow.
    fn least(self, other: Freshness) -> Freshness {
        Freshness {
            max_age: self.max_age.zip(other.max_age).map(|(one, two)| one.min(two)),
            private: self.private || other.private,
        }
    }

    /// `None`: as the gateway says without it, `no-store`.
    fn write(self) -> Option<HeaderValue> {
        let seconds = self.max_age?.as_secs();
        let scope = if self.private { "private" } else { "public" };
        HeaderValue::try_from(format!("{scope}, max-age={seconds}")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Responded;

    fn said(rules: &[(&str, Merge)], answers: &[&[(usize, &'static str)]]) -> Vec<(String, String)> {
        let respond = rules.iter().map(|(name, merge)| Responded {
            name: (*name).to_owned(),
            merge: *merge,
        });
        let config = HeadersConfig {
            respond: respond.collect(),
            ..HeadersConfig::default()
        };
        let carried = Wanted::of(&config).expect("something is wanted").begin();
        for answer in answers {
            let fields = answer
                .iter()
                .map(|(at, value)| (*at, HeaderValue::from_static(value)));
            carried.take(fields.collect());
        }
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        carried.write(&mut headers);
        let text = |value: &HeaderValue| value.to_str().expect("text").to_owned();
        headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect()
    }

    fn one(merge: Merge, answers: &[&[(usize, &'static str)]]) -> Vec<String> {
        let said = said(&[("x-a", merge)], answers);
        let of_it = said.into_iter().filter(|(name, _)| name == "x-a");
        of_it.map(|(_, value)| value).collect()
    }

    #[test]
    fn values_of_several_answers_become_one_by_the_rule() {
        let answers: &[&[(usize, &'static str)]] = &[&[], &[(0, "1"), (0, "2")], &[(0, "1"), (0, "3")]];
        assert_eq!(one(Merge::First, answers), ["1"]);
        assert_eq!(one(Merge::Last, answers), ["3"]);
        assert_eq!(one(Merge::All, answers), ["1", "2", "3"]);
        assert_eq!(one(Merge::All, &[]), [""; 0]);
    }

    #[test]
    fn cache_control_is_the_least_of_all() {
        for (answers, wanted) in [
            (&["public, max-age=60"][..], "public, max-age=60"),
            (&["max-age=60", "public, max-age=5"], "public, max-age=5"),
            (&["max-age=60, s-maxage=30"], "public, max-age=30"),
            (&["max-age=60", "private, max-age=90"], "private, max-age=60"),
            (&["max-age=60", "no-store"], "no-store"),
            (&["max-age=60", "no-cache, max-age=60"], "no-store"),
            (&["max-age=60", ""], "no-store"),
            (&["max-age=x"], "no-store"),
        ] {
            let answers: Vec<Vec<(usize, &'static str)>> =
                answers.iter().map(|text| vec![(0, *text)]).collect();
            let answers: Vec<&[(usize, &'static str)]> = answers.iter().map(Vec::as_slice).collect();
            let said = said(&[("cache-control", Merge::First)], &answers);
            assert_eq!(said, [("cache-control".to_owned(), wanted.to_owned())]);
        }
        // An answer that says nothing allows nothing.
        let said = said(&[("cache-control", Merge::First)], &[&[(0, "max-age=60")], &[]]);
        assert_eq!(said[0].1, "no-store");
    }
}
