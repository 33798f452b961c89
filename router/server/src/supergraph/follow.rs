//! The configuration file while serving: subgraphs come, go and change their settings without a restart.
//!
//! Only `subgraphs` and `supergraph.file` are taken over. A file that cannot be used changes nothing, and is told of.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{self, Config};

/// A followed file.
pub struct Followed {
    file: Option<PathBuf>,
    /// As it was last looked at; nothing before the first look.
    text: Option<String>,
}

/// What a look at the file brought.
#[derive(Debug)]
pub enum News {
    /// Nothing new.
    None,
    /// The file is as good as it was before, or again: nothing is to be told of it any more.
    Same,
    /// Other subgraphs, or another supergraph file.
    Changed(Arc<Config>),
    /// It cannot be used; why.
    Unusable(String),
}

impl Followed {
    /// Follows the file of `config`, if it names one.
    pub fn of(config: &Config) -> Followed {
        let file = config.followed.clone();
        let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        Followed { file, text }
    }

    /// Looks whether the file says something else than `current`.
    pub async fn look(&mut self, current: &Config) -> News {
        let Some(file) = self.file.clone() else {
            return News::None;
        };
        let text = match tokio::fs::read_to_string(&file).await {
            Ok(text) => text,
            Err(error) => return News::Unusable(format!("{}: {error}", file.display())),
        };
        if self.text.as_ref() == Some(&text) {
            return News::None;
        }
        self.text = Some(text);
        let read = config::read(&file).and_then(|config| config.check().map(|()| config));
        match read {
            Ok(read) => changed(current, read),
            Err(error) => News::Unusable(error.to_string()),
        }
    }
}

fn changed(current: &Config, read: Config) -> News {
    if read.subgraphs == current.subgraphs && read.supergraph.file == current.supergraph.file {
        return News::Same;
    }
    let mut config = current.clone();
    config.subgraphs = read.subgraphs;
    config.supergraph.file = read.supergraph.file;
    News::Changed(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("router.yaml");
        std::fs::write(&file, text).expect("written");
        (folder, file)
    }

    #[tokio::test]
    async fn subgraphs_follow_the_file_and_nothing_else_does() {
        let first = "subgraphs: { a: { url: \"http://a.example/\" } }\n";
        let (_folder, file) = written(first);
        let config = config::read(&file).expect("works");
        let mut followed = Followed::of(&config);
        assert!(matches!(followed.look(&config).await, News::None));
        let more = format!("{first}path: /other\n");
        std::fs::write(&file, more).expect("written");
        assert!(matches!(followed.look(&config).await, News::Same));
        let second = "subgraphs: { b: { url: \"http://b.example/\" } }\npath: /other\n";
        std::fs::write(&file, second).expect("written");
        let News::Changed(changed) = followed.look(&config).await else {
            panic!("another subgraph");
        };
        assert!(changed.subgraphs.contains_key("b") && changed.path == config.path);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_used_is_told_of_and_can_be_mended() {
        let good = "subgraphs: { a: { url: \"http://a.example/\" } }\n";
        let (_folder, file) = written(good);
        let config = config::read(&file).expect("works");
        let mut followed = Followed::of(&config);
        std::fs::write(&file, "subgraphs: { a: { uri: x } }\n").expect("written");
        let News::Unusable(why) = followed.look(&config).await else {
            panic!("an unknown key");
        };
        assert!(why.contains("router.yaml") && why.contains("uri"), "{why}");
        assert!(matches!(followed.look(&config).await, News::None));
        std::fs::write(&file, good).expect("written");
        assert!(matches!(followed.look(&config).await, News::Same));
    }
}
