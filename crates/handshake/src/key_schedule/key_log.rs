//! Labels of the key log (RFC 9850 section 2).

/// The client's 0-RTT traffic secret.
pub const CLIENT_EARLY_TRAFFIC_SECRET: &str = "CLIENT_EARLY_TRAFFIC_SECRET";
/// The exporter for 0-RTT.
pub const EARLY_EXPORTER_SECRET: &str = "EARLY_EXPORTER_SECRET";
/// The client's handshake traffic secret.
pub const CLIENT_HANDSHAKE_TRAFFIC_SECRET: &str = "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
/// The server's handshake traffic secret.
pub const SERVER_HANDSHAKE_TRAFFIC_SECRET: &str = "SERVER_HANDSHAKE_TRAFFIC_SECRET";
/// The client's first application traffic secret.
pub const CLIENT_TRAFFIC_SECRET_0: &str = "CLIENT_TRAFFIC_SECRET_0";
/// The server's first application traffic secret.
pub const SERVER_TRAFFIC_SECRET_0: &str = "SERVER_TRAFFIC_SECRET_0";
/// The exporter.
pub const EXPORTER_SECRET: &str = "EXPORTER_SECRET";
/// TLS 1.2's master secret.
pub const CLIENT_RANDOM: &str = "CLIENT_RANDOM";
