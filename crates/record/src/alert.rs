//! Alerts as the record layer sees them: two bytes (RFC 9846 section 6). What they mean is for others to say.

use crate::error::RecordError;

/// An alert message, undigested: descriptions that nobody knows are kept as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// `warning` (1) or `fatal` (2). TLS 1.3 ignores it (RFC 9846 section 6).
    pub level: u8,
    /// The AlertDescription.
    pub description: u8,
}

impl Alert {
    /// The level of an alert that ends the connection.
    pub const FATAL: u8 = 2;
    /// The level of an alert that need not end the connection.
    pub const WARNING: u8 = 1;

    /// Whether it is sent as fatal and is no closure alert (RFC 9846 section 6.1): the connection ends by it.
    pub(crate) const fn is_fatal_error(self) -> bool {
        const CLOSE_NOTIFY: u8 = 0;
        const USER_CANCELED: u8 = 90;
        self.level == Self::FATAL && !matches!(self.description, CLOSE_NOTIFY | USER_CANCELED)
    }

    /// The two bytes that go into a record.
    #[must_use]
    pub const fn encode(self) -> [u8; 2] {
        [self.level, self.description]
    }

    /// Reads the content of an alert record, which holds exactly one alert (RFC 9846 section 5.1).
    pub(crate) fn parse(content: &[u8]) -> Result<Self, RecordError> {
        match *content {
            [level, description] => Ok(Self { level, description }),
            [] => Err(RecordError::EmptyAlert),
            _ if content.len().is_multiple_of(2) => Err(RecordError::SeveralAlerts),
            _ => Err(RecordError::MalformedAlert { length: content.len() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_record_holds_exactly_one_alert() {
        assert_eq!(Alert::parse(&[2, 40]), Ok(Alert { level: 2, description: 40 }));
        assert_eq!(Alert { level: 1, description: 0 }.encode(), [1, 0]);
        assert_eq!(Alert::parse(&[]), Err(RecordError::EmptyAlert));
        assert_eq!(Alert::parse(&[1, 0, 1, 0]), Err(RecordError::SeveralAlerts));
        assert_eq!(Alert::parse(&[1]), Err(RecordError::MalformedAlert { length: 1 }));
        assert_eq!(Alert::parse(&[1, 0, 1]), Err(RecordError::MalformedAlert { length: 3 }));
    }

    #[test]
    fn the_alert_for_a_bad_alert_follows_its_kind() {
        assert_eq!(RecordError::EmptyAlert.alert(), 10);
        assert_eq!(RecordError::SeveralAlerts.alert(), 10);
        assert_eq!(RecordError::MalformedAlert { length: 1 }.alert(), 50);
    }
}
