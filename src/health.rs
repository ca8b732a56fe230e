//! Asking a running service whether it is ready, for probes that can only start a program.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// The longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Where a service is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Host and port.
    address: String,
    /// Whether it speaks TLS.
    tls: bool,
}

impl Target {
    /// From a host with its port, or the URL of one.
    pub(crate) fn of_url(url: &str) -> Self {
        let (tls, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://").unwrap_or(url)),
        };
        Self { address: rest.split('/').next().unwrap_or_default().to_owned(), tls }
    }

    /// Of a service on this machine that listens so.
    pub(crate) fn of_listener(listen: SocketAddr, tls: bool) -> Self {
        let host =
            if listen.ip().is_unspecified() { "127.0.0.1".to_owned() } else { listen.ip().to_string() };
        Self { address: format!("{host}:{}", listen.port()), tls }
    }
}

/// Asks `/readyz`. No client library is needed for one line.
///
/// # Errors
/// Says what stands against it when the service does not say that it is ready.
pub(crate) fn ask(target: &Target) -> Result<(), String> {
    let address = &target.address;
    let failed = |error: io::Error| format!("{address}: {error}");
    let socket =
        address.to_socket_addrs().map_err(failed)?.next().ok_or(format!("{address}: no such address"))?;
    let stream = TcpStream::connect_timeout(&socket, TIMEOUT).map_err(failed)?;
    stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
    stream.set_write_timeout(Some(TIMEOUT)).map_err(failed)?;
    let status = if target.tls {
        let client = client(socket).map_err(|error| format!("{address}: {error}"))?;
        status(StreamOwned::new(client, stream), address)
    } else {
        status(stream, address)
    };
    let status = status.map_err(failed)?;
    if status.split(' ').nth(1) == Some("200") {
        Ok(())
    } else {
        Err(format!("{address} is not ready: {}", status.trim()))
    }
}

/// The first line of the answer.
fn status(mut stream: impl Read + Write, address: &str) -> io::Result<String> {
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    Ok(status)
}

fn client(socket: SocketAddr) -> Result<ClientConnection, Error> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::IpAddress(socket.ip().into()))
}

/// Takes any certificate. Nothing is told to the service but that somebody asks, it is mostly reached by an address that
/// no certificate names, and a probe that fails because a certificate ran out would have a service restarted for it.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
