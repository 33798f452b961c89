//! What a running gateway takes over of a changed configuration, and what needs a restart.

use super::Config;

impl Config {
    /// Keys whose change has no effect without a restart. All of `traffic` and of what subgraphs set apart is taken over,
    /// but for what is listed here.
    pub fn needs_restart(&self, new: &Config) -> Vec<String> {
        let sections = [
            ("listen", self.listen != new.listen),
            ("path", self.path != new.path),
            (
                "supergraph.poll_interval",
                self.supergraph.poll_interval != new.supergraph.poll_interval,
            ),
            ("override_labels", self.override_labels != new.override_labels),
            ("contract", self.contract != new.contract),
            ("auth", self.auth != new.auth),
            ("limits", self.limits != new.limits),
            ("cache", self.cache != new.cache),
            ("headers", self.headers != new.headers),
            ("csrf", self.csrf != new.csrf),
            ("cors", self.cors != new.cors),
            ("errors", self.errors != new.errors),
            ("introspection", self.introspection != new.introspection),
            ("subscriptions", self.subscriptions != new.subscriptions),
            ("websocket", self.websocket != new.websocket),
            ("metrics", self.metrics != new.metrics),
            ("traces", self.traces != new.traces),
            ("log", self.log != new.log),
        ];
        let changed = sections.into_iter().filter(|(_, differs)| *differs);
        let fixed = self.traffic.fixed(&new.traffic).into_iter();
        changed
            .map(|(key, _)| key.to_owned())
            .chain(fixed.map(|key| format!("traffic.{key}")))
            .collect()
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
        new.limits.depth = 3;
        new.subgraphs.insert("b".to_owned(), SubgraphConfig::default());
        assert_eq!(old.needs_restart(&new), ["limits", "traffic.pool_max_idle"]);
    }
}
