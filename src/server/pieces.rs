//! The body of an answer, handed on in pieces.
//!
//! actix copies what it is handed into the buffer of the connection. A large body in one piece would be there once for each
//! client that takes it slowly.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    body::{BodySize, MessageBody},
    web::Bytes,
};

/// The longest piece, in bytes.
const LONGEST: usize = 16 * 1024;

/// A body in pieces.
pub(super) struct Pieces<B> {
    body: B,
    /// What is left of what it gave.
    rest: Bytes,
}

impl<B> Pieces<B> {
    /// Cuts a body.
    pub(super) fn new(body: B) -> Self {
        Self { body, rest: Bytes::new() }
    }
}

impl<B: MessageBody + Unpin> MessageBody for Pieces<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(context)) {
                Some(Ok(bytes)) => self.rest = bytes,
                ended => return Poll::Ready(ended),
            }
        }
        let length = self.rest.len().min(LONGEST);
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}
