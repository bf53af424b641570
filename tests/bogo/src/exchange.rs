//! One connection over its socket: the handshake, what the test wants written, the echo, the end.

mod pump;

use std::fmt;
use std::io;

use oxtls::{ClientSession, Connection as Tls, EarlyDataStatus, SessionStore};

use crate::credentials::Candidate;
use crate::error_names;
use crate::expect;
use crate::flags::Config;
use crate::memory::{Seen, Side};
use crate::trace;

pub(crate) use pump::Happened;
use pump::Pump;

/// What the runner's first write is by default.
const INITIAL_WRITE: &[u8] = b"hello";

/// How much is read at once without `-read-size`, so that one record may take several reads.
const READ_SIZE: u32 = 512;

/// Why a connection did not go as the test wants.
pub(crate) enum Failure {
    /// The library ended it.
    Tls(oxtls::Error),
    /// The library could not seal.
    Seal(oxtls::SealError),
    /// The socket.
    Io(io::Error),
    /// An expectation was not met, or the peer ended it otherwise than the test allows.
    Unexpected(String),
}

/// What a connection is told.
pub(crate) struct Told<'c> {
    pub(crate) config: &'c Config,
    /// Once early data was refused.
    pub(crate) retry: &'c Config,
    /// It is not the test's first.
    pub(crate) again: bool,
    /// A server's sessions of TLS 1.2 that go by their IDs.
    pub(crate) ids: &'c SessionStore,
}

/// A connection of a test.
pub(crate) struct Connection<'c, R: Side> {
    pump: Pump<'c, R>,
    config: &'c Config,
    told: Told<'c>,
    /// What was written as early data is not written again, if the server took it.
    is_early_written: bool,
    /// What was more than early data may be.
    behind_early: Vec<u8>,
    /// Plaintext that the echo has not read yet.
    unread: Vec<u8>,
    key_log: String,
}

impl<'c, R: Side> Connection<'c, R> {
    /// Opens the socket and says which test this is.
    pub(crate) fn open(
        tls: Tls<R>,
        told: Told<'c>,
        ours: &'c [Candidate],
        seen: Seen,
    ) -> Result<Self, Failure> {
        let config = told.config;
        let pump = Pump::connect(tls, (config, told.retry), ours, seen)?;
        let (unread, key_log) = (Vec::new(), String::new());
        Ok(Self { pump, config, told, is_early_written: false, behind_early: Vec::new(), unread, key_log })
    }

    /// The whole life of the connection; gives the session to resume it by. However it ends, what waits is sent and the
    /// socket closed in order.
    pub(crate) fn run(mut self) -> Result<Option<ClientSession>, Failure> {
        let result = self.exchange().and_then(|()| self.check_session()).and_then(|()| self.check_messages());
        self.pump.end();
        result.map(|()| self.pump.seen.session)
    }

    /// The session of TLS 1.3 comes after the handshake.
    fn check_session(&mut self) -> Result<(), Failure> {
        let info = self.pump.tls.info();
        match info.and_then(|info| expect::unexpected_session(self.config, info, &self.pump.seen)) {
            Some(why) => Err(unexpected(why)),
            None => Ok(()),
        }
    }

    /// Every message of the connection, in its order, ours and the peer's.
    fn check_messages(&self) -> Result<(), Failure> {
        let said = trace::take();
        match &self.config.expect_msg_callback {
            Some(expected) if *expected != said.as_bytes() => {
                Err(unexpected(format!("the messages were:\n{said}")))
            }
            _ => Ok(()),
        }
    }

    fn exchange(&mut self) -> Result<(), Failure> {
        self.write_early()?;
        if !self.config.implicit_handshake {
            self.handshake()?;
        }
        self.write_exports()?;
        self.write_first()?;
        if !self.config.shim_shuts_down {
            self.echo()?;
        }
        self.shut_down()
    }

