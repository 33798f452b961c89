//! Figures, what is wanted of them, and the table.

use std::fmt::Write;

/// One line of the table.
pub struct Line {
    what: String,
    measured: String,
    wanted: String,
    /// `None` where nothing is wanted.
    kept: Option<bool>,
}

/// All lines.
#[derive(Default)]
pub struct Report(Vec<Line>);

impl Report {
    /// A figure that is only told.
    pub fn told(&mut self, what: &str, measured: String) {
        self.0.push(Line {
            what: what.to_owned(),
            measured,
            wanted: String::new(),
            kept: None,
        });
    }

    /// A figure of which something is wanted.
    pub fn held(&mut self, what: &str, measured: String, wanted: &str, kept: bool) {
        self.0.push(Line {
            what: what.to_owned(),
            measured,
            wanted: wanted.to_owned(),
            kept: Some(kept),
        });
    }

    /// Whether everything wanted was kept.
    pub fn all_kept(&self) -> bool {
        self.0.iter().all(|line| line.kept != Some(false))
    }

    /// As a table in Markdown.
    pub fn table(&self) -> String {
        let mut table = String::from("| | measured | wanted | |\n|---|---|---|---|\n");
        for line in &self.0 {
            let verdict = match line.kept {
                Some(true) => "kept",
                Some(false) => "**missed**",
                None => "",
            };
            let Line {
                what,
                measured,
                wanted,
                ..
            } = line;
            writeln!(table, "| {what} | {measured} | {wanted} | {verdict} |").expect("a string takes all");
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_is_said() {
        let mut report = Report::default();
        report.told("clients", "3".to_owned());
        report.held("late", "2 ms".to_owned(), "≤ 3 ms", true);
        assert!(report.all_kept());
        report.held("back", "12 s".to_owned(), "≤ 10 s", false);
        assert!(!report.all_kept());
        assert!(report.table().contains("| back | 12 s | ≤ 10 s | **missed** |"));
    }
}
