//! Tables of what contenders answered: medians over rounds.

use std::fmt::Write;

use serde_json::{Value, json};

use super::contender::{Answer, Rounds};

/// Answers to one question, by contender.
pub(crate) type Row = (String, Vec<Rounds>);

/// How numbers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Two decimals: a multiple.
    Multiple,
    /// Of a hundred, without decimals.
    Percent,
    /// As they are, without decimals.
    Whole,
}

/// Rows of numbers, one group of columns for each contender.
pub(crate) struct Table {
    /// Short, for the name of a file.
    pub(crate) slug: String,
    pub(crate) title: String,
    pub(crate) columns: Vec<String>,
    pub(crate) contenders: Vec<String>,
    pub(crate) rows: Vec<(String, Vec<Answer>)>,
    pub(crate) style: Style,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(slug: &str, title: &str, columns: &[&str], contenders: &[String]) -> Self {
        Self {
            slug: slug.to_owned(),
            title: title.to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            contenders: contenders.to_vec(),
            rows: Vec::new(),
            style: Style::Whole,
        }
    }

    /// Rows of times as multiples of those of the contender at `base`, or that one's as a part of theirs; each the
    /// median of the rounds' ratios.
    pub(crate) fn relative(mut self, rows: &[Row], base: usize, style: Style) -> Self {
        self.style = style;
        let columns = self.columns.len();
        for (name, times) in rows {
            let base = times.get(base).and_then(|times| times.as_ref().ok()).cloned().unwrap_or_default();
            let numbers = |theirs: &Vec<Vec<f64>>| {
                let of = |column| ratios(theirs, &base, column, style);
                (0..columns).map(|column| median(of(column))).collect()
            };
            let row = times.iter().map(|times| times.as_ref().map(numbers).map_err(Clone::clone)).collect();
            self.rows.push((name.clone(), row));
        }
        self
    }

    /// Rows of numbers as they are, each the median of the rounds'.
    pub(crate) fn values(mut self, rows: &[Row]) -> Self {
        let columns = self.columns.len();
        for (name, answers) in rows {
            let numbers = |rounds: &Vec<Vec<f64>>| {
                let of = |column| rounds.iter().filter_map(|round| round.get(column).copied()).collect();
                (0..columns).map(|column| median(of(column))).collect()
            };
            let row =
                answers.iter().map(|rounds| rounds.as_ref().map(numbers).map_err(Clone::clone)).collect();
            self.rows.push((name.clone(), row));
        }
        self
    }

    /// The number as it is printed.
    pub(crate) fn number(&self, number: f64) -> String {
        match self.style {
            Style::Multiple => format!("{number:.2}"),
            Style::Percent => format!("{number:.0} %"),
            Style::Whole => grouped(&format!("{number:.0}")),
        }
    }

    /// In Markdown: a line for each row, a column for each contender, a footnote for each thing that one cannot. A table
    /// of many columns has a line for each of them.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n", self.title);
        let few = self.columns.len() <= 2;
        if few {
            let _ = writeln!(text, "{}.\n", self.columns.join(" / "));
        }
        let _ = writeln!(
            text,
            "| | {} |\n|---|{}",
            self.contenders.join(" | "),
            "---|".repeat(self.contenders.len())
        );
        let mut notes = Vec::new();
        for (name, row) in &self.rows {
            if few {
                let cells = row.iter().map(|cell| self.cell(cell, &mut notes, 0..self.columns.len()));
                let cells: Vec<_> = cells.collect();
                let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
                continue;
            }
            for (at, column) in self.columns.iter().enumerate() {
                let cells = row.iter().map(|cell| self.cell(cell, &mut notes, at..at.saturating_add(1)));
                let cells: Vec<_> = cells.collect();
                let _ = writeln!(text, "| {name}, {column} | {} |", cells.join(" | "));
            }
        }
        for (number, note) in (1..).zip(&notes) {
            let _ = write!(text, "\n[{number}] {note}.");
        }
        if !notes.is_empty() {
            text.push('\n');
        }
        text
    }

    fn cell(&self, cell: &Answer, notes: &mut Vec<String>, columns: std::ops::Range<usize>) -> String {
        match cell {
            Ok(numbers) => {
                let numbers = numbers.get(columns).unwrap_or_default();
                numbers.iter().map(|number| self.number(*number)).collect::<Vec<_>>().join(" / ")
            }
            Err(why) => {
                let place = notes.iter().position(|known| known == why).unwrap_or_else(|| {
                    notes.push(why.clone());
                    notes.len().saturating_sub(1)
                });
                format!("– [{}]", place.saturating_add(1))
            }
        }
    }

    /// For a program.
    pub(crate) fn json(&self) -> Value {
        let mut rows = Vec::new();
        for (name, row) in &self.rows {
            for (contender, cell) in self.contenders.iter().zip(row) {
                rows.push(match cell {
                    Ok(numbers) => json!({ "row": name, "contender": contender, "numbers": numbers }),
                    Err(why) => json!({ "row": name, "contender": contender, "cannot": why }),
                });
            }
        }
        json!({ "name": self.slug, "title": self.title, "columns": self.columns, "rows": rows })
    }
}