    /// A client's first write goes out as early data, if it can.
    fn write_early(&mut self) -> Result<(), Failure> {
        if !self.config.shim_writes_first || R::early_data_left(&self.pump.tls) == 0 {
            return Ok(());
        }
        self.pump.flush()?;
        if let Some(typ) = self.config.early_write_after_message {
            self.pump.receive_message(typ)?;
        }
        let data = self.config.shim_initial_write.as_deref().unwrap_or(INITIAL_WRITE);
        for _ in 0..self.config.repeat_shim_initial_write.unwrap_or(1) {
            let taken = self.pump.write_early(data, self.config.read_with_unfinished_write)?;
            self.behind_early.extend(data.iter().skip(taken));
        }
        self.is_early_written = true;
        Ok(())
    }

    /// Goes on until the handshake is done and as expected, or a server may send to a client whose early data came.
    fn handshake(&mut self) -> Result<(), Failure> {
        while self.pump.is_handshaking() && !(self.config.server && self.pump.tls.can_seal()) {
            match self.pump.next()? {
                Happened::HandshakeDone => self.check_handshake()?,
                Happened::Data(data) => self.unread.extend(data),
                Happened::Closed | Happened::Ended => return Err(unexpected("the handshake did not end")),
            }
        }
        Ok(())
    }

    fn check_handshake(&mut self) -> Result<(), Failure> {
        self.key_log = self.pump.tls.take_key_log();
        if self.config.handshake_never_done {
            crate::broken("the handshake was not to be done");
        }
        // Refused early data is known as such below, and written again.
        self.pump.tls.rejected_early_data();
        let Some(info) = self.pump.tls.info() else { crate::broken("a handshake is done without its Info") };
        self.pump.seen.has_session_id = !self.told.ids.is_empty();
        if let EarlyDataStatus::Rejected { .. } = info.early_data()
            && !self.config.server
        {
            if !self.config.expect_reject_early_data {
                return Err(unexpected("early data was rejected"));
            }
            // What was written is the writer's still; from here on the connection is one without early data.
            self.is_early_written = false;
            self.config = self.told.retry;
        }
        match expect::unexpected(self.config, self.told.again, info, self.pump.ours, &self.pump.seen) {
            Some(why) => Err(unexpected(why)),
            None => Ok(()),
        }
    }

    /// Exported keying material and traffic secrets, as application data.
    fn write_exports(&mut self) -> Result<(), Failure> {
        if let Some(length) = self.config.export_keying_material {
            self.handshake()?;
            let exported = self.export(length)?;
            self.write(&exported)?;
        }
        if self.config.export_traffic_secrets {
            self.handshake()?;
            let secrets = self.traffic_secrets()?;
            self.write(&secrets)?;
        }
        Ok(())
    }

    fn export(&mut self, length: u32) -> Result<Vec<u8>, Failure> {
        let mut out = vec![0; usize::try_from(length).unwrap_or_default()];
        let label = self.config.export_label.as_deref().unwrap_or_default();
        let label = std::str::from_utf8(label).map_err(|_| unexpected("a label that is not text"))?;
        let context = self.config.export_context.as_deref().unwrap_or_default();
        let context = self.config.use_export_context.then_some(context);
        self.pump.tls.export(label, context, &mut out).map_err(Failure::Tls)?;
        Ok(out)
    }

    /// The length of one secret, what we read under, what we write under: from the key log, as a user would.
    fn traffic_secrets(&self) -> Result<Vec<u8>, Failure> {
        let secret = |label: &str| -> Result<Vec<u8>, Failure> {
            let line = self.key_log.lines().find(|line| line.starts_with(label));
            let secret = line.and_then(|line| line.rsplit(' ').next());
            let secret = secret.and_then(|hex| crate::encoding::hex(hex.as_bytes()));
            secret.ok_or_else(|| unexpected(format!("no {label} in the key log")))
        };
        let (client, server) = (secret("CLIENT_TRAFFIC_SECRET_0 ")?, secret("SERVER_TRAFFIC_SECRET_0 ")?);
        let length = u16::try_from(client.len()).unwrap_or_default().to_le_bytes();
        let (read, write) = if self.config.server { (client, server) } else { (server, client) };
        Ok([&length[..], &read, &write].concat())
    }

