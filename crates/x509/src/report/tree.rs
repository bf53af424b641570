//! The paths that were tried, drawn as the tree that they are.

use crate::report::{Candidate, Position, Report};
use crate::time;

/// Steps of a path that are indented one by one; what is deeper stands below the last of them.
const DEEPEST: usize = 20;

/// The whole story, line by line.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let mut lines = vec!["the peer's chain:".to_owned()];
    chain(report, &mut lines);
    lines.push(format!("trusted: {}", report.trust));
    if !report.candidates.is_empty() {
        lines.push("paths tried, from the peer's certificate up:".to_owned());
    }
    let mut drawn: &[Position] = &[];
    for candidate in &report.candidates {
        branch(report, candidate, drawn, &mut lines);
        drawn = &candidate.path;
    }
    if report.candidates.len() >= crate::defaults::CANDIDATES {
        lines.push("  (and perhaps more)".to_owned());
    }
    let offset = at_byte(report.offset);
    lines.push(format!("rule broken: {} by {}{offset}", report.rule, report.certificate));
    lines.push(format!("  {} ({})", report.rule.explain(), report.rule.section()));
    lines.push(format!("what to do: {}", report.advice()));
    lines
}

/// What the peer sent.
fn chain(report: &Report, lines: &mut Vec<String>) {
    if report.presented.is_empty() {
        lines.push("  (empty)".to_owned());
    }
    for (number, certificate) in report.presented.iter().enumerate() {
        lines.push(format!("  {number}: {}", certificate.subject));
        lines.push(format!("     issued by {}", certificate.issuer));
        if let Some((from, until)) = certificate.validity {
            lines.push(format!("     valid from {} until {}", time::display(from), time::display(until)));
        }
    }
    if report.presented_more > 0 {
        lines.push(format!("  and {} more", report.presented_more));
    }
}

/// One path: the steps that it shares with the one before it are drawn already.
fn branch(report: &Report, candidate: &Candidate, drawn: &[Position], lines: &mut Vec<String>) {
    let shared = candidate.path.iter().zip(drawn).take_while(|(this, other)| this == other).count();
    for (depth, position) in candidate.path.iter().enumerate().skip(shared) {
        lines.push(format!("{}{}", indent(depth), step(report, *position)));
    }
    let indent = indent(candidate.path.len());
    lines.push(format!("{indent}x {} {}", candidate.certificate, candidate.cause));
    let offset = at_byte(candidate.offset);
    lines.push(format!("{indent}  rule {}, {}{offset}", candidate.rule, candidate.rule.section()));
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth.min(DEEPEST).saturating_add(1))
}

fn at_byte(offset: Option<u32>) -> String {
    offset.map_or_else(String::new, |offset| format!(", at byte {offset} of it"))
}

fn step(report: &Report, position: Position) -> String {
    match position {
        Position::Chain(number) => {
            let name = report.presented.get(number).map_or("?", |certificate| &certificate.subject);
            format!("{number}: {name}")
        }
        Position::Anchor(number) => {
            let name = report.anchors.iter().find(|(known, _)| *known == number);
            format!("root: {}", name.map_or("?", |(_, name)| name))
        }
    }
}
