//! Whether the bytes that came on a connection end in the middle of a head.
//!
//! actix takes a whole request and keeps the begin of the next one that came with it, and nobody sees that it does. This
//! serves a limit on time and nothing else: what a request is, actix alone says. Where the two could differ, nothing is
//! known from then on, and the connection counts as idle between two requests.

/// The longest begin of a line that matters: the name of a header and a number.
const LONGEST: usize = 48;

/// Follows the requests of one connection.
#[derive(Debug, Default)]
pub(super) struct Follower {
    place: Place,
    /// The begin of the line that is being read.
    line: Vec<u8>,
    /// Whether that line is longer than what is kept of it.
    is_cut: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a request. Empty lines may stand here.
    #[default]
    Between,
    /// In the headers of one whose body is so long.
    Head { length: u64, chunked: bool },
    /// So many bytes before the end of a body.
    Body(u64),
    /// In the line that says how long a chunk is.
    ChunkSize,
    /// So many bytes before the end of a chunk.
    Chunk(u64),
    /// In the line end of a chunk.
    ChunkEnd,
    /// Behind the last chunk.
    Trailers,
    /// Nobody knows.
    Lost,
}

impl Follower {
    /// Goes on by the bytes that came.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = match self.place {
                Place::Lost => return,
                Place::Body(left) | Place::Chunk(left) => self.skip(left, bytes.len()),
                Place::Between
                | Place::Head { .. }
                | Place::ChunkSize
                | Place::ChunkEnd
                | Place::Trailers => self.read_line(bytes),
            };
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    /// Whether a head has begun and has not ended.
    pub(super) fn is_in_head(&self) -> bool {
        match self.place {
            Place::Between => self.line.iter().any(|byte| *byte != b'\r'),
            Place::Head { .. } => true,
            Place::Body(_)
            | Place::ChunkSize
            | Place::Chunk(_)
            | Place::ChunkEnd
            | Place::Trailers
            | Place::Lost => false,
        }
    }

    fn skip(&mut self, left: u64, available: usize) -> usize {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(available);
        let left = left - taken as u64;
        let is_chunk = matches!(self.place, Place::Chunk(_));
        self.place = match (is_chunk, left) {
            (true, 0) => Place::ChunkEnd,
            (true, left) => Place::Chunk(left),
            (false, 0) => Place::Between,
            (false, left) => Place::Body(left),
        };
        taken
    }

    fn read_line(&mut self, bytes: &[u8]) -> usize {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let piece = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        let room = LONGEST - self.line.len();
        self.is_cut |= piece.len() > room;
        self.line.extend(piece.iter().take(room));
        let Some(end) = end else { return bytes.len() };
        self.place = self.after_line();
        self.line.clear();
        self.is_cut = false;
        end + 1
    }

    /// Where the line that has just ended leads to.
    fn after_line(&self) -> Place {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        match self.place {
            Place::Between if line.is_empty() => Place::Between,
            Place::Between => Place::Head { length: 0, chunked: false },
            Place::Head { chunked: true, .. } if line.is_empty() => Place::ChunkSize,
            Place::Head { length: 0, .. } if line.is_empty() => Place::Between,
            Place::Head { length, .. } if line.is_empty() => Place::Body(length),
            Place::Head { length, chunked } => match header(line) {
                Some(Header::Length(_)) if self.is_cut => Place::Lost,
                Some(Header::Length(Some(length))) => Place::Head { length, chunked },
                Some(Header::Length(None)) => Place::Lost,
                Some(Header::Chunked) => Place::Head { length, chunked: true },
                None => Place::Head { length, chunked },
            },
            Place::ChunkSize => match chunk_size(line) {
                Some(0) => Place::Trailers,
                Some(size) => Place::Chunk(size),
                None => Place::Lost,
            },
            Place::ChunkEnd if line.is_empty() => Place::ChunkSize,
            Place::Trailers if line.is_empty() => Place::Between,
            Place::Trailers => Place::Trailers,
            Place::ChunkEnd | Place::Body(_) | Place::Chunk(_) | Place::Lost => Place::Lost,
        }
    }
}

/// A header that says how long a body is.
enum Header {
    /// A number, where it is one.
    Length(Option<u64>),
    /// In chunks; actix refuses any other coding.
    Chunked,
}

fn header(line: &[u8]) -> Option<Header> {
    let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
    if name.eq_ignore_ascii_case("content-length") {
        Some(Header::Length(value.trim().parse().ok()))
    } else if name.eq_ignore_ascii_case("transfer-encoding") {
        Some(Header::Chunked)
    } else {
        None
    }
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = std::str::from_utf8(line).ok()?.split(';').next()?;
    u64::from_str_radix(size.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const SIZED: &str = "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\nG\n";
    const CHUNKED: &str =
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nGET\r\n0\r\nA: b\r\n\r\n";

    fn is_in_head(bytes: &[u8], piece: usize) -> bool {
        let mut follower = Follower::default();
        for piece in bytes.chunks(piece) {
            follower.follow(piece);
        }
        follower.is_in_head()
    }

    #[test]
    fn half_a_head_is_seen_behind_any_whole_requests_however_the_bytes_are_cut() {
        for before in ["", GET, SIZED, CHUNKED, "\r\n", "GET / HTTP/1.0\n\n"] {
            for then in ["", GET, SIZED, CHUNKED] {
                let whole = format!("{before}{then}");
                for piece in 1..=whole.len().max(1) {
                    assert!(!is_in_head(whole.as_bytes(), piece), "{whole:?}");
                    for half in ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX-Half: "] {
                        assert!(is_in_head(format!("{whole}{half}").as_bytes(), piece), "{whole:?}{half:?}");
                    }
                    // Lines without anything in front of a request are none of it.
                    for nothing in ["\r", "\r\n", "\r\n\r\n"] {
                        assert!(!is_in_head(format!("{whole}{nothing}").as_bytes(), piece), "{whole:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn half_a_body_and_what_cannot_be_told_count_as_no_head() {
        for half in [
            "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nGET / H",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nGET / H",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nGETxx\r\nGET",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nGET",
            "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\nGET",
            "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999999\r\n\r\nGET",
            "POST / HTTP/1.1\r\nContent-Length:                                          4\r\n\r\nGET / GET",
        ] {
            for piece in 1..=half.len() {
                assert!(!is_in_head(half.as_bytes(), piece), "{half:?}");
            }
        }
    }
}
