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
///
/// A burst may wait for the whole of the time that is set. A worker that has been that far behind is held to a part
/// of it until it has kept to that for a while: then the requests that it turns away hear so at once, and those that it
/// takes do not wait either, while it has no less to do.
#[derive(Debug, Clone)]
pub struct Backlog(Rc<Waiting>);

#[derive(Debug)]
struct Waiting {
    due: Cell<Instant>,
    most: Duration,
    /// When it may again be behind by `most`.
    strict_until: Cell<Instant>,
}

impl Backlog {
    /// The part of the time that a worker may be behind once it has been behind for all of it.
    const STRICT: u32 = 16;

    /// For how long it has to keep to that part.
    const CALM: Duration = Duration::from_secs(1);

    /// For a worker that may be behind by `most`.
    #[must_use]
    pub fn new(most: Duration) -> Self {
        let now = Instant::now();
        Self(Rc::new(Waiting { due: Cell::new(now + most), most, strict_until: Cell::new(now) }))
    }

    /// Says when the worker should be back at the latest.
    pub fn expect_back(&self, due: Instant) {
        self.0.due.set(due);
    }

    /// Whether the worker is further behind than it may be.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.is_too_long_at(Instant::now())
    }

    fn is_too_long_at(&self, now: Instant) -> bool {
        let Waiting { due, most, strict_until } = &*self.0;
        let most = if now < strict_until.get() { *most / Self::STRICT } else { *most };
        let is_too_long = now.saturating_duration_since(due.get()) > most;
        if is_too_long {
            strict_until.set(now + Self::CALM);
        }
        is_too_long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_may_wait_and_whoever_was_too_late_is_held_to_less_until_it_is_calm() {
        let backlog = Backlog::new(Duration::from_millis(200));
        let begin = Instant::now();
        let after = |milliseconds| begin + Duration::from_millis(milliseconds);
        let is_too_long = |milliseconds| backlog.is_too_long_at(after(milliseconds));
        backlog.expect_back(begin);
        assert!(!is_too_long(200));
        assert!(is_too_long(201));
        backlog.expect_back(after(300));
        assert!(!is_too_long(312));
        assert!(is_too_long(313));
        // A second after it was last too late.
        backlog.expect_back(after(1300));
        assert!(!is_too_long(1313) && !is_too_long(1500));
        assert!(is_too_long(1501));
    }
}
