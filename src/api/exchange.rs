//! What a connection and the requests on it tell each other.
//!
//! A connection cannot see where one request ends and the next begins, and a handler cannot see how long its
//! connection has been held. Here they share that much. Sockets and limits on time are not here.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

/// One connection as its requests see it. A connection lives on one thread and serves one request at a time.
#[derive(Debug, Clone, Default)]
pub struct Exchange(Rc<State>);

#[derive(Debug, Default)]
struct State {
    taken: Cell<Option<Instant>>,
    unread: Cell<bool>,
    ending: Cell<bool>,
}

impl Exchange {
    /// Since when a request is being served; none between requests.
    #[must_use]
    pub fn taken(&self) -> Option<Instant> {
        self.0.taken.get()
    }

    /// Whether the last answer has been given: the client was told that the connection ends with it. What may still
    /// come is the rest of a body that nobody reads, or a request that nobody answers.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.taken().is_none() && self.0.ending.get()
    }

    /// Begins to serve a request, until the guard is dropped. A body in chunks has to be read before the connection
    /// can be used again; where the length of a body is declared, actix sees to that itself. `last` says that the
    /// client wants the connection to end with the answer.
    pub(super) fn take(&self, chunked: bool, last: bool) -> Taken {
        self.0.taken.set(Some(Instant::now()));
        self.0.unread.set(chunked);
        self.0.ending.set(last);
        Taken(self.clone())
    }

    /// Says that the body of the request has come in whole.
    pub(super) fn body_ended(&self) {
        self.0.unread.set(false);
    }
}

/// A request that is being served.
pub(super) struct Taken(Exchange);

impl Taken {
    /// Has the connection end with the answer.
    pub(super) fn end(&self) {
        self.0.0.ending.set(true);
    }

    /// Whether the connection ends with the answer: that was wanted, or parts of the body have not been read.
    pub(super) fn is_last(&self) -> bool {
        self.0.0.unread.get() || self.0.0.ending.get()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.0.ending.set(self.is_last());
        self.0.0.taken.set(None);
    }
}

/// How far a worker is behind: how long ago it should have come back to its timers.
///
/// A worker is one thread, and an assessment runs on it to its end. So requests do not wait inside the service but in
/// the worker's queue, and what is ready there is served in turn. A timer that is due waits in the same queue: the
/// time that it is late is the time that requests have waited.
#[derive(Debug, Clone)]
pub struct Backlog {
    due: Rc<Cell<Instant>>,
    most: Duration,
}

impl Backlog {
    /// For a worker that may be behind by `most`.
    #[must_use]
    pub fn new(most: Duration) -> Self {
        Self { due: Rc::new(Cell::new(Instant::now() + most)), most }
    }

    /// Says when the worker should be back at the latest.
    pub fn expect_back(&self, due: Instant) {
        self.due.set(due);
    }

    /// Whether the worker is further behind than it may be.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        Instant::now().saturating_duration_since(self.due.get()) > self.most
    }
}
