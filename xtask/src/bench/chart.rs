//! A table as a picture: SVG, readable on light and on dark ground, with no script and no font of its own.
//!
//! One panel for each column of the table, with a scale of its own; in it a group of bars for each row, one bar for each
//! contender, in the order of the legend. Who has no number has a dash.

use std::fmt::Write;

use super::table::Table;

/// The contenders' colours, in order: each stands out on white as on black.
const COLOURS: [&str; 8] =
    ["#3b82f6", "#e8590c", "#fab005", "#2f9e44", "#ae3ec9", "#e03131", "#0c9ba8", "#868e96"];

const MARGIN: usize = 16;
const PANEL: usize = 440;
/// Where bars begin, and the most that one is long.
const LONGEST: f64 = 330.0;
const BAR: usize = 11;
const GROUP_TITLE: usize = 18;
const LINE: usize = 18;
/// Where the legend's first line stands, and how many contenders one line has.
const LEGEND: usize = 44;
const IN_A_LINE: usize = 4;

const STYLE: &str = "\
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.column { font-weight: 600; }
.small { font-size: 10px; }
.ground { fill: #ffffff; }
.axis { stroke: #8b949e; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .ground { fill: #0d1117; } }
</style>
";

/// The picture.
pub(crate) fn svg(table: &Table) -> String {
    let across = table.columns.len().clamp(1, 2);
    let down = table.columns.len().div_ceil(across);
    let group = GROUP_TITLE.saturating_add(table.contenders.len().saturating_mul(BAR)).saturating_add(8);
    let panel = LINE.saturating_add(group.saturating_mul(table.rows.len())).saturating_add(MARGIN);
    // The columns' names stand a line and a half below the legend's last line.
    let lines = table.contenders.len().div_ceil(IN_A_LINE).max(1);
    let head = LEGEND.saturating_add(LINE.saturating_mul(lines)).saturating_add(LINE / 2);
    let width = PANEL.saturating_mul(across).saturating_add(2 * MARGIN);
    let height = head.saturating_add(panel.saturating_mul(down)).saturating_add(MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-label=\"{title}\">\n{STYLE}<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"24\">{title}</text>\n",
        title = escaped(&table.title),
    );
    legend(&mut svg, table, width);
    for (at, column) in table.columns.iter().enumerate() {
        let x = MARGIN.saturating_add((at % across).saturating_mul(PANEL));
        let y = head.saturating_add((at / across).saturating_mul(panel));
        let _ = writeln!(svg, "<text class=\"column\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(column));
        bars(&mut svg, table, at, (x, y.saturating_add(LINE)));
    }
    svg.push_str("</svg>\n");
    svg
}

fn colour(at: usize) -> &'static str {
    COLOURS.get(at % COLOURS.len()).copied().unwrap_or("#868e96")
}

fn legend(svg: &mut String, table: &Table, width: usize) {
    let step = width.saturating_sub(2 * MARGIN) / IN_A_LINE;
    for (at, contender) in table.contenders.iter().enumerate() {
        let x = MARGIN.saturating_add((at % IN_A_LINE).saturating_mul(step));
        let y = LEGEND.saturating_add((at / IN_A_LINE).saturating_mul(LINE));
        let (square, text) = (y.saturating_sub(9), x.saturating_add(15));
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{square}\" width=\"10\" height=\"10\" fill=\"{}\"/><text x=\"{text}\" y=\"{y}\">{}</text>",
            colour(at),
            escaped(contender)
        );
    }
}

/// The groups of one panel.
fn bars(svg: &mut String, table: &Table, column: usize, (x, top): (usize, usize)) {
    let number =
        |cell: &super::contender::Answer| cell.as_ref().ok().and_then(|row| row.get(column)).copied();
    let all = table.rows.iter().flat_map(|(_, row)| row.iter().filter_map(number));
    let longest = all.filter(|number| number.is_finite()).fold(f64::MIN_POSITIVE, f64::max);
    let mut y = top;
    for (name, row) in &table.rows {
        y = y.saturating_add(GROUP_TITLE);
        let title = y.saturating_sub(6);
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{title}\">{}</text>", escaped(name));
        for (at, cell) in row.iter().enumerate() {
            let base = y.saturating_add(BAR - 2);
            match number(cell).filter(|number| number.is_finite()) {
                Some(number) => {
                    let length = (number / longest * LONGEST).max(1.0);
                    let name = table.contenders.get(at).map_or("", String::as_str);
                    let (fill, text) = (colour(at), table.number(number));
                    let _ = writeln!(
                        svg,
                        "<rect x=\"{x}\" y=\"{y}\" width=\"{length:.1}\" height=\"{height}\" fill=\"{fill}\">\
                         <title>{name}: {text}</title></rect><text class=\"small\" x=\"{end:.1}\" y=\"{base}\">{text}</text>",
                        height = BAR - 1,
                        name = escaped(name),
                        end = f64::from(u32::try_from(x).unwrap_or(0)) + length + 4.0,
                    );
                }
                None => {
                    let _ = writeln!(svg, "<text class=\"small\" x=\"{x}\" y=\"{base}\">–</text>");
                }
            }
            y = y.saturating_add(BAR);
        }
        y = y.saturating_add(8);
    }
    let bottom = y.saturating_sub(8);
    let axis = x.saturating_sub(1);
    let _ = writeln!(svg, "<line class=\"axis\" x1=\"{axis}\" x2=\"{axis}\" y1=\"{top}\" y2=\"{bottom}\"/>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let rows = [
            ("a & b".to_owned(), vec![Ok(vec![vec![10.0, 1.0]]), Ok(vec![vec![20.0, 2.0]])]),
            ("c".to_owned(), vec![Ok(vec![vec![5.0, 1.0]]), Err("cannot".to_owned())]),
        ];
        Table::new("t", "T", &["one", "two"], &["x<1>".into(), "y".into()]).values(&rows)
    }

    #[test]
    fn there_is_a_bar_for_each_number_and_a_dash_for_each_that_is_not_there() {
        let svg = svg(&table());
        assert_eq!(svg.matches("<title>").count(), 6);
        assert_eq!(svg.matches(">–<").count(), 2);
    }

    #[test]
    fn the_longest_bar_of_a_panel_has_the_panels_length() {
        let svg = svg(&table());
        // 10, 20 and 5 of one column; 1, 2 and 1 of the other.
        for (width, count) in [("330.0", 2), ("165.0", 3), ("82.5", 1)] {
            assert_eq!(svg.matches(&format!("width=\"{width}\"")).count(), count, "{width}");
        }
    }

    #[test]
    fn text_cannot_break_out_and_elements_are_closed() {
        let svg = svg(&table());
        assert!(svg.contains("a &amp; b") && svg.contains("x&lt;1&gt;"));
        for element in ["text", "rect", "title", "svg"] {
            let opened = svg.matches(&format!("<{element}")).count();
            let closed = svg.matches(&format!("</{element}>")).count();
            let alone =
                if element == "rect" { svg.matches("/>").count() - svg.matches("<line").count() } else { 0 };
            assert_eq!(opened, closed + alone, "{element}");
        }
    }

    #[test]
    fn the_columns_names_stand_below_the_legend_however_many_contenders_there_are() {
        for count in 1..=12 {
            let names: Vec<String> = (0..count).map(|at| format!("contender {at}")).collect();
            let row = ("row".to_owned(), names.iter().map(|_| Ok(vec![vec![1.0, 2.0]])).collect());
            let svg = svg(&Table::new("t", "T", &["one", "two"], &names).values(&[row]));
            let height = |line: &str| -> usize {
                let text = line.split("<text").last().unwrap();
                text.split(" y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
            };
            // Bars name their contenders, too, in what a pointer shows.
            let lines = || svg.lines().filter(|line| !line.contains("<title>"));
            let of = |what: &str| lines().filter(|line| line.contains(what)).map(height).max().unwrap();
            assert!(of("class=\"column\"") >= of(">contender ") + LINE, "{count}");
        }
    }

    #[test]
    fn a_reader_in_the_dark_gets_other_colours() {
        assert!(svg(&table()).contains("prefers-color-scheme: dark"));
    }
}
