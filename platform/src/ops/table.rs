//! Tables for people.

/// Prints rows under their heads, columns as wide as they need to be.
pub(super) fn print(heads: &[&str], rows: &[Vec<String>]) {
    for line in lines(heads, rows) {
        println!("{line}");
    }
}

fn lines(heads: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let width = |column: usize| {
        std::iter::once(&heads)
            .chain(rows)
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    std::iter::once(&heads)
        .chain(rows)
        .map(|row| {
            let cells = row.iter().zip(&widths);
            let line: Vec<String> = cells.map(|(cell, width)| format!("{cell:<width$}")).collect();
            line.join("  ").trim_end().to_owned()
        })
        .collect()
}

/// The first line of a text, cut where it is too long for a table.
pub(super) fn short(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.chars().count() > most {
        true => format!("{}…", line.chars().take(most - 1).collect::<String>()),
        false => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            vec!["주문".to_owned(), "1".to_owned()],
            vec!["longer".to_owned(), "20".to_owned()],
        ];
        assert_eq!(
            lines(&["NAME", "N"], &rows),
            ["NAME    N", "주문      1", "longer  20"]
        );
    }

    #[test]
    fn long_texts_are_cut_by_characters() {
        assert_eq!(short("주문이 많습니다\nmore", 5), "주문이 …");
        assert_eq!(short("fits", 4), "fits");
    }
}
