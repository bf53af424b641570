//! Configurations that are replaced under live servers.

use std::fmt;
use std::sync::{Mutex, PoisonError, RwLock};

/// A configuration that can be replaced while connections are made with it: new certificates, new roots, another policy
/// for clients. Connections go on with the snapshot that they began with.
///
/// What a replacement must pass it passes when it is made: a key that is not its certificate's, or a list that no
/// handshake could use, is refused there and nothing is replaced. Ticket keys, stores and replay guards are no part of the
/// snapshot: [`ServerConfig::with_credentials`](crate::ServerConfig::with_credentials) and
/// [`with_client_auth`](crate::ServerConfig::with_client_auth) hand them on, and a configuration that is built anew is
/// given the same [`Resumption`](crate::Resumption).
///
/// ```no_run
/// # fn f(config: oxtls::ServerConfig) -> Result<(), oxtls::ConfigError> {
/// let config = oxtls::Reloadable::new(config);
/// let connection = oxtls::ServerConnection::new(&config.current());
/// config.update(|present| {
///     let renewed = oxtls::Credential::from_pem_files("server.pem", "server.key")?;
///     present.with_credentials([renewed])
/// })?;
/// # Ok(())
/// # }
/// ```
pub struct Reloadable<T> {
    present: RwLock<T>,
    /// One update at a time: one that began before another ended would undo it.
    updates: Mutex<()>,
}

impl<T: Clone> Reloadable<T> {
    /// Holds this configuration until it is replaced.
    pub const fn new(value: T) -> Self {
        Self { present: RwLock::new(value), updates: Mutex::new(()) }
    }

    /// The present configuration: a snapshot that no replacement changes.
    #[must_use]
    pub fn current(&self) -> T {
        self.present.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another in its place, and gives the former.
    pub fn replace(&self, value: T) -> T {
        let _one = self.updates.lock().unwrap_or_else(PoisonError::into_inner);
        self.put(value)
    }

    /// Makes a replacement of the present one. Updates come one after the other, so that none undoes another; connections
    /// can be made meanwhile.
    ///
    /// # Errors
    /// That of `make`: the present one stays.
    pub fn update<E>(&self, make: impl FnOnce(&T) -> Result<T, E>) -> Result<(), E> {
        let _one = self.updates.lock().unwrap_or_else(PoisonError::into_inner);
        let value = make(&self.current())?;
        self.put(value);
        Ok(())
    }

    fn put(&self, value: T) -> T {
        std::mem::replace(&mut *self.present.write().unwrap_or_else(PoisonError::into_inner), value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Reloadable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reloadable").field(&self.present).finish()
    }
}
