//! Tables of what contenders answered: medians over rounds.

use std::fmt::Write;

use super::contender::{Answer, Contender, Rounds};

/// Rows of numbers, one group of columns for each contender.
pub(crate) struct Table {
    title: String,
    columns: Vec<String>,
    contenders: Vec<String>,
    rows: Vec<(String, Vec<Answer>)>,
    decimals: usize,
}

impl Table {
    pub(crate) fn new(title: &str, columns: &[&str], contenders: &[Contender]) -> Self {
        Self {
            title: title.to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            contenders: contenders.iter().map(|contender| contender.name.clone()).collect(),
            rows: Vec::new(),
            decimals: 0,
        }
    }

    /// A row of times as multiples of the first contender's, each the median of the rounds' ratios.
    pub(crate) fn ratios(&mut self, name: &str, times: &[Rounds]) {
        self.decimals = 2;
        let ours = times.first().and_then(|times| times.as_ref().ok()).cloned().unwrap_or_default();
        let columns = self.columns.len();
        let ratios = |theirs: &Vec<Vec<f64>>| {
            (0..columns)
                .map(|column| {
                    let pairs = theirs.iter().zip(&ours);
                    median(pairs.filter_map(|(a, b)| Some(a.get(column)? / b.get(column)?)).collect())
                })
                .collect()
        };
        let row = times.iter().map(|times| times.as_ref().map(ratios).map_err(Clone::clone)).collect();
        self.rows.push((name.to_owned(), row));
    }

    /// A row of numbers as they are, of the last round.
    pub(crate) fn values(&mut self, name: &str, rounds: &[Rounds]) {
        let last = |rounds: &Vec<Vec<f64>>| rounds.last().cloned().unwrap_or_default();
        let row = rounds.iter().map(|rounds| rounds.as_ref().map(last).map_err(Clone::clone)).collect();
        self.rows.push((name.to_owned(), row));
    }

    pub(crate) fn print(&self) {
        println!("\n{} ({})", self.title, self.columns.join(" / "));
        for (name, row) in &self.rows {
            println!("{name}");
            for (contender, numbers) in self.contenders.iter().zip(row) {
                let cells = match numbers {
                    Ok(numbers) => {
                        let cells = numbers.iter().map(|number| format!("{number:>10.*}", self.decimals));
                        cells.collect::<String>()
                    }
                    Err(why) => format!("  {why}"),
                };
                println!("    {contender:24}{cells}");
            }
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// All tables for a program: title, row, contender, and a number for each column.
pub(crate) fn json(tables: &[Table]) -> String {
    let mut lines = Vec::new();
    for table in tables {
        for (row, cells) in &table.rows {
            for (contender, numbers) in table.contenders.iter().zip(cells) {
                let numbers = match numbers {
                    Ok(numbers) => {
                        let pairs = table.columns.iter().zip(numbers);
                        pairs.map(|(column, number)| format!("{}: {number}", quoted(column))).collect()
                    }
                    Err(why) => vec![format!("\"cannot\": {}", quoted(why))],
                };
                let head = [("table", &table.title), ("row", row), ("contender", contender)];
                let head = head.map(|(key, value)| format!("\"{key}\": {}", quoted(value)));
                lines.push(format!("{{{}, {}}}", head.join(", "), numbers.join(", ")));
            }
        }
    }
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            title: "T".into(),
            columns: vec!["a".into(), "b".into()],
            contenders: vec!["ours".into(), "x \"1\"".into()],
            rows: Vec::new(),
            decimals: 0,
        }
    }

    #[test]
    fn a_ratio_is_the_median_of_the_rounds_ratios_to_the_first_contender() {
        let mut table = table();
        let ours = Ok(vec![vec![10.0, 1.0], vec![20.0, 1.0], vec![10.0, 1.0]]);
        let theirs = Ok(vec![vec![20.0, 3.0], vec![40.0, 2.0], vec![90.0, 1.0]]);
        table.ratios("row", &[ours, theirs]);
        let (_, row) = &table.rows[0];
        assert_eq!(row[0], Ok(vec![1.0, 1.0]));
        assert_eq!(row[1], Ok(vec![2.0, 2.0]));
    }

    #[test]
    fn json_says_who_cannot_and_why() {
        let mut table = table();
        table.values("row", &[Ok(vec![vec![1.0, 2.5]]), Err("cannot: it\nis".into())]);
        assert_eq!(
            json(&[table]),
            "[\n{\"table\": \"T\", \"row\": \"row\", \"contender\": \"ours\", \"a\": 1, \"b\": 2.5},\n\
             {\"table\": \"T\", \"row\": \"row\", \"contender\": \"x \\\"1\\\"\", \"cannot\": \"cannot: it\\u000ais\"}\n]\n"
        );
    }
}
