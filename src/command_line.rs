//! The command line: what each command does and how it ends.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::{
    api::{Knowledge, assess_body, openapi},
    settings::{Overrides, Settings},
    startup::{Service, knowledge, read_folder},
    telemetry,
};

/// The longest wait for an answer of a health check.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// Hip pain in runners: what it may be, how urgent it is, which step of care comes next.
///
/// Information, not a diagnosis. Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "coxa", version, propagate_version = true, max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Options {
    /// Address and port to listen on
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// A folder with a catalogue that replaces the embedded one
    #[arg(long, global = true, value_name = "FOLDER")]
    catalogue: Option<PathBuf>,
    /// A file with settings; `coxa settings` prints every key
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve requests (the default)
    Serve,
    /// Assess one case, or one a line, and print what the service would answer
    Assess {
        /// A file with a case as JSON; `-` reads standard input
        #[arg(default_value = "-")]
        file: PathBuf,
        /// Read one case a line and print one answer a line; a bad line gets a problem and the rest go on
        #[arg(long)]
        ndjson: bool,
    },
    /// Print every fault of a catalogue, where it stands and how to mend it
    Check {
        /// The catalogue's folder; without it, the embedded catalogue
        folder: Option<PathBuf>,
    },
    /// Print the OpenAPI document
    Openapi {
        /// As YAML
        #[arg(long)]
        yaml: bool,
    },
    /// Print the settings in force
    Settings,
    /// Ask a running service whether it is ready; for HEALTHCHECK
    Healthcheck {
        /// Address of the service; without it, the one of the settings
        url: Option<String>,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let line = CommandLine::parse();
    let overrides = Overrides {
        file: line.options.config,
        listen: line.options.listen,
        catalogue: line.options.catalogue,
    };
    let ended = match line.command.unwrap_or(Command::Serve) {
        Command::Serve => settings(&overrides).and_then(|settings| serve(&settings)),
        Command::Assess { file, ndjson } => settings(&overrides).and_then(|settings| {
            let knowledge = knowledge(&settings.catalogue.path).map_err(|error| error.to_string())?;
            assess(&knowledge, &file, ndjson)
        }),
        Command::Check { folder } => check(folder.as_deref().or(overrides.catalogue.as_deref())),
        Command::Openapi { yaml } => {
            print(&if yaml { openapi::committed_yaml() } else { openapi::COMMITTED.into() })
        }
        Command::Settings => settings(&overrides).and_then(|settings| print(&settings.to_toml())),
        Command::Healthcheck { url } => healthcheck(url, &overrides),
        Command::Completions { shell } => completions(shell),
    };
    match ended {
        Ok(code) => code,
        Err(message) => {
            eprintln!("coxa: {message}");
            ExitCode::FAILURE
        }
    }
}

type Ended = Result<ExitCode, String>;

fn settings(overrides: &Overrides) -> Result<Settings, String> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Settings::read(overrides, variables).map_err(|error| error.to_string())
}

fn print(text: &str) -> Ended {
    io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn serve(settings: &Settings) -> Ended {
    telemetry::start(&settings.telemetry);
    let served = actix_web::rt::System::new().block_on(async {
        let service = Service::start(settings).map_err(|error| error.to_string())?;
        let address = service.address();
        let version = service.catalogue_version().to_owned();
        tracing::info!(
            "listening on http://{address}, documentation at http://{address}/docs, catalogue {version}"
        );
        service.run().await.map_err(|error| error.to_string())
    });
    served.map(|()| ExitCode::SUCCESS)
}

fn assess(knowledge: &Knowledge, file: &Path, ndjson: bool) -> Ended {
    let failed = |error: io::Error| format!("{}: {error}", file.display());
    let mut input: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(file).map_err(failed)?))
    };
    let mut output = BufWriter::new(io::stdout().lock());
    let mut good = true;
    let mut one = |case: &[u8], place: &str| -> io::Result<()> {
        let answer = assess_body(knowledge, case).unwrap_or_else(|problem| {
            good = false;
            // Texts and numbers: serialising cannot fail.
            serde_json::to_vec(&problem.body(place)).unwrap_or_default()
        });
        output.write_all(&answer)?;
        output.write_all(b"\n")
    };
    if ndjson {
        let mut line = Vec::new();
        let mut number = 0_u64;
        while input.read_until(b'\n', &mut line).map_err(failed)? > 0 {
            number += 1;
            if !line.trim_ascii().is_empty() {
                one(line.trim_ascii(), &format!("line-{number}")).map_err(failed)?;
            }
            line.clear();
        }
    } else {
        let mut case = Vec::new();
        input.read_to_end(&mut case).map_err(failed)?;
        one(&case, "command-line").map_err(failed)?;
    }
    output.flush().map_err(failed)?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check(folder: Option<&Path>) -> Ended {
    let files = match folder {
        Some(folder) => read_folder(folder).map_err(|error| error.to_string())?,
        None => crate::catalogue::embedded(),
    };
    let knowledge = Knowledge::compile(&files).map_err(|faults| faults.to_string())?;
    let catalogue = knowledge.catalogue();
    print(&format!(
        "sound: catalogue {} with {} conditions, {} findings, {} sources\nsha256 {}\n",
        catalogue.about().version,
        catalogue.conditions().len(),
        catalogue.findings().len(),
        catalogue.sources().len(),
        catalogue.sha256()
    ))
}

/// Asks `/readyz` over a plain socket: no client library is needed for one line.
fn healthcheck(url: Option<String>, overrides: &Overrides) -> Ended {
    let address = match url {
        Some(url) => {
            let host = url.strip_prefix("http://").unwrap_or(&url);
            host.split('/').next().unwrap_or_default().to_owned()
        }
        None => {
            let listen = settings(overrides)?.server.listen;
            let host =
                if listen.ip().is_unspecified() { "127.0.0.1".to_owned() } else { listen.ip().to_string() };
            format!("{host}:{}", listen.port())
        }
    };
    let failed = |error: io::Error| format!("{address}: {error}");
    let target =
        address.to_socket_addrs().map_err(failed)?.next().ok_or(format!("{address}: no such address"))?;
    let mut stream = TcpStream::connect_timeout(&target, HEALTH_TIMEOUT).map_err(failed)?;
    stream.set_read_timeout(Some(HEALTH_TIMEOUT)).map_err(failed)?;
    stream.set_write_timeout(Some(HEALTH_TIMEOUT)).map_err(failed)?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status).map_err(failed)?;
    if status.split(' ').nth(1) == Some("200") {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(format!("{address} is not ready: {}", status.trim()))
    }
}

fn completions(shell: clap_complete::Shell) -> Ended {
    clap_complete::generate(shell, &mut CommandLine::command(), "coxa", &mut io::stdout());
    Ok(ExitCode::SUCCESS)
}
