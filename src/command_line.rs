//! The command line: what each command does and how it ends.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, CommandFactory, Parser, Subcommand};

use indicatif::ProgressBar;

use crate::{
    api::{Knowledge, assess_body, openapi},
    assessment::Model,
    evaluation::{Outcome, Report, Thresholds, Vignette, changes, simulate},
    hardening::harden,
    health::{self, Target},
    keys::{KeyEntry, new_key},
    settings::{Overrides, Settings},
    startup::{Service, knowledge, read_folder},
    telemetry,
};

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
    /// Assess vignettes whose answer is known and print how good the answers are
    Evaluate(Evaluate),
    /// Print which vignettes another catalogue answers differently
    Diff {
        /// The folder of the old catalogue
        old: PathBuf,
        /// The folder of the new catalogue; without it, the one of --catalogue, else the embedded one
        new: Option<PathBuf>,
        /// Files of vignettes as JSON lines
        #[arg(long, required = true, value_name = "FILE")]
        vignettes: Vec<PathBuf>,
        /// Fail when the triage level of any vignette falls
        #[arg(long)]
        refuse_lower_triage: bool,
    },
    /// Print the OpenAPI document
    Openapi {
        /// As YAML
        #[arg(long)]
        yaml: bool,
    },
    /// Print the settings in force; of keys, names and SHA-256 alone
    Settings,
    /// Make keys for those who may ask
    #[command(subcommand)]
    Key(KeyCommand),
    /// Ask a running service whether it is ready; for HEALTHCHECK
    Healthcheck {
        /// Address of the service, with https:// where it has TLS; without it, the one of the settings
        url: Option<String>,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Print a new random key, and the line that lets it in
    New {
        /// Whose key it is: letters, digits, `.`, `_` and `-`
        name: String,
    },
}

#[derive(Debug, Args)]
struct Evaluate {
    /// Files of vignettes as JSON lines
    #[arg(required_unless_present = "interview")]
    files: Vec<PathBuf>,
    /// Interview patients drawn from the catalogue's own likelihoods instead
    #[arg(long)]
    interview: bool,
    /// How many patients to draw
    #[arg(long, default_value_t = 2000, requires = "interview")]
    patients: usize,
    /// The seed to draw them with
    #[arg(long, default_value_t = 1, requires = "interview")]
    seed: u64,
    /// Print everything as JSON, a row a vignette included
    #[arg(long, conflicts_with = "model_card")]
    json: bool,
    /// Print the figures as the model card holds them
    #[arg(long)]
    model_card: bool,
    /// Count every answer in full, as plain naive Bayes does; for comparison
    #[arg(long)]
    plain: bool,
    /// Print the figures of each of so many parts, taken in turn, beside the interval of all others
    #[arg(long, value_name = "PARTS", value_parser = clap::value_parser!(u8).range(2..=20), conflicts_with_all = ["json", "model_card"])]
    folds: Option<u8>,
    /// Print a row for each vignette that is not ranked first or not triaged as wanted
    #[arg(long)]
    rows: bool,
    /// Least share with a right condition first
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_top1: Option<f64>,
    /// Least share with a right condition among the first three
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_top3: Option<f64>,
    /// Most under-triage
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_under_triage: Option<f64>,
    /// Most over-triage of harmless cases
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_over_triage: Option<f64>,
    /// Most expected calibration error
    #[arg(long, value_name = "ERROR", value_parser = share)]
    max_calibration_error: Option<f64>,
}