    fn write_first(&mut self) -> Result<(), Failure> {
        // Whether early data was taken is known only then.
        if self.is_early_written {
            self.handshake()?;
        }
        if self.is_early_written {
            let rest = std::mem::take(&mut self.behind_early);
            return self.write(&rest);
        }
        if !self.config.shim_writes_first {
            return Ok(());
        }
        let data = self.config.shim_initial_write.as_deref().unwrap_or(INITIAL_WRITE);
        for _ in 0..self.config.repeat_shim_initial_write.unwrap_or(1) {
            self.write(data)?;
        }
        Ok(())
    }

    /// Sends back every byte inverted, until the peer says or shows that it sends no more.
    fn echo(&mut self) -> Result<(), Failure> {
        let mut unfinished = self.told.config.read_with_unfinished_write;
        if unfinished && !self.told.config.shim_writes_first {
            self.handshake()?;
            self.pump.begin_write(self.config.shim_initial_write.as_deref().unwrap_or(INITIAL_WRITE))?;
        }
        loop {
            if self.config.key_update_before_read {
                self.update_keys()?;
            }
            let Some(data) = self.read()? else { return Ok(()) };
            if std::mem::take(&mut unfinished) {
                self.pump.finish_write()?;
            }
            if self.config.key_update {
                self.update_keys()?;
            }
            let inverted: Vec<u8> = data.iter().map(|byte| !byte).collect();
            self.write(&inverted)?;
        }
    }

    fn update_keys(&mut self) -> Result<(), Failure> {
        self.handshake()?;
        self.pump.tls.update_keys(false).map_err(Failure::Seal)
    }

    /// At most `-read-size` bytes; `None` at the end.
    fn read(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        while self.unread.is_empty() {
            match self.pump.next()? {
                Happened::HandshakeDone => self.check_handshake()?,
                Happened::Data(data) => self.unread = data,
                Happened::Closed => return Ok(None),
                Happened::Ended if self.pump.is_handshaking() => {
                    return Err(unexpected("the transport ended during the handshake"));
                }
                Happened::Ended => return Ok(None),
            }
        }
        if self.config.use_exporter_between_reads {
            self.export(1)?;
        }
        let size = usize::try_from(self.config.read_size.unwrap_or(READ_SIZE)).unwrap_or(usize::MAX);
        let rest = self.unread.split_off(size.min(self.unread.len()));
        Ok(Some(std::mem::replace(&mut self.unread, rest)))
    }

    fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        self.handshake()?;
        self.pump.write(data)
    }

    /// Without `-check-close-notify` the socket is just closed, as the suite's own shim does by default.
    fn shut_down(&mut self) -> Result<(), Failure> {
        if !self.config.check_close_notify {
            return Ok(());
        }
        self.handshake()?;
        self.pump.tls.close();
        self.pump.flush()?;
        while !self.pump.tls.is_peer_closed() {
            match self.pump.next()? {
                Happened::Data(_) if self.config.shim_shuts_down => {
                    return Err(unexpected(
                        ":APPLICATION_DATA_ON_SHUTDOWN: data came after our close_notify",
                    ));
                }
                Happened::Ended => {
                    return match self.pump.tls.end_of_input() {
                        Ok(()) => Err(unexpected("a truncated connection was said to be closed")),
                        Err(error) => Err(Failure::Tls(error)),
                    };
                }
                Happened::Closed | Happened::Data(_) | Happened::HandshakeDone => {}
            }
        }
        Ok(())
    }
}

fn unexpected(what: impl Into<String>) -> Failure {
    Failure::Unexpected(what.into())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(error) => write!(f, ":{}: {error}", error_names::of(error)),
            Self::Seal(error) => write!(f, "sealing failed: {error}"),
            Self::Io(error) => write!(f, "the socket failed: {error}"),
            Self::Unexpected(what) => f.write_str(what),
        }
    }
}
