//! The server under test and a client that holds every answer against the document.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

use coxa::{
    settings::{Overrides, Settings},
    startup::Service,
};
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName},
};
use serde_json::{Value, json};

use crate::contract;

/// The case of the README.
pub fn outer_hip_case() -> Value {
    json!({
        "age": 52,
        "sex": "female",
        "present": ["loc-lateral", "onset-gradual", "night-pain-side-lying", "pain-stairs", "outer-bone-tender"],
        "absent": ["clicking-hip"]
    })
}

/// Address of the one server that all tests share.
pub fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| serve_with(&[("COXA__SERVER__WORKERS", "2")]))
}

/// Address of a new server with these variables; it lives as long as the tests.
pub fn serve_with(variables: &[(&str, &str)]) -> SocketAddr {
    let listen = Overrides { listen: Some(([127, 0, 0, 1], 0).into()), ..Overrides::default() };
    // The tests ask for much at once, of a build that is slow.
    let usual = [("COXA__TELEMETRY__ACCESS_LOG", "false"), ("COXA__SERVER__MAX_QUEUE_DELAY", "0")];
    let variables = [&usual, variables].concat();
    let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = Settings::read(&listen, variables).unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let service = Service::start(&settings).unwrap();
            sender.send(service.address()).unwrap();
            service.run().await.unwrap();
        });
        // The service takes the signals of the whole process: one that ends it must end the tests too.
        std::process::exit(130);
    });
    receiver.recv().unwrap()
}

/// An answer as it came, with its encoding taken off.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// The bytes after decoding.
    pub body: Vec<u8>,
    /// How many bytes went over the wire.
    pub sent: usize,
}

impl Answer {
    fn new(status: u16, headers: HeaderMap, raw: &[u8]) -> Self {
        let mut answer = Self { status, headers, body: raw.to_vec(), sent: raw.len() };
        if !raw.is_empty() {
            answer.body = match answer.header("content-encoding") {
                None => raw.to_vec(),
                Some("gzip") => read_all(flate2::read::GzDecoder::new(raw)),
                Some("br") => read_all(brotli::Decompressor::new(raw, 4096)),
                Some("zstd") => zstd::stream::decode_all(raw).unwrap(),
                Some(other) => panic!("unknown encoding {other}"),
            };
        }
        answer
    }

    /// A header; said twice, it is a fault.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next();
        assert!(values.next().is_none(), "{name} is said twice");
        value.map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Places, codes and suggestions of the faults that a problem lists.
    #[track_caller]
    pub fn faults(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let body = self.json();
        let errors = body["errors"].as_array().unwrap_or_else(|| panic!("no errors in {body}"));
        errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
    }
}

fn read_all(mut reader: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

/// A client of one server.
pub struct Api {
    http: reqwest::Client,
    address: SocketAddr,
}

impl Api {
    /// Of the shared server.
    pub fn new() -> Self {
        Self::at(address())
    }

    /// Of a server of its own.
    pub fn at(address: SocketAddr) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        Self { http, address }
    }

    /// Sends a request and holds the answer against the document.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        let url = format!("http://{}{path}", self.address);
        let mut request = self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body.to_vec());
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let answer = Answer::new(status, headers, &answer.bytes().await.unwrap());
        contract::check(method, path, &answer);
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, None).await
    }

    /// The JSON of an answer that must be 200.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// The entries of a list that must be there.
    pub async fn items(&self, path: &str) -> Vec<Value> {
        let list = self.read(path).await;
        list["items"].as_array().unwrap().clone()
    }

    /// Posts bytes as JSON.
    pub async fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], Some(body)).await
    }

    /// Posts bytes to be assessed, whatever comes of it.
    pub async fn try_assess(&self, body: impl AsRef<[u8]>) -> Answer {
        self.post("/v1/assessments", body.as_ref()).await
    }

    /// Posts a case that must be accepted.
    pub async fn assess(&self, case: &Value) -> Value {
        let answer = self.try_assess(case.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }
}

/// Sends bytes as they are over a socket of their own and reads one answer.
pub fn raw(bytes: &[u8]) -> Answer {
    raw_at(address(), bytes)
}

/// The same with a server of its own.
pub fn raw_at(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = connect(address, bytes);
    let mut read = Vec::new();
    let end = loop {
        // The answer may end without the connection: a refused body need not have ended.
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "no answer: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&piece[..count]);
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    let head = String::from_utf8(read[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HeaderMap = lines
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.parse::<HeaderName>().unwrap(), value.trim().parse().unwrap())
        })
        .collect();
    let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
    let mut body = read[end + 4..].to_vec();
    let begun = body.len();
    body.resize(length, 0);
    stream.read_exact(&mut body[begun..]).unwrap();
    Answer::new(status, headers, &body)
}

/// Sends bytes as they are over a socket of their own and reads all that comes until it is closed.
pub fn raw_to_end(bytes: &[u8]) -> String {
    raw_to_end_at(address(), bytes)
}

/// The same with a server of its own.
pub fn raw_to_end_at(address: SocketAddr, bytes: &[u8]) -> String {
    let mut answers = Vec::new();
    connect(address, bytes).read_to_end(&mut answers).unwrap();
    String::from_utf8(answers).unwrap()
}

fn connect(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// The longest piece of what was sent that an answer says back, in characters.
pub fn longest_echo(sent: &str, answer: &Answer) -> usize {
    let headers = answer.headers.values().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let said: Vec<String> = headers.chain([answer.text()]).collect();
    let sent: Vec<char> = sent.chars().collect();
    let (mut longest, mut begin) = (0, 0);
    while begin + longest < sent.len() {
        let piece: String = sent[begin..=begin + longest].iter().collect();
        if said.iter().any(|said| said.contains(&piece)) { longest += 1 } else { begin += 1 }
    }
    longest
}

/// Ids of a list of entries.
pub fn ids(entries: &Value) -> Vec<&str> {
    entries.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}
