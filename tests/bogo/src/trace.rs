//! The messages that a connection tells of through `tracing`, written as the suite's own stack writes them: this is how
//! the shim learns which message came and which went, as any user of the library would.

use std::fmt::Debug;
use std::sync::Mutex;

use oxtls::handshake::message::HandshakeType;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The lines so far.
static SAID: Mutex<String> = Mutex::new(String::new());

/// Begins to listen; once a process.
pub(crate) fn listen() {
    if tracing::subscriber::set_global_default(Listener).is_err() {
        crate::broken("somebody listens already");
    }
}

/// Takes the lines of what was sent and received since the last time.
pub(crate) fn take() -> String {
    SAID.lock().map(|mut said| std::mem::take(&mut *said)).unwrap_or_default()
}

/// Whether a handshake message of this type came in, since lines were last taken.
pub(crate) fn has_received(typ: u16) -> bool {
    let line = format!("read hs {typ}");
    SAID.lock().is_ok_and(|said| said.lines().any(|said| said == line))
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        matches!(metadata.target(), "oxtls::handshake" | "oxtls::alert" | "oxtls::close")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut told = Told::default();
        event.record(&mut told);
        if let (Some(line), Ok(mut said)) = (told.line(event.metadata().target()), SAID.lock()) {
            said.push_str(&line);
            said.push('\n');
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The fields of an event that a line is made of.
#[derive(Default)]
struct Told {
    message: String,
    name: String,
    code: u64,
}

impl Told {
    /// `None` for what is neither sent nor received.
    fn line(&self, target: &str) -> Option<String> {
        let way = match self.message.as_str() {
            "sent" => "write",
            "received" => "read",
            _ => return None,
        };
        Some(match target {
            "oxtls::close" => format!("{way} alert 1 0"),
            // No test that looks at alerts other than close_notify wants one at level warning.
            "oxtls::alert" => format!("{way} alert 2 {}", self.code),
            _ if self.name == "ChangeCipherSpec" => format!("{way} ccs"),
            _ => format!("{way} hs {}", number(&self.name)?),
        })
    }
}

/// The type of the message of this name; a HelloRetryRequest is a ServerHello of its own name.
fn number(name: &str) -> Option<u8> {
    let name = if name == "HelloRetryRequest" { "ServerHello" } else { name };
    (0..=u8::MAX).find(|typ| HandshakeType(*typ).name() == Some(name))
}

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "name" => self.name = format!("{value:?}"),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            self.name = value.to_owned();
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "code" {
            self.code = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(target: &str, message: &str, name: &str, code: u64) -> Option<String> {
        Told { message: message.into(), name: name.into(), code }.line(target)
    }

    #[test]
    fn events_are_written_as_the_suite_writes_them() {
        let handshake = |message, name| line("oxtls::handshake", message, name, 0);
        assert_eq!(handshake("sent", "ClientHello").as_deref(), Some("write hs 1"));
        assert_eq!(handshake("received", "HelloRetryRequest").as_deref(), Some("read hs 2"));
        assert_eq!(handshake("received", "ChangeCipherSpec").as_deref(), Some("read ccs"));
        assert_eq!(handshake("done", ""), None);
        assert_eq!(line("oxtls::close", "received", "", 0).as_deref(), Some("read alert 1 0"));
        assert_eq!(line("oxtls::alert", "sent", "decode_error", 50).as_deref(), Some("write alert 2 50"));
    }
}
