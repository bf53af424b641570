//! What people see: nothing that a peer sent may steer their terminal, and a reader that has gone harms nobody.

use std::fmt;
use std::io::{self, Write};

/// Text for one line: whatever a terminal would act on, line ends included, is escaped.
pub(crate) fn line(text: impl fmt::Display) -> String {
    escape(&text.to_string(), |_| false)
}

/// Text of several lines: whatever a terminal would act on is escaped but for the line ends.
pub(crate) fn text(text: impl fmt::Display) -> String {
    escape(&text.to_string(), |c| c == '\n')
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_active(c) && !keep(c) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Control characters, C1 among them, and those that reorder the text around them or end a line.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What is said on standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    quiet: bool,
}

impl Console {
    /// `quiet`: only what went wrong is said.
    pub(crate) const fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Says something, unless told to be quiet.
    pub(crate) fn say(self, message: impl fmt::Display) {
        if !self.quiet {
            complain(message);
        }
    }
}

/// Says something on standard error. If nobody can hear it there is nobody to tell so.
pub(crate) fn complain(message: impl fmt::Display) {
    let mut message = text(message);
    message.push('\n');
    let _ = io::stderr().lock().write_all(message.as_bytes());
}

/// Standard output could not be written.
#[derive(Debug)]
pub(crate) struct OutputError(pub(crate) io::Error);

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "standard output cannot be written: {}", self.0)
    }
}

impl std::error::Error for OutputError {}

/// Writes a line to standard output.
pub(crate) fn out(line: impl fmt::Display) -> Result<(), OutputError> {
    print(&[&line.to_string(), "\n"])
}

/// Writes to standard output.
pub(crate) fn print(parts: &[&str]) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    let mut write = || {
        parts.iter().try_for_each(|part| out.write_all(part.as_bytes()))?;
        out.flush()
    };
    write().map_err(OutputError)
}

/// Octets in hexadecimal, with colons.
pub(crate) fn hex(octets: &[u8]) -> String {
    let pairs: Vec<_> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        assert_eq!(line("a\x1b[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(line("a\r\nb\u{9b}c\u{202e}d"), "a\\u{d}\\u{a}b\\u{9b}c\\u{202e}d");
        assert_eq!(text("a\nb\x07"), "a\nb\\u{7}");
        assert_eq!(line("plain, Ünïcode stays"), "plain, Ünïcode stays");
    }

    #[test]
    fn octets_read_as_people_compare_them() {
        assert_eq!(hex(&[0, 0xab, 0x10]), "00:ab:10");
    }
}
