//! Early data (0-RTT), in words.

use oxtls::{EarlyDataRejection, EarlyDataStatus};

/// What became of early data at a server; `None` if there was none.
pub(crate) fn received(status: EarlyDataStatus) -> Option<String> {
    match status {
        EarlyDataStatus::Accepted { bytes } => {
            Some(format!("{bytes} bytes of early data, which could be a replay"))
        }
        EarlyDataStatus::Rejected { reason, .. } => Some(format!("early data refused: {}", why(reason))),
        _ => None,
    }
}

/// Why early data was refused.
pub(crate) fn why(reason: EarlyDataRejection) -> &'static str {
    match reason {
        EarlyDataRejection::Disabled => "it is not switched on",
        EarlyDataRejection::Version => "another version of TLS was chosen",
        EarlyDataRejection::HelloRetryRequest => "a HelloRetryRequest was needed",
        EarlyDataRejection::NotResumed => "the session was not resumed",
        EarlyDataRejection::PeerDeclined => "the server declined, and does not say why",
        EarlyDataRejection::UnsupportedForSession => "the session does not allow it",
        EarlyDataRejection::Alpn => "the application protocol is another than the session's",
        EarlyDataRejection::TicketAge => "the ticket's age is not what the clock says",
        EarlyDataRejection::Replay => {
            "the replay guard declined: it was seen before, or cannot be judged here"
        }
        _ => "for another reason",
    }
}
