//! Key schedules: how secrets come from the key exchange and the transcript.

pub mod exporter;
pub mod key_log;
pub mod tls12;
pub mod tls13;

#[cfg(test)]
mod tests;
