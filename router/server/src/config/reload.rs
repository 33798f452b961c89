//! What a running gateway takes over of a changed configuration, and what needs a restart.

use serde_json::Value;

use super::Config;

/// Keys by how they begin: whether a change of theirs is taken over. The longest that fits decides; what fits none needs
/// a restart, so that a new key promises nothing that nobody has seen to.
///
/// What requests find in the settings they come with ([`crate::front`]) is taken over by itself, and so is what an engine
/// or the keeper of the supergraph is made with. What is made once when the gateway starts is not.
const LIVE: [(&str, bool); 28] = [
    ("path", true),
    ("supergraph", true),
    ("subgraphs", true),
    ("override_labels", true),
    ("contract", true),
    ("contracts", true),
    ("auth", true),
    ("limits", true),
    ("cache", true),
    ("cache.responses", false),
    ("traffic", true),
    ("traffic.connect_timeout", false),
    ("traffic.pool_idle_timeout", false),
    ("traffic.pool_max_idle", false),
    ("traffic.response_bytes", false),
    ("batching", true),
    ("incremental", true),
    ("page", true),
    ("headers", true),
    ("csrf", true),
    ("cors", true),
    ("errors", true),
    ("introspection", true),
    ("subscriptions", true),
    ("subscriptions.callback", false),
    ("subscriptions.bound", false),
    ("websocket", true),
    ("log", true),
];

/// Whether a change of this key (with dots) is taken over.
pub fn is_live(key: &str) -> bool {
    let fits = |prefix: &str| {
        let rest = key.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let known = LIVE.iter().filter(|(prefix, _)| fits(prefix));
    known
        .max_by_key(|(prefix, _)| prefix.len())
        .is_some_and(|(_, live)| *live)
}

impl Config {
    /// Keys whose change has no effect without a restart.
    pub fn needs_restart(&self, new: &Config) -> Vec<String> {
        let value = |config: &Config| {
            serde_json::to_value(config).expect("a configuration was read from what JSON can say")
        };
        let mut changed = Vec::new();
        differences("", &value(self), &value(new), &mut changed);
        changed.retain(|key| !is_live(key));
        changed
    }
}

/// Keys that differ, as far down as there are keys.
fn differences(at: &str, old: &Value, new: &Value, changed: &mut Vec<String>) {
    let (Value::Object(old_keys), Value::Object(new_keys)) = (old, new) else {
        if old != new {
            changed.push(at.to_owned());
        }
        return;
    };
    let mut keys: Vec<&String> = old_keys.keys().chain(new_keys.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let path = match at {
            "" => key.clone(),
            at => format!("{at}.{key}"),
        };
        let value = |keys: &serde_json::Map<String, Value>| keys.get(key).cloned().unwrap_or_default();
        differences(&path, &value(old_keys), &value(new_keys), changed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::SubgraphConfig;

    #[test]
    fn what_needs_a_restart_is_told() {
        let subgraph = SubgraphConfig::at("http://a.example/graphql".parse().expect("a URL"));
        let mut old = Config::default();
        old.subgraphs.insert("a".to_owned(), subgraph);
        let mut new = old.clone();
        new.traffic.timeout = Duration::from_secs(1);
        new.traffic.breaker.probes = Some(1);
        let a = new.subgraphs.get_mut("a").expect("it is there");
        (a.timeout, a.traffic.retry.attempts) = (Some(Duration::from_secs(2)), Some(0));
        assert!(old.needs_restart(&new).is_empty());
        new.traffic.pool_max_idle = 1;
        new.listen.set_port(1);
        new.subgraphs.insert("b".to_owned(), SubgraphConfig::default());
        assert_eq!(old.needs_restart(&new), ["listen", "traffic.pool_max_idle"]);
    }

    /// A key that is spelt wrong in the table decides nothing.
    #[test]
    fn the_table_names_what_there_is() {
        let keys = crate::config::options::keys();
        for (prefix, _) in LIVE {
            let fits = |name: &str| name == prefix || name.starts_with(&format!("{prefix}."));
            assert!(keys.iter().any(|key| fits(&key.name)), "{prefix}");
        }
    }
}
