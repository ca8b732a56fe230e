//! A connection that cannot be held open by a client that is slow or has gone quiet.
//!
//! actix times the head of the first request on a connection and nothing after it. Here, whatever a client does,
//! one of these limits runs: for a head, for the request that is being served, for taking the answer, for the next
//! request. It stands below HTTP, so nothing that is wrong with a request goes past it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use actix_web::web::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::{
    follower::Follower,
    refusal::{Refusal, find_refusal},
    room::Place,
    stream::Incoming,
};
use crate::api::{Exchange, HeadFault, HeadRefusals};

/// How long a connection lives on after an answer that came before the whole body did, so that the client can read it.
const LINGER: Duration = Duration::from_secs(1);

/// actix closes idle connections properly; this is behind it for those that it does not take for idle.
const IDLE_GRACE: Duration = Duration::from_secs(1);

/// Bytes that a client that is behind has to take in a second, on average. A modem of the nineties does.
const LEAST_RATE: u64 = 4096;

/// How long each part of an exchange may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first byte of a request, or from the connection's begin, to the end of the head.
    pub head: Duration,
    /// From the end of the head to the first byte of the answer; then between two pieces of the answer. A client that does
    /// not take an answer at once has this long, and a second for each [`LEAST_RATE`] bytes.
    pub answer: Duration,
    /// From an answer to the next request.
    pub idle: Duration,
}

/// What happens at the end of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The connection is closed without a word: nothing was asked, or an answer would not arrive.
    Close,
    /// The client is told that the head did not come in time.
    Answer,
}

/// A client that has not taken all that was written.
#[derive(Debug, Clone, Copy)]
struct Behind {
    since: Instant,
    /// Bytes that were taken since.
    taken: u64,
}

/// A stream with limits.
pub struct Timed<S> {
    stream: S,
    exchange: Exchange,
    limits: Limits,
    opened: Instant,
    /// The first byte since the last answer; or that answer, where half a head had come before it.
    heard: Option<Instant>,
    follower: Follower,
    /// What came behind the end of a request. It is handed on once that request is served: actix would make a request,
    /// of kilobytes each, of every few bytes that a client sends in advance.
    ahead: BytesMut,
    /// Whether a request was just handed on while there is more.
    handed_on: bool,
    /// The last byte that the client took.
    answered: Option<Instant>,
    /// Since when the client takes nothing of what is written.
    blocked: Option<Instant>,
    /// Since when it has not taken all of it.
    behind: Option<Behind>,
    /// Whether nothing is read until it has.
    is_waiting: bool,
    /// Whether only flushing showed that. What is written then is taken by TLS, not by the client.
    is_held: bool,
    refusals: HeadRefusals,
    /// What is said in place of a bare refusal.
    refusal: Option<Refusal>,
    /// Rings no later than any limit ends; then the limits are looked at. So the hot path sets no timer.
    alarm: Pin<Box<Sleep>>,
    place: Place,
}

impl<S: AsyncWrite + Unpin> Timed<S> {
    /// Sets limits to a stream whose client has been there since a moment.
    pub fn new(stream: S, opened: Instant, limits: Limits, place: Place, refusals: HeadRefusals) -> Self {
        let alarm = Box::pin(sleep(limits.step()));
        let exchange = Exchange::default();
        Self {
            stream,
            exchange,
            limits,
            opened,
            heard: None,
            follower: Follower::default(),
            ahead: BytesMut::new(),
            handed_on: false,
            answered: None,
            blocked: None,
            behind: None,
            is_waiting: false,
            is_held: false,
            refusals,
            refusal: None,
            alarm,
            place,
        }
    }

    /// What requests on it are to tell it.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The limit that runs now.
    fn limit(&self) -> (Instant, End) {
        if let Some(behind) = self.behind {
            let all = behind.since + self.limits.answer + Duration::from_secs(behind.taken / LEAST_RATE);
            (self.blocked.map_or(all, |blocked| all.min(blocked + self.limits.answer)), End::Close)
        } else if let Some(taken) = self.exchange.taken() {
            (taken + self.limits.answer, End::Close)
        } else if let (Some(answered), true) = (self.answered, self.exchange.is_ending()) {
            (answered + LINGER, End::Close)
        } else if let Some(heard) = self.heard {
            // One answer is enough.
            let how = if self.refusal.is_none() { End::Answer } else { End::Close };
            (heard + self.limits.head, how)
        } else if let Some(answered) = self.answered {
            (answered + self.limits.idle + IDLE_GRACE, End::Close)
        } else {
            (self.opened + self.limits.head, End::Close)
        }
    }

