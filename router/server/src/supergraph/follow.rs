//! The configuration files while serving: what they say anew is served with, without a restart where that can be.
//!
//! Files that cannot be used change nothing, and are told of.

use std::sync::Arc;

use crate::config::{Config, Layers};

/// Followed files.
pub struct Followed {
    layers: Option<Layers>,
    /// As they were last looked at; nothing before the first look.
    texts: Option<Vec<String>>,
}

/// What a look at the file brought.
#[derive(Debug)]
pub enum News {
    /// Nothing new.
    None,
    /// The file is as good as it was before, or again: nothing is to be told of it any more.
    Same,
    /// Another configuration.
    Changed(Arc<Config>),
    /// It cannot be used; why.
    Unusable(String),
}

impl Followed {
    /// Follows the files of `config`, if it names any.
    pub fn of(config: &Config) -> Followed {
        let layers = config.followed.clone();
        let texts = layers.as_ref().and_then(|layers| layers.texts().ok());
        Followed { layers, texts }
    }

    /// Whether the files are others than they were at the last look.
    pub fn has_changed(&self) -> bool {
        let texts = self.layers.as_ref().map(Layers::texts);
        texts.is_some_and(|texts| texts.ok() != self.texts)
    }

    /// Looks whether the files say something else than `current`.
    pub fn look(&mut self, current: &Config) -> News {
        let Some(layers) = &self.layers else {
            return News::None;
        };
        let texts = match layers.texts() {
            Ok(texts) => texts,
            Err(error) => return News::Unusable(error.to_string()),
        };
        if self.texts.as_ref() == Some(&texts) {
            return News::None;
        }
        let read = layers.load_texts(&texts);
        self.texts = Some(texts);
        match read {
            Ok(read) => changed(current, read),
            Err(error) => News::Unusable(error.to_string()),
        }
    }
}

fn changed(current: &Config, read: Config) -> News {
    match read == *current {
        true => News::Same,
        false => News::Changed(Arc::new(read)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config;

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("router.yaml");
        std::fs::write(&file, text).expect("written");
        (folder, file)
    }

    #[test]
    fn the_configuration_follows_the_file() {
        let first = "subgraphs: { a: { url: \"http://a.example/\" } }\n";
        let (_folder, file) = written(first);
        let config = config::read(&file).expect("works");
        let mut followed = Followed::of(&config);
        assert!(matches!(followed.look(&config), News::None));
        let more = format!("{first}# nothing new\n");
        std::fs::write(&file, more).expect("written");
        assert!(followed.has_changed());
        assert!(matches!(followed.look(&config), News::Same));
        assert!(!followed.has_changed());
        let second = "subgraphs: { b: { url: \"http://b.example/\" } }\npath: /other\n";
        std::fs::write(&file, second).expect("written");
        let News::Changed(changed) = followed.look(&config) else {
            panic!("another subgraph");
        };
        assert!(changed.subgraphs.contains_key("b") && changed.path == "/other");
    }

    #[test]
    fn a_file_that_cannot_be_used_is_told_of_and_can_be_mended() {
        let good = "subgraphs: { a: { url: \"http://a.example/\" } }\n";
        let (_folder, file) = written(good);
        let config = config::read(&file).expect("works");
        let mut followed = Followed::of(&config);
        std::fs::write(&file, "subgraphs: { a: { uri: x } }\n").expect("written");
        let News::Unusable(why) = followed.look(&config) else {
            panic!("an unknown key");
        };
        assert!(why.contains("router.yaml") && why.contains("uri"), "{why}");
        assert!(matches!(followed.look(&config), News::None));
        std::fs::write(&file, good).expect("written");
        assert!(matches!(followed.look(&config), News::Same));
    }
}
