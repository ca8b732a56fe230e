//! TLS: a certificate and its key from their files, the pair in use, and the begin of a connection.
//!
//! Off unless files are named. No message here says what stands in a file: one of them holds the key.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use actix_web::rt::net::TcpStream;
use arc_swap::ArcSwap;
use rustls::{
    InconsistentKeys, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::NoServerSessionStorage,
};
use thiserror::Error;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use x509_cert::{Certificate, der::Decode};

/// Bytes of an answer that TLS holds for a client that takes nothing: one record.
const BUFFER_LIMIT: usize = 16 * 1024;

/// Where a certificate and its key are.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// PEM with the certificate of the service first, then those that lead to a known authority.
    pub certificate: PathBuf,
    /// PEM with the private key of the first certificate, without a passphrase.
    pub private_key: PathBuf,
}

/// What the two files hold.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CertificateTexts {
    certificate: Vec<u8>,
    private_key: Vec<u8>,
}

/// What connections can be answered with.
#[derive(Debug)]
pub struct UsableCertificate {
    /// The certificate with its key.
    pub config: ServerConfig,
    /// When the first of the chain runs out, in seconds since 1970; none where that cannot be read.
    pub expires: Option<i64>,
}

/// Why a certificate cannot be used. Names the setting to look at.
#[derive(Debug, Error)]
pub enum CertificateFault {
    /// A file cannot be read.
    #[error("{setting}: {path} cannot be read: {cause}")]
    Unreadable {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file has the marks of PEM and is none.
    #[error(
        "{setting}: {path} is not PEM as it should be; look at its line ends and at its lines of hyphens"
    )]
    NotPem {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A file without what it is for.
    #[error("{setting}: there is no {wanted} in {path}")]
    Missing {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What should be there.
        wanted: &'static str,
    },
    /// The key is of another certificate.
    #[error(
        "tls.private_key_file: the key in {private_key} is not that of the first certificate in {certificate}"
    )]
    OtherKey {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        private_key: PathBuf,
    },
    /// One of the two is of a sort that cannot be used.
    #[error(
        "tls.certificate_file, tls.private_key_file: {certificate} and {private_key} cannot be used: {cause}"
    )]
    Refused {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        private_key: PathBuf,
        /// Why.
        cause: rustls::Error,
    },
}

const CERTIFICATE: &str = "tls.certificate_file";
const PRIVATE_KEY: &str = "tls.private_key_file";

impl CertificateFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// [`CertificateFault::Unreadable`].
    pub fn read(&self) -> Result<CertificateTexts, CertificateFault> {
        let read = |setting, path: &Path| {
            let failed = |cause| CertificateFault::Unreadable { setting, path: path.to_owned(), cause };
            fs::read(path).map_err(failed)
        };
        Ok(CertificateTexts {
            certificate: read(CERTIFICATE, &self.certificate)?,
            private_key: read(PRIVATE_KEY, &self.private_key)?,
        })
    }

    /// What connections are answered with, where the two fit together.
    ///
    /// # Errors
    /// [`CertificateFault`] says which of the two is at fault, and why.
    pub fn check(&self, texts: &CertificateTexts) -> Result<UsableCertificate, CertificateFault> {
        // The parser's own words may say back a line of the file.
        let not_pem = |setting, path: &Path| CertificateFault::NotPem { setting, path: path.to_owned() };
        let missing = |setting, path: &Path, wanted| {
            let path = path.to_owned();
            CertificateFault::Missing { setting, path, wanted }
        };
        let chain = CertificateDer::pem_slice_iter(&texts.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| not_pem(CERTIFICATE, &self.certificate))?;
        if chain.is_empty() {
            return Err(missing(CERTIFICATE, &self.certificate, "certificate in PEM"));
        }
        let key = PrivateKeyDer::pem_slice_iter(&texts.private_key)
            .next()
            .ok_or_else(|| {
                missing(PRIVATE_KEY, &self.private_key, "private key in PEM without a passphrase")
            })?
            .map_err(|_| not_pem(PRIVATE_KEY, &self.private_key))?;
        let expires = chain.iter().filter_map(expiry).min();
        let configured = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        let (certificate, private_key) = (self.certificate.clone(), self.private_key.clone());
        let mut config = configured.map_err(|cause| {
            if cause == InconsistentKeys::KeyMismatch.into() {
                CertificateFault::OtherKey { certificate, private_key }
            } else {
                CertificateFault::Refused { certificate, private_key, cause }
            }
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Nothing of a client is kept from one connection to the next.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(UsableCertificate { config, expires })
    }
}

/// When a certificate runs out, in seconds since 1970.
fn expiry(certificate: &CertificateDer<'_>) -> Option<i64> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    i64::try_from(end.as_secs()).ok()
}

/// What new connections are answered with; a clone sees what another one replaced.
#[derive(Debug, Clone)]
pub struct LiveTls(Arc<ArcSwap<ServerConfig>>);

impl LiveTls {
    /// Begins with this one.
    #[must_use]
    pub fn new(config: ServerConfig) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(config)))
    }

    /// New connections get this one; those that are there keep theirs.
    pub fn replace(&self, config: ServerConfig) {
        self.0.store(Arc::new(config));
    }

    /// Agrees with a client on keys. How long that may take is for the caller to say.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.0.load_full())
            .accept_with(stream, |connection| connection.set_buffer_limit(Some(BUFFER_LIMIT)))
            .await
    }
}
