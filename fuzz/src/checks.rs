//! What must hold of any bytes whatever. Each function panics where it does not.
//!
//! The fuzz targets call these with new inputs; `tests/api/corpus.rs` calls them with the committed ones, so that a
//! plain `cargo test` tries each of them again.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use coxa::{
    api::{Knowledge, assess_body as assess},
    catalogue::{Catalogue, CatalogueFile, embedded},
    startup::read_folder,
};
use serde_json::Value;

/// The longest answer to a fault says back no more of a word than this, in characters.
const LONGEST_ECHO: usize = 64;

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::compile(&embedded()).unwrap());

/// The small catalogue that the tests of faults start from.
static SOUND: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let folder = repository().join("tests/faults/sound");
    read_folder(&folder).unwrap().into_iter().map(|file| (file.name, file.text)).collect()
});

/// The checkout, from this crate's folder or the one above.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().find(|folder| folder.join("tests/faults").is_dir()).unwrap().to_owned()
}

/// Any body comes to a whole assessment or to a problem that a client can act on, and twice to the same one.
pub fn assess_body(bytes: &[u8]) {
    match assess(&KNOWLEDGE, bytes) {
        Ok(answer) => {
            assert_eq!(assess(&KNOWLEDGE, bytes).unwrap(), answer, "the same body, other bytes");
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            let unexplained = answer["unexplained"].as_f64().unwrap();
            let shown: f64 = answer["conditions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|condition| condition["probability"].as_f64().unwrap())
                .sum();
            assert!((0.0..=1.0).contains(&unexplained) && shown <= 1.0 + 1e-9, "{unexplained} {shown}");
            assert!(answer["triage"]["level"].is_string() && answer["disclaimer"].is_string());
        }
        Err(problem) => {
            let status = problem.kind.status().as_u16();
            assert!(matches!(status, 400 | 422), "{status}");
            let body = serde_json::to_value(problem.body("fuzz")).unwrap();
            assert!(status == 400 || body["errors"].as_array().is_some_and(|errors| !errors.is_empty()));
            for error in body["errors"].as_array().into_iter().flatten() {
                let pointer = error["pointer"].as_str().unwrap();
                let deepest = pointer.split('/').map(|segment| segment.chars().count()).max().unwrap();
                // Each segment is a name of ours, a number, or a shortened word; `~` takes two characters.
                assert!(deepest <= 2 * LONGEST_ECHO + 3, "{pointer}");
            }
        }
    }
}

/// Any text in place of a file of a sound catalogue is taken, or refused with faults that name a remedy.
///
/// The first byte picks the file.
pub fn load_catalogue(bytes: &[u8]) {
    let Some((pick, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let place = usize::from(*pick) % SOUND.len();
    let files: Vec<CatalogueFile> = SOUND
        .iter()
        .enumerate()
        .map(|(at, (name, sound))| CatalogueFile {
            name: name.clone(),
            text: if at == place { text.to_owned() } else { sound.clone() },
        })
        .collect();
    match Catalogue::compile(&files) {
        Ok(_) => {
            let knowledge = Knowledge::compile(&files).unwrap();
            let answer: Value = serde_json::from_slice(&assess(&knowledge, b"{}").unwrap()).unwrap();
            assert!(answer["log_normaliser"].as_f64().is_some_and(f64::is_finite), "{answer}");
        }
        Err(faults) => {
            let text = faults.to_string();
            assert!(text.lines().count() > 1 && text.contains("remedy: "), "{text}");
        }
    }
}

/// Any body at the escalation of a condition comes to an answer or to a problem.
pub fn escalation_body(address: SocketAddr, bytes: &[u8]) {
    post(address, "/v1/conditions/gluteal-tendinopathy/escalation", bytes);
}

/// Any body at the return to running comes to an answer or to a problem.
pub fn return_to_run_body(address: SocketAddr, bytes: &[u8]) {
    post(address, "/v1/return-to-run", bytes);
}

fn post(address: SocketAddr, path: &str, bytes: &[u8]) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        bytes.len()
    );
    let (status, _, body) = exchange(address, &[head.as_bytes(), bytes].concat());
    assert!(matches!(status, 200 | 400 | 413 | 422), "{status} {}", String::from_utf8_lossy(&body));
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert!(body.is_object() && (status == 200 || body["code"].is_string()), "{body}");
}

/// Headers that the service reads: each may be anything.
const READ: [&str; 5] = ["Accept", "Accept-Encoding", "If-None-Match", "X-Request-Id", "Content-Type"];

/// Any values of the headers that the service reads come to an answer that fits them, or to a problem.
///
/// Each line is the value of one header, in the order of [`READ`].
pub fn headers(address: SocketAddr, bytes: &[u8]) {
    let mut request = b"GET /v1/conditions HTTP/1.1\r\nHost: a\r\n".to_vec();
    for (name, value) in READ.iter().zip(bytes.split(|byte| *byte == b'\n')) {
        let value: Vec<u8> =
            value.iter().copied().filter(|byte| !matches!(byte, b'\r' | 0)).take(2000).collect();
        request.extend_from_slice(name.as_bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(&value);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let (status, head, body) = exchange(address, &request);
    assert!(matches!(status, 200 | 304 | 400 | 406), "{status}: {head}");
    let of = |wanted: &str| {
        head.lines()
            .find_map(|line| line.split_once(": ").filter(|(name, _)| *name == wanted))
            .map(|(_, value)| value)
    };
    if status == 400 {
        // A value that HTTP itself forbids ends below the service.
        return;
    }
    let id = of("x-request-id").unwrap_or_else(|| panic!("no request id: {head}"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    assert!((1..=64).contains(&id.len()) && id.bytes().all(plain), "{id}");
    assert!(matches!(of("content-encoding"), None | Some("br" | "zstd" | "gzip")), "{head}");
    match status {
        200 => assert!(of("etag").is_some() && !body.is_empty(), "{head}"),
        304 => assert!(of("etag").is_some() && body.is_empty(), "{head}"),
        _ => assert_eq!(of("content-type"), Some("application/problem+json"), "{head}"),
    }
}

thread_local! {
    /// The connection of this thread, kept from one input to the next.
    static CONNECTION: RefCell<Option<TcpStream>> = const { RefCell::new(None) };
}

/// Sends one request and reads one answer: status, head, body.
fn exchange(address: SocketAddr, request: &[u8]) -> (u16, String, Vec<u8>) {
    let kept = CONNECTION.take();
    let answer = kept.and_then(|mut stream| Some((try_exchange(&mut stream, request)?, stream)));
    // The service closes a connection after some problems: then the request is sent again on a new one.
    let ((status, head, body), stream) = answer.unwrap_or_else(|| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.set_nodelay(true).unwrap();
        let answer = try_exchange(&mut stream, request)
            .unwrap_or_else(|| panic!("the service hung up without an answer"));
        (answer, stream)
    });
    if status != 400 && !head.contains("connection: close") {
        CONNECTION.set(Some(stream));
    }
    (status, head, body)
}

fn try_exchange(stream: &mut TcpStream, request: &[u8]) -> Option<(u16, String, Vec<u8>)> {
    stream.write_all(request).ok()?;
    let mut read = Vec::new();
    let mut piece = [0; 16 * 1024];
    let end = loop {
        let count = match stream.read(&mut piece) {
            // The fuzzer's own clock rings every few seconds.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.ok().filter(|count| *count > 0)?,
        };
        read.extend_from_slice(&piece[..count]);
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let mut body = read.split_off(end);
    let head = String::from_utf8_lossy(&read).to_lowercase();
    let status: u16 = head.split(' ').nth(1)?.parse().ok()?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(Some(0), |length| length.parse::<usize>().ok())?;
    let begun = body.len();
    body.resize(length.max(begun), 0);
    stream.read_exact(&mut body[begun..]).ok()?;
    Some((status, head, body))
}
