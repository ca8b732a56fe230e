//! What the fuzz targets share: the checks, and a service to send requests to.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a target says what it found by failing"
)]

pub mod checks;

use std::{
    net::SocketAddr,
    sync::{OnceLock, mpsc},
    thread,
};

use coxa::{
    settings::{Overrides, Settings},
    startup::Service,
};

/// Address of a service in this process: its code is instrumented like everything else.
pub fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let overrides = Overrides { listen: Some(([127, 0, 0, 1], 0).into()), ..Overrides::default() };
        let variables = [("COXA__SERVER__WORKERS", "1"), ("COXA__TELEMETRY__ACCESS_LOG", "false")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings::read(&overrides, variables).unwrap();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let service = Service::start(&settings).unwrap();
                sender.send(service.address()).unwrap();
                service.run().await.unwrap();
            });
            // The service takes the signals of the whole process: one that ends it must end the target too.
            std::process::exit(130);
        });
        receiver.recv().unwrap()
    })
}
