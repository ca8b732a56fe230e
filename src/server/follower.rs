//! Where the requests of a connection end, and whether the bytes that came end in the middle of a head.
//!
//! actix takes whatever has come, however many requests that are, and nobody sees that it does. This serves limits on time
//! and memory and nothing else: what a request is, actix alone says. Where the two could differ, nothing is known from then
//! on: the connection counts as idle between two requests, and is read in small steps.

/// The longest begin of a line that matters: the name of a header and a number.
const LONGEST: usize = 48;

/// The longest head, in bytes. actix has 128 KiB, and takes more where it comes at once.
const LONGEST_HEAD: usize = 32 * 1024;

/// So many bytes at a time go by where the end of a request is not known.
const STEP: usize = 256;

/// Follows the requests of one connection.
#[derive(Debug, Default)]
pub(super) struct Follower {
    place: Place,
    /// The begin of the line that is being read.
    line: Vec<u8>,
    /// Whether that line is longer than what is kept of it.
    is_cut: bool,
    /// Bytes of the head that is being read.
    head: usize,
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
    /// Goes on by the bytes that came, to the end of a request at the most, or to where a head is too long. How many of them
    /// that were.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> usize {
        let mut followed = 0;
        while let Some(rest) = bytes.get(followed..).filter(|rest| !rest.is_empty()) {
            let (before, begin) = (self.place, followed);
            followed += match before {
                Place::Lost => rest.len().min(STEP),
                Place::Body(left) | Place::Chunk(left) => self.skip(left, rest.len()),
                Place::Between
                | Place::Head { .. }
                | Place::ChunkSize
                | Place::ChunkEnd
                | Place::Trailers => self.read_line(rest),
            };
            if matches!(before, Place::Between | Place::Head { .. }) {
                self.head += followed - begin;
                if self.is_head_too_long() {
                    break;
                }
            }
            if !self.is_in_head() {
                self.head = 0;
            }
            let is_end = before != Place::Between && self.place == Place::Between;
            if is_end || before == Place::Lost {
                break;
            }
        }
        followed
    }

    /// Whether a head is longer than any may be. It stays so.
    pub(super) fn is_head_too_long(&self) -> bool {
        self.head > LONGEST_HEAD
    }

    /// Whether nothing of a request is missing, as far as that is known.
    pub(super) fn is_between(&self) -> bool {
        self.place == Place::Lost || self.place == Place::Between && !self.is_in_head()
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
        for mut piece in bytes.chunks(piece) {
            while !piece.is_empty() {
                piece = &piece[follower.follow(piece)..];
            }
        }
        follower.is_in_head()
    }

    #[test]
    fn it_stops_at_the_end_of_each_request_and_goes_in_small_steps_where_that_is_not_known() {
        let mut follower = Follower::default();
        for request in [GET, SIZED, CHUNKED, GET] {
            let rest = format!("{request}{GET}{}", CHUNKED.repeat(9));
            assert!(follower.is_between());
            assert_eq!(follower.follow(rest.as_bytes()), request.len());
        }
        follower.follow(b"GET / HTTP/1.1\r\n");
        assert!(!follower.is_between());
        follower.follow(b"Content-Length: x\r\n");
        assert_eq!(follower.follow(GET.repeat(99).as_bytes()), STEP);
        assert!(follower.is_between());
    }

    #[test]
    fn a_head_is_too_long_however_it_is_cut_and_bodies_are_none_of_it() {
        let long = |length| format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(length));
        for (bytes, is_too_long) in [
            (long(LONGEST_HEAD - 100), false),
            (long(LONGEST_HEAD), true),
            (GET.replace("\r\n\r\n", &"\r\nX: a".repeat(LONGEST_HEAD / 6)), true),
            (format!("POST / HTTP/1.1\r\nContent-Length: 40000\r\n\r\n{}", "\n".repeat(40_000)), false),
            (long(20_000).repeat(3), false),
            ("\r\n".repeat(LONGEST_HEAD), false),
        ] {
            for piece in [100, 5000, bytes.len()] {
                let mut follower = Follower::default();
                for mut piece in bytes.as_bytes().chunks(piece) {
                    while !piece.is_empty() && !follower.is_head_too_long() {
                        piece = &piece[follower.follow(piece)..];
                    }
                }
                assert_eq!(follower.is_head_too_long(), is_too_long, "{}", &bytes[..40]);
            }
        }
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