    /// Whether nothing is asked on it and all that was asked is answered.
    fn is_idle(&self) -> bool {
        self.answered.is_some()
            && self.heard.is_none()
            && self.behind.is_none()
            && self.ahead.is_empty()
            && self.exchange.taken().is_none()
            && !self.exchange.is_ending()
    }

    /// Keeps in mind since when the client takes nothing, and checks the limit where it does not.
    fn note_blocked(&mut self, taken: &Poll<io::Result<()>>, context: &mut Context<'_>) -> io::Result<()> {
        if taken.is_ready() {
            self.blocked = None;
            self.behind = None;
            self.is_held = false;
            if std::mem::take(&mut self.is_waiting) {
                context.waker().wake_by_ref();
            }
        } else {
            self.is_held |= self.blocked.is_none();
            self.falls_behind();
        }
        // Also where all is taken: nobody reads once the client has said its last, and a limit runs all the same.
        self.check(context)
    }

    fn falls_behind(&mut self) {
        let now = Instant::now();
        self.blocked.get_or_insert(now);
        self.behind.get_or_insert(Behind { since: now, taken: 0 });
    }

    /// An error where a limit has ended; else sees to it that the task is woken at its end.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while self.alarm.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let (end, how) = self.limit();
            if now >= end {
                if how == End::Answer {
                    // It fits into the empty buffer of the socket, or it is not worth a wait. TLS also says the end.
                    let answer = self.refusals.answer(HeadFault::Late);
                    let _ = Pin::new(&mut self.stream).poll_write(context, &answer);
                    let _ = Pin::new(&mut self.stream).poll_shutdown(context);
                }
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.alarm.as_mut().reset(end.min(now + self.limits.step()).into());
        }
        Ok(())
    }
}

impl Limits {
    /// A time that no limit is shorter than.
    fn step(&self) -> Duration {
        self.head.min(self.answer).min(self.idle).min(LINGER)
    }
}

impl<S: AsyncRead + AsyncWrite + Incoming + Unpin> Timed<S> {
    /// Says that a head is too long, behind all that was answered before, and ends the connection.
    fn refuse(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.behind.is_some() || self.exchange.taken().is_some() {
            self.is_waiting = true;
            return Poll::Pending;
        }
        let refusal =
            self.refusal.get_or_insert_with(|| Refusal::new(self.refusals.answer(HeadFault::TooLarge)));
        ready!(refusal.poll(Pin::new(&mut self.stream), context))?;
        Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
    }

    /// Reads on, to the end of a request at the most.
    fn read_on(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.handed_on) {
            // What was handed on is served first.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.behind.is_some() && self.follower.is_between() {
            // Whoever takes no answers is not asked for more requests.
            self.is_waiting = true;
            return Poll::Pending;
        }
        if self.follower.is_head_too_long() {
            return self.refuse(context);
        }
        let begin = buffer.filled().len();
        let mut read = Poll::Ready(Ok(()));
        if self.ahead.is_empty() {
            read = Pin::new(&mut self.stream).poll_read(context, buffer);
            let heard = buffer.filled().get(begin..).unwrap_or_default();
            let whole = self.follower.follow(heard);
            self.ahead = heard.get(whole..).unwrap_or_default().into();
            buffer.set_filled(begin + whole);
        } else {
            let fitting = self.ahead.get(..self.ahead.len().min(buffer.remaining())).unwrap_or_default();
            let whole = self.follower.follow(fitting);
            buffer.put_slice(&self.ahead.split_to(whole));
        }
        if self.follower.is_head_too_long() {
            buffer.set_filled(begin);
            return self.refuse(context);
        }
        self.handed_on = !self.ahead.is_empty();
        if let Some(handed_on) = buffer.filled().get(begin..).filter(|bytes| !bytes.is_empty()) {
            // An empty line in front of a request is none of it.
            let is_empty = handed_on.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
            if !(is_empty && self.follower.is_between()) {
                self.heard.get_or_insert_with(Instant::now);
            }
            self.place.stay();
        }
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Incoming + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // First of all, so that a client that never pauses is not let off.
        self.check(context)?;
        let read = self.read_on(context, buffer);
        if read.is_pending() && self.place.is_let_go() {
            if self.is_idle() && !self.stream.has_come() {
                // For actix, this is a client that asks no more: it closes the connection in order.
                return Poll::Ready(Ok(()));
            }
            self.place.stay();
        }
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Incoming + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = match find_refusal(bytes) {
            None => Pin::new(&mut this.stream).poll_write(context, bytes),
            // First what stands before it, by itself.
            Some((begin, _)) if begin > 0 => {
                Pin::new(&mut this.stream).poll_write(context, bytes.get(..begin).unwrap_or_default())
            }
            Some((_, fault)) => {
                let refusal = this.refusal.get_or_insert_with(|| Refusal::new(this.refusals.answer(fault)));
                refusal.poll(Pin::new(&mut this.stream), context).map_ok(|()| bytes.len())
            }
        };
        match written {
            Poll::Ready(Ok(count)) => {
                if count > 0 {
                    let now = Instant::now();
                    self.answered = Some(now);
                    self.heard = self.follower.is_in_head().then_some(now);
                    if !self.is_held {
                        self.blocked = None;
                    }
                    if let Some(behind) = &mut self.behind {
                        behind.taken += count as u64;
                    }
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                // From here on, a write that is taken shows that the client took something.
                self.is_held = false;
                self.falls_behind();
                self.check(context)?;
            }
        }
        written
    }

