//! Connections: how many there are, how long each may be held, and which thread serves them.
//!
//! What a request asks for is not known here; `crate::api` answers it. Signals and the order of stopping are in
//! `crate::startup`.

mod deadline;
mod follower;
mod pieces;
mod refusal;
mod room;
mod stream;
mod tls;

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use actix_http::{HttpService, error::DispatchError};
use actix_server::Server;
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{AppConfig, ServiceRequest, ServiceResponse},
    rt::{self, net::TcpStream},
};
use tokio::{net::TcpSocket, time::sleep_until};

use crate::api::{Backlog, HeadRefusals};
pub use deadline::Limits;
use deadline::Timed;
use pieces::Pieces;
use room::Room;
use stream::Stream;
pub use tls::{CertificateFault, CertificateFiles, CertificateTexts, LiveTls, UsableCertificate};

/// Connections that the kernel holds for the service before it accepts them.
const ACCEPT_QUEUE: u32 = 1024;

/// What the kernel may hold of a connection in each direction, in bytes; Linux takes it twice. By itself it takes
/// megabytes for a client that is slow, and in a container they count as the service's memory.
const SOCKET_BUFFER: u32 = 64 * 1024;

/// How long actix waits for a client to take in an answer before it closes the connection.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How often a worker shows that it is not behind.
const PROBE_INTERVAL: Duration = Duration::from_millis(5);

/// What the server bears.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// Threads that serve, at least 1.
    pub workers: usize,
    /// Connections of all workers together. More than that wait to be accepted.
    pub max_connections: usize,
    /// How long each connection may be held.
    pub limits: Limits,
    /// How far a worker may be behind before it turns requests away; none for any time.
    pub max_queue_delay: Option<Duration>,
    /// For requests in flight once the server stops, in seconds.
    pub shutdown_timeout: u64,
}

/// Begins to listen and returns the server with its address. It serves while it is polled, and takes no signals.
///
/// `app` makes the application that answers, once for each worker; with `tls`, nothing is said in plain. `refusals` answers what
/// never comes to it.
///
/// # Errors
/// When the address cannot be listened on.
pub fn listen<A, T, B>(
    address: SocketAddr,
    capacity: Capacity,
    tls: Option<LiveTls>,
    refusals: HeadRefusals,
    app: A,
) -> io::Result<(Server, SocketAddr)>
where
    A: Fn() -> App<T> + Send + Clone + 'static,
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    T::Future: 'static,
    T::Service: 'static,
    B: MessageBody + Unpin + 'static,
{
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Each connection inherits what follows.
    // An answer is sent at once: held back until the client has confirmed the one before, it would wait 40 ms.
    socket.set_nodelay(true)?;
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.bind(address)?;
    let listener = socket.listen(ACCEPT_QUEUE)?.into_std()?;
    let address = listener.local_addr()?;
    // actix counts for each worker.
    let connections = (capacity.max_connections / capacity.workers).max(1);
    let builder = Server::build()
        .workers(capacity.workers)
        .max_concurrent_connections(connections)
        .shutdown_timeout(capacity.shutdown_timeout)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let builder = builder.listen("http", listener, move || {
        let app = app().app_data(capacity.max_queue_delay.map(probe));
        let app = map_config(app, |()| AppConfig::default())
            .map(|answer: ServiceResponse<B>| answer.map_body(|_, body| Pieces::new(body)))
            .map_err(|error: Error| actix_http::Response::from(error.error_response()));
        let stopping = stopping.clone();
        let http = HttpService::build()
            // Idle connections close when the server stops.
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(capacity.limits.idle)
            // `Timed` does it, for the first request and for all that follow.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .local_addr(address)
            .on_connect_ext(|stream: &Timed<Stream>, data| {
                data.insert(stream.exchange().clone());
            })
            .h1(app);
        opened(capacity.limits, tls.clone(), Room::new(connections), refusals.clone()).and_then(http)
    })?;
    Ok((builder.run(), address))
}

/// Puts limits on connections before HTTP is spoken on them. The limit of the first head holds from the begin, so that
/// agreeing on TLS takes of it.
fn opened(
    limits: Limits,
    tls: Option<LiveTls>,
    room: Room,
    refusals: HeadRefusals,
) -> impl ServiceFactory<
    TcpStream,
    Config = (),
    Response = (Timed<Stream>, Option<SocketAddr>),
    Error = DispatchError,
    InitError = (),
> {
    fn_service(move |stream: TcpStream| {
        let (tls, place, refusals) = (tls.clone(), room.enter(), refusals.clone());
        async move {
            let (began, peer) = (Instant::now(), stream.peer_addr().ok());
            let stream = Stream::open(stream, tls, limits.head).await.map_err(DispatchError::Io)?;
            Ok((Timed::new(stream, began, limits, place, refusals), peer))
        }
    })
}

/// Watches how far the worker of this thread is behind, as long as the thread serves.
fn probe(most: Duration) -> Backlog {
    let backlog = Backlog::new(most);
    let watched = backlog.clone();
    rt::spawn(async move {
        loop {
            let due = Instant::now() + PROBE_INTERVAL;
            watched.expect_back(due);
            sleep_until(due.into()).await;
        }
    });
    backlog
}
