//! A page about the session, for browsers and their like (HTTP/1.0, RFC 1945).

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use super::session::Session;
use crate::handshake::table;

/// The longest head of a request that is read, bytes.
const HEAD: usize = 16 * 1024;

/// How long a request may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The page.
pub(super) fn page(peer: &str, facts: &[(&'static str, String)], client: &str) -> String {
    let mut facts = facts.to_vec();
    facts.insert(0, ("client", client.to_owned()));
    facts.insert(0, ("from", peer.to_owned()));
    format!("oxtls serve: this session\n\n{}\n", table(&facts))
}

/// Reads a request, whatever it asks for, and answers it with the page; bytes read and written. It may have begun as early
/// data: a page changes nothing, however often it is asked for.
pub(super) fn answer(session: &mut Session, page: &str, early: Vec<u8>) -> io::Result<(u64, u64)> {
    session.transport_mut().set_deadline(Instant::now().checked_add(PATIENCE))?;
    let mut head = early;
    let mut piece = vec![0; 2048];
    let mut too_long = head.len() > HEAD;
    while !too_long && !is_whole(&head) {
        let len = session.read(&mut piece).map_err(late)?;
        if len == 0 {
            break;
        }
        head.extend_from_slice(piece.get(..len).unwrap_or_default());
        too_long = head.len() > HEAD;
    }
    let answer = if too_long { refusal() } else { response(head.starts_with(b"HEAD "), page) };
    session.write_all(answer.as_bytes()).map_err(late)?;
    session.transport_mut().set_deadline(None)?;
    Ok((length(head.len()), length(answer.len())))
}

/// An empty line ends the head of a request.
fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|end| end == b"\r\n\r\n") || head.windows(2).any(|end| end == b"\n\n")
}

fn response(head_only: bool, page: &str) -> String {
    let body = if head_only { "" } else { page };
    format!(
        "HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        page.len()
    )
}

fn refusal() -> String {
    "HTTP/1.0 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        .to_owned()
}

/// The deadline has passed, unless we were told to stop, which the caller looks at.
fn late(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::TimedOut => io::Error::new(ErrorKind::WouldBlock, "no request came in time"),
        ErrorKind::WouldBlock => io::Error::new(ErrorKind::WouldBlock, "no request came in time"),
        _ => error,
    }
}

fn length(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_at_its_empty_line() {
        assert!(is_whole(b"GET / HTTP/1.0\r\n\r\n") && is_whole(b"GET /\n\n"));
        assert!(!is_whole(b"GET / HTTP/1.0\r\nHost: a\r\n"));
    }

    #[test]
    fn the_length_of_a_page_is_told_even_without_it() {
        assert!(response(false, "page").ends_with("Content-Length: 4\r\nConnection: close\r\n\r\npage"));
        assert!(response(true, "page").ends_with("Content-Length: 4\r\nConnection: close\r\n\r\n"));
    }
}