    // TLS holds what the socket does not take, so a client that takes nothing may only show here.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.note_blocked(&flushed, context)?;
        // actix flushes whenever there is nothing left to write.
        if flushed.is_ready() && self.is_idle() {
            self.place.rest(context.waker());
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.note_blocked(&shut, context)?;
        shut
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::{error::Elapsed, timeout},
    };

    use super::*;
    use crate::{api::Metrics, server::room::Room};

    /// Takes everything and passes nothing on, as TLS does over a socket that is full.
    struct Full;

    impl AsyncRead for Full {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl Incoming for Full {
        fn has_come(&self) -> bool {
            false
        }
    }

    impl AsyncWrite for Full {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl Incoming for DuplexStream {
        fn has_come(&self) -> bool {
            false
        }
    }

    fn refusals() -> HeadRefusals {
        HeadRefusals::new(Metrics::new(Vec::new()), 0)
    }

    /// Writes so many bytes to a client that takes some of them fifty times a second.
    async fn written(bytes: usize, taken: usize) -> io::Result<()> {
        let long = Duration::from_secs(3600);
        let limits = Limits { head: long, answer: Duration::from_secs(1), idle: long };
        let (near, mut far) = duplex(1024);
        let mut stream = Timed::new(near, Instant::now(), limits, Room::new(8).enter(), refusals());
        let answer = vec![0; bytes];
        let gives = async {
            stream.write_all(&answer).await?;
            stream.flush().await
        };
        let takes = async {
            let mut piece = vec![0; taken];
            while far.read_exact(&mut piece).await.is_ok() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            given = gives => given,
            () = takes => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    #[tokio::test]
    async fn who_takes_an_answer_drop_by_drop_is_let_go_and_who_is_merely_slow_is_not() {
        let ended = timeout(Duration::from_secs(20), written(256 * 1024, 16)).await.unwrap();
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // This takes longer than the limit between two pieces.
        assert!(timeout(Duration::from_secs(20), written(256 * 1024, 4096)).await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn an_answer_that_is_held_back_below_is_not_held_for_ever() {
        let short = Duration::from_millis(20);
        let limits = Limits { head: short, answer: short, idle: Duration::from_secs(3600) };
        let ended = |waited: Result<io::Result<()>, Elapsed>| waited.unwrap().unwrap_err().kind();
        for shut in [false, true] {
            let mut stream = Timed::new(Full, Instant::now(), limits, Room::new(8).enter(), refusals());
            stream.write_all(b"an answer").await.unwrap();
            let waits = async { if shut { stream.shutdown().await } else { stream.flush().await } };
            assert_eq!(ended(timeout(Duration::from_secs(20), waits).await), io::ErrorKind::TimedOut);
        }
    }

    #[tokio::test]
    async fn another_answer_behind_one_that_is_held_back_gives_no_new_time() {
        let long = Duration::from_secs(3600);
        let limits = Limits { head: long, answer: Duration::from_millis(200), idle: long };
        let mut stream = Timed::new(Full, Instant::now(), limits, Room::new(8).enter(), refusals());
        let asks_on = async {
            loop {
                stream.write_all(b"an answer").await?;
                if let Ok(flushed) = timeout(Duration::from_millis(10), stream.flush()).await {
                    return flushed;
                }
            }
        };
        let ended = timeout(Duration::from_secs(20), asks_on).await.unwrap();
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
