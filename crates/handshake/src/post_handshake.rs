//! After the handshake: messages that arrive at the reader, tickets that the writer pulls.

use core::time::Duration;

use crate::message::{HandshakeType, self};
use crate::session::Session;
use crate::step::{Failure};
