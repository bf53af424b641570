//! Messages that TLS 1.2 has and TLS 1.3 has not, or has in another form (RFC 5246 section 7.4).

pub mod certificate;
pub mod certificate_request;
pub mod certificate_status;
pub mod client_key_exchange;
pub mod finished;
pub mod new_session_ticket;
pub mod server_hello;
pub mod server_hello_done;
pub mod server_key_exchange;

#[cfg(test)]
mod tests;
