//! Whether an answer is kept, for whom and how long
//! ([RFC 9111, section 3](https://www.rfc-editor.org/rfc/rfc9111#section-3)).

use std::time::Duration;

use super::fields::Fields;
use super::question::Terms;
use crate::config::{ResponsesConfig, ScopeConfig};

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is kept.
    Keep(Lease),
    /// It is one caller's own, and this caller is nobody.
    Nobodys,
    /// It is not kept.
    Refuse,
}

/// How an answer is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// How long from when it was asked for.
    pub fresh: Duration,
    /// How long after that it may be used where nothing better can be had.
    pub stale: Duration,
    /// Whether it is for its caller alone.
    pub own: bool,
}

/// What is known of a call besides its answer.
#[derive(Clone, Copy)]
pub struct Policy<'a> {
    /// The configuration.
    pub config: &'a ResponsesConfig,
    /// The subgraph that answered.
    pub subgraph: &'a str,
    /// Whether a token or cookie was sent.
    pub is_named: bool,
    /// Whether tokens or cookies are ever sent.
    pub callers_differ: bool,
}

impl Policy<'_> {
    /// What becomes of an answer with these header fields, of a selection on these terms.
    pub fn judge(&self, fields: &Fields, terms: &Terms) -> Verdict {
        if fields.control.no_store || fields.varies_by_all || fields.too_many_tags {
            return Verdict::Refuse;
        }
        let own = match self.is_own(fields, terms) {
            Some(own) => own,
            None => return Verdict::Nobodys,
        };
        let default = self.config.ttl_of(self.subgraph);
        let fresh = fields.lifetime(!own).or_else(|| terms.lifetime(default));
        let fresh = fresh.unwrap_or_default().min(self.config.max_ttl);
        if fresh.is_zero() {
            return Verdict::Refuse;
        }
        // `s-maxage` says `proxy-revalidate`, too (section 5.2.2.10).
        let strict = fields.control.must_revalidate || (!own && fields.control.s_maxage.is_some());
        let stale = if strict {
            Duration::ZERO
        } else {
            self.config.stale_if_error
        };
        Verdict::Keep(Lease { fresh, stale, own })
    }

    /// Whether it is for its caller alone; `None` where it is, and the caller is nobody.
    ///
    /// What was answered to a token is for others only if somebody says so (section 3.5), and what was answered without
    /// one may be other than what is answered to one.
    fn is_own(&self, fields: &Fields, terms: &Terms) -> Option<bool> {
        let control = fields.control;
        let told_public = control.public || control.s_maxage.is_some() || terms.public();
        let configured = self.config.scope_of(self.subgraph);
        let private =
            control.private || terms.private || (!told_public && configured == Some(ScopeConfig::Private));
        if private {
            return self.is_named.then_some(true);
        }
        let public = told_public || configured == Some(ScopeConfig::Public);
        let varies = fields.varies_by("authorization") || fields.varies_by("cookie");
        Some(self.callers_differ && (varies || !public))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SubgraphResponsesConfig;

    struct Case {
        fields: &'static [(&'static str, &'static str)],
        named: bool,
        scope: Option<ScopeConfig>,
        ttl: Option<u64>,
    }

    fn judge(case: &Case) -> Verdict {
        let mut noted = None;
        for (name, value) in case.fields {
            Fields::note(&mut noted, name, value.as_bytes());
        }
        let one = SubgraphResponsesConfig {
            scope: case.scope,
            ttl: case.ttl.map(Duration::from_secs),
            ..SubgraphResponsesConfig::default()
        };
        let config = ResponsesConfig {
            enabled: true,
            max_ttl: Duration::from_secs(100),
            stale_if_error: Duration::from_secs(7),
            subgraphs: [("a".to_owned(), one)].into(),
            ..ResponsesConfig::default()
        };
        let policy = Policy {
            config: &config,
            subgraph: "a",
            is_named: case.named,
            callers_differ: true,
        };
        policy.judge(&noted.unwrap_or_default(), &Terms::default())
    }

    fn keep(fresh: u64, stale: u64, own: bool) -> Verdict {
        Verdict::Keep(Lease {
            fresh: Duration::from_secs(fresh),
            stale: Duration::from_secs(stale),
            own,
        })
    }

    fn told(control: &'static str) -> &'static [(&'static str, &'static str)] {
        vec![("cache-control", control)].leak()
    }

    #[test]
    fn an_answer_is_kept_as_rfc_9111_says() {
        use Verdict::{Nobodys, Refuse};
        // What is said; the verdict for a caller with a token, and for one without.
        for (fields, named, nobody) in [
            (&[][..], Refuse, Refuse),
            (told("max-age=60"), keep(60, 7, true), keep(60, 7, true)),
            (told("max-age=600"), keep(100, 7, true), keep(100, 7, true)),
            (told("public, max-age=60"), keep(60, 7, false), keep(60, 7, false)),
            (told("public"), Refuse, Refuse),
            (told("s-maxage=60"), keep(60, 0, false), keep(60, 0, false)),
            (
                told("s-maxage=9, max-age=60"),
                keep(9, 0, false),
                keep(9, 0, false),
            ),
            (told("private, max-age=60"), keep(60, 7, true), Nobodys),
            (told("private, public, max-age=60"), keep(60, 7, true), Nobodys),
            (
                told("max-age=60, must-revalidate"),
                keep(60, 0, true),
                keep(60, 0, true),
            ),
            (told("max-age=60, no-store"), Refuse, Refuse),
            (told("public, max-age=60, no-cache"), Refuse, Refuse),
            (told("max-age=0"), Refuse, Refuse),
        ] {
            for (wanted, has_name) in [(named, true), (nobody, false)] {
                let case = Case {
                    fields,
                    named: has_name,
                    scope: None,
                    ttl: None,
                };
                assert_eq!(judge(&case), wanted, "{fields:?}, named: {has_name}");
            }
        }
    }

    #[test]
    fn what_varies_by_the_token_is_never_shared() {
        let public = ("cache-control", "public, max-age=60");
        for (vary, wanted) in [
            ("accept-encoding", keep(60, 7, false)),
            ("Authorization", keep(60, 7, true)),
            ("accept, Cookie", keep(60, 7, true)),
            ("*", Verdict::Refuse),
        ] {
            let case = Case {
                fields: vec![public, ("vary", vary)].leak(),
                named: true,
                scope: None,
                ttl: None,
            };
            assert_eq!(judge(&case), wanted, "{vary}");
        }
    }

    #[test]
    fn the_configuration_speaks_where_the_answer_does_not() {
        let case = |control: &'static str, scope, ttl| {
            judge(&Case {
                fields: told(control),
                named: true,
                scope,
                ttl,
            })
        };
        assert_eq!(case("", None, Some(5)), keep(5, 7, true));
        assert_eq!(case("", Some(ScopeConfig::Public), Some(5)), keep(5, 7, false));
        assert_eq!(
            case("max-age=3", Some(ScopeConfig::Public), Some(5)),
            keep(3, 7, false)
        );
        assert_eq!(case("max-age=0", None, Some(5)), Verdict::Refuse);
        assert_eq!(case("no-store", None, Some(5)), Verdict::Refuse);
        assert_eq!(
            case("private", Some(ScopeConfig::Public), Some(5)),
            keep(5, 7, true)
        );
        assert_eq!(
            case("public", Some(ScopeConfig::Private), Some(5)),
            keep(5, 7, false)
        );
        assert_eq!(
            case("max-age=3", Some(ScopeConfig::Private), None),
            keep(3, 7, true)
        );
        let expired = &[("expires", "0")][..];
        let case = Case {
            fields: expired,
            named: false,
            scope: None,
            ttl: Some(5),
        };
        assert_eq!(judge(&case), Verdict::Refuse);
    }
}
