//! Key schedules: how secrets come from the key exchange and the transcript.

pub mod key_log;
pub mod tls13;

#[cfg(test)]
mod tests;
