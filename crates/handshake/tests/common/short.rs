//! Short names of what many tests speak of.

use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::step::Transport;
use oxtls_handshake::suite::ProtocolVersion;

pub const UM: AlertDescription = AlertDescription::UNEXPECTED_MESSAGE;
pub const IP: AlertDescription = AlertDescription::ILLEGAL_PARAMETER;
pub const DE: AlertDescription = AlertDescription::DECODE_ERROR;
pub const HF: AlertDescription = AlertDescription::HANDSHAKE_FAILURE;
pub const UE: AlertDescription = AlertDescription::UNSUPPORTED_EXTENSION;
pub const PV: AlertDescription = AlertDescription::PROTOCOL_VERSION;

pub const TLS12: ProtocolVersion = ProtocolVersion::TLS1_2;
pub const TLS13: ProtocolVersion = ProtocolVersion::TLS1_3;

pub const STREAM: Transport = Transport::Stream;
