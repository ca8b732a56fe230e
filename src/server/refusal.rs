//! Bare refusals of actix, and what is said in their place.
//!
//! Where bytes are no request, actix answers 400 or 431 by itself: without a body, without the headers that every answer
//! has, and after an answer on the same connection without saying that it closes. No middleware sees that answer. Here it
//! is found among the bytes that are about to be written.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::api::HeadFault;

/// How a bare refusal begins. Answers of our own may begin so too, and have more headers.
const BEGINNINGS: [(&[u8], HeadFault); 2] = [
    (b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n", HeadFault::Malformed),
    (b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n", HeadFault::TooLarge),
];

/// No bare refusal is longer: the longer beginning, `connection: close` and the date.
const LONGEST: usize = 128;

/// Where a bare refusal begins, if bytes that are to be written end with one. Nothing is written after it.
pub(super) fn find_refusal(bytes: &[u8]) -> Option<(usize, HeadFault)> {
    // Most answers end with a body, so this is all that they cost.
    let head = bytes.strip_suffix(b"\r\n\r\n")?;
    let least = head.len().saturating_sub(LONGEST);
    let tail = head.get(least..)?;
    BEGINNINGS.iter().find_map(|(beginning, fault)| {
        let place = tail.windows(beginning.len()).rposition(|window| window == *beginning)?;
        let rest = tail.get(place + beginning.len()..)?;
        // Beyond it there is no other head, and none of a handler.
        let bare = rest
            .split(|byte| *byte == b'\n')
            .all(|line| line.is_empty() || line.starts_with(b"date: ") || line.starts_with(b"connection: "));
        bare.then_some((least + place, *fault))
    })
}

/// How long a client may go on sending before the connection is closed. Closed at once, a connection on which bytes wait
/// unread is reset, and with it goes the answer that the client has not read yet.
const LINGER: Duration = Duration::from_secs(1);

/// A problem on its way to the client, and the end of the connection after it.
pub(super) struct Refusal {
    bytes: Vec<u8>,
    written: usize,
    linger: Option<Pin<Box<Sleep>>>,
}

impl Refusal {
    /// Of the bytes of an answer.
    pub(super) const fn new(answer: Vec<u8>) -> Self {
        Self { bytes: answer, written: 0, linger: None }
    }

    /// Writes the answer, says that nothing follows, and reads on until the client has ended or has had its time.
    pub(super) fn poll<S: AsyncRead + AsyncWrite>(
        &mut self,
        mut stream: Pin<&mut S>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(rest) = self.bytes.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(stream.as_mut().poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        let linger = self.linger.get_or_insert_with(|| {
            // What TLS still has to say goes out while the client is waited for, or never.
            let _ = stream.as_mut().poll_shutdown(context);
            Box::pin(sleep(LINGER))
        });
        while linger.as_mut().poll(context).is_pending() {
            let mut unread = [0; 4096];
            let mut unread = ReadBuf::new(&mut unread);
            match ready!(stream.as_mut().poll_read(context, &mut unread)) {
                Ok(()) if !unread.filled().is_empty() => {}
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_refusal_is_found_behind_answers_and_nothing_else_is() {
        let date = "date: Mon, 23 Nov 2026 12:55:51 GMT\r\n\r\n";
        let malformed = format!("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n{date}");
        let too_large = format!(
            "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n{date}"
        );
        let answer = format!("HTTP/1.1 204 No Content\r\nx-request-id: a\r\n{date}");
        for (text, found) in [
            (malformed.clone(), Some((0, HeadFault::Malformed))),
            (too_large.clone(), Some((0, HeadFault::TooLarge))),
            (format!("{answer}{malformed}"), Some((answer.len(), HeadFault::Malformed))),
            (format!("{answer}{answer}{too_large}"), Some((2 * answer.len(), HeadFault::TooLarge))),
            (answer.clone(), None),
            (format!("{malformed}{answer}"), None),
            (malformed.replace("date", "x-request-id: a\r\ndate"), None),
            (malformed.replace("length: 0", "length: 2"), None),
            (malformed.trim_end().to_owned(), None),
            (String::new(), None),
            ("\r\n\r\n".to_owned(), None),
        ] {
            assert_eq!(find_refusal(text.as_bytes()), found, "{text}");
        }
    }
}