/// A share or error from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number from 0 to 1".to_owned())?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("expected a number from 0 to 1".into()) }
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
        Command::Evaluate(wanted) => settings(&overrides).and_then(|settings| evaluate(&settings, &wanted)),
        Command::Diff { old, new, vignettes, refuse_lower_triage } => {
            let new = new.or(overrides.catalogue).unwrap_or_default();
            diff(&old, &new, &vignettes, refuse_lower_triage)
        }
        Command::Openapi { yaml } => {
            print(&if yaml { openapi::committed_yaml() } else { openapi::COMMITTED.into() })
        }
        Command::Settings => settings(&overrides).and_then(|settings| print(&settings.to_toml())),
        Command::Key(KeyCommand::New { name }) => key(&name),
        Command::Healthcheck { url } => healthcheck(url, &overrides),
        Command::Completions { shell } => completions(shell),
    };
    match ended {
        Ok(code) => code,
        Err(message) => {
            telemetry::last_words(message);
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
    let (instruments, outlets) = telemetry::start(&settings.telemetry).map_err(|error| error.to_string())?;
    harden().map_err(|error| format!("cannot turn core files off: {error}"))?;
    let served = actix_web::rt::System::new().block_on(async {
        let service = Service::start_with(settings, instruments).map_err(|error| error.to_string())?;
        if let Some(operations) = service.operations_address() {
            tracing::info!("operations at http://{operations}/metrics");
        }
        let address = format!("{}://{}", service.scheme(), service.address());
        let version = service.catalogue_version().to_owned();
        tracing::info!("listening on {address}, documentation at {address}/docs, catalogue {version}");
        service.run().await.map_err(|error| error.to_string())
    });
    outlets.end();
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
            serde_json::to_vec(&problem.body(place)).unwrap_or_default().into()
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

fn vignettes(knowledge: &Knowledge, files: &[PathBuf]) -> Result<Vec<Vignette>, String> {
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let read = Vignette::read_all(knowledge.catalogue(), &text);
        all.extend(read.map_err(|error| format!("{}: {error}", file.display()))?);
    }
    if all.is_empty() {
        return Err("there is no vignette in the files".into());
    }
    let mut ids = BTreeSet::new();
    match all.iter().find(|vignette| !ids.insert(vignette.id.as_str())) {
        Some(twice) => Err(format!("two vignettes have the id {}", twice.id)),
        None => Ok(all),
    }
}

/// Outcomes with a progress bar, which shows itself on a terminal only.
fn outcomes(knowledge: &Knowledge, model: &Model, vignettes: &[Vignette]) -> Vec<Outcome> {
    let bar = ProgressBar::new(u64::try_from(vignettes.len()).unwrap_or(u64::MAX));
    let assessed = vignettes.iter().map(|vignette| {
        bar.inc(1);
        Outcome::of(knowledge.catalogue(), model, vignette)
    });
    let outcomes = assessed.collect();
    bar.finish_and_clear();
    outcomes
}

fn evaluate(settings: &Settings, wanted: &Evaluate) -> Ended {
    let knowledge = knowledge(&settings.catalogue.path).map_err(|error| error.to_string())?;
    if wanted.interview {
        return interview(&knowledge, wanted.patients, wanted.seed);
    }
    let vignettes = vignettes(&knowledge, &wanted.files)?;
    let catalogue = knowledge.catalogue();
    let plain = wanted.plain.then(|| Model::new(catalogue).without_dependence());
    let outcomes = outcomes(&knowledge, plain.as_ref().unwrap_or_else(|| knowledge.model()), &vignettes);
    let report = Report::of(&catalogue.about().version, catalogue.sha256(), outcomes);
    if wanted.json {
        // Texts, numbers, lists and maps with text keys: serialising cannot fail.
        print(&format!("{}\n", serde_json::to_string_pretty(&report).unwrap_or_default()))?;
    } else if wanted.model_card {
        print(&report.to_markdown())?;
    } else {
        print(&report.to_text(wanted.rows))?;
        if let Some(parts) = wanted.folds {
            print(&report.folds_to_text(parts.into()))?;
        }
    }
    let thresholds = Thresholds {
        min_top_1: wanted.min_top1,
        min_top_3: wanted.min_top3,
        max_under_triage: wanted.max_under_triage,
        max_over_triage: wanted.max_over_triage,
        max_calibration_error: wanted.max_calibration_error,
    };
    let missed = thresholds.missed(&report);
    if missed.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(missed.join("\n")) }
}

/// Interviews simulated patients; fails where the promises of the interview are not kept.
fn interview(knowledge: &Knowledge, patients: usize, seed: u64) -> Ended {
    let bar = ProgressBar::new(u64::try_from(patients).unwrap_or(u64::MAX));
    let simulation = simulate(knowledge.catalogue(), knowledge.model(), patients, seed, || bar.inc(1));
    bar.finish_and_clear();
    print(&simulation.to_text(knowledge.catalogue(), knowledge.model()))?;
    let missed = simulation.missed();
    if missed.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(missed.join("\n")) }
}

fn diff(old: &Path, new: &Path, files: &[PathBuf], refuse_lower_triage: bool) -> Ended {
    let old = knowledge(old).map_err(|error| error.to_string())?;
    let new = knowledge(new).map_err(|error| error.to_string())?;
    let vignettes = vignettes(&new, files)?;
    let (mut known, mut passed_over) = (Vec::new(), 0);
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let (fitting, others) = Vignette::read_known(old.catalogue(), &text);
        known.extend(fitting);
        passed_over += others;
    }
    if passed_over > 0 {
        print(&format!("passed over, because the old catalogue lacks an id: {}\n", counted(passed_over)))?;
    }
    let before = outcomes(&old, old.model(), &known);
    let after = outcomes(&new, new.model(), &vignettes);
    let changes = changes(&before, &after);
    for change in &changes {
        print(&format!("{}: {}\n", change.id, change.what.join("; ")))?;
    }
    let fell = changes.iter().filter(|change| change.triage_fell).count();
    print(&format!(
        "{} of {} changed, the triage level of {fell} fell\n",
        changes.len(),
        counted(after.len())
    ))?;
    if refuse_lower_triage && fell > 0 {
        Err(format!("the triage level of {} fell", counted(fell)))
    } else {
        Ok(ExitCode::SUCCESS)
    }
}

/// A number of vignettes in words.
fn counted(vignettes: usize) -> String {
    let plural = if vignettes == 1 { "" } else { "s" };
    format!("{vignettes} vignette{plural}")
}

/// Asks the service at an address, else the one of the settings.
fn healthcheck(url: Option<String>, overrides: &Overrides) -> Ended {
    let target = match url {
        Some(url) => Target::of_url(&url),
        None => {
            let settings = settings(overrides)?;
            Target::of_listener(settings.server.listen, settings.tls.is_on())
        }
    };
    health::ask(&target).map(|()| ExitCode::SUCCESS)
}

/// Makes a key. Nothing keeps it: it is shown this once, and the settings take its SHA-256.
fn key(name: &str) -> Ended {
    let key = new_key().map_err(|error| format!("no random numbers can be had: {error}"))?;
    let entry = KeyEntry::of(name, &key).map_err(|fault| fault.to_string())?;
    print(&format!(
        "The key, shown this once. Its bearer sends it as `Authorization: Bearer KEY` or `X-API-Key: KEY`:\n\n\
         {key}\n\n\
         What lets it in, in a file of settings:\n\n\
         [auth]\nkeys = [\"{entry}\"]\n\n\
         or as a variable; commas part several:\n\n\
         COXA__AUTH__KEYS={entry}\n"
    ))
}

fn completions(shell: clap_complete::Shell) -> Ended {
    clap_complete::generate(shell, &mut CommandLine::command(), "coxa", &mut io::stdout());
    Ok(ExitCode::SUCCESS)
}
