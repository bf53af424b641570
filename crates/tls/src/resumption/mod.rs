//! Resumption and early data: keys, stores, caches, and what a session must pass before it is believed.

mod bounded;
mod cache;
mod client;
mod fleet;
mod keys;
mod policy_hash;
mod replay;
mod server;
mod session;
mod sink;
mod store;
mod ticket;

pub use cache::SessionCache;
pub use client::SessionRefusal;
pub use fleet::FleetSeed;
pub use keys::TicketKeys;
pub use replay::{ReplayGuard, ReplayVerdict};
pub use server::Resumption;
pub use session::ClientSession;
pub use store::SessionStore;

pub(crate) use client::{ClientResumption, end_of};
pub(crate) use policy_hash::{PolicyHash, host};
pub(crate) use server::{FoundSession, Origin, ServerResumption};
pub(crate) use sink::Sink;