fn ratios(theirs: &[Vec<f64>], base: &[Vec<f64>], column: usize, style: Style) -> Vec<f64> {
    let pairs = theirs.iter().zip(base).filter_map(|(a, b)| Some((*a.get(column)?, *b.get(column)?)));
    pairs.map(|(a, b)| if style == Style::Percent { 100.0 * b / a } else { a / b }).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(at);
        if at > 0 && left.is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::new("t", "T", &["a", "b"], &["ours".into(), "x \"1\"".into()])
    }

    fn row() -> Row {
        let ours = Ok(vec![vec![10.0, 1.0], vec![20.0, 1.0], vec![10.0, 1.0]]);
        let theirs = Ok(vec![vec![20.0, 4.0], vec![40.0, 2.0], vec![90.0, 1.0]]);
        ("row".into(), vec![ours, theirs])
    }

    #[test]
    fn a_multiple_is_the_median_of_the_rounds_ratios_to_the_base() {
        let table = table().relative(&[row()], 0, Style::Multiple);
        assert_eq!(table.rows[0].1, [Ok(vec![1.0, 1.0]), Ok(vec![2.0, 2.0])]);
    }

    #[test]
    fn a_percentage_is_the_bases_part_of_theirs() {
        let table = table().relative(&[row()], 0, Style::Percent);
        assert_eq!(table.rows[0].1, [Ok(vec![100.0, 100.0]), Ok(vec![50.0, 50.0])]);
    }

    #[test]
    fn markdown_has_a_dash_and_a_note_for_what_one_cannot() {
        let cannot = || Err("has no\u{a0}way".to_owned());
        let rows = [
            ("row".to_owned(), vec![Ok(vec![vec![1234.0, 2.5]]), cannot()]),
            ("two".to_owned(), vec![Ok(vec![vec![1.0, 2.0]]), cannot()]),
        ];
        assert_eq!(
            table().values(&rows).markdown(),
            "### T\n\na / b.\n\n| | ours | x \"1\" |\n|---|---|---|\n| row | 1,234 / 2 | – [1] |\n| two | 1 / 2 | – [1] |\n\n\
             [1] has no\u{a0}way.\n"
        );
    }

    #[test]
    fn json_says_who_cannot_and_why() {
        let rows = [("row".to_owned(), vec![Ok(vec![vec![1.0, 2.5]]), Err("it\nis".to_owned())])];
        let json = table().values(&rows).json();
        assert_eq!(json["rows"][0]["numbers"], json!([1.0, 2.5]));
        assert_eq!(json["rows"][1], json!({ "row": "row", "contender": "x \"1\"", "cannot": "it\nis" }));
    }

    #[test]
    fn digits_are_grouped_by_threes() {
        for (digits, grouped_digits) in
            [("1", "1"), ("123", "123"), ("1234", "1,234"), ("-123456", "-123,456")]
        {
            assert_eq!(grouped(digits), grouped_digits);
        }
    }
}
