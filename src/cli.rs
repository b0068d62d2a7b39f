//! The command line: what may be given, and what each command does.
//!
//! `main` only calls [`main`](fn@main). Exit codes: 0 done, 1 failed, 2 wrong settings or usage.

use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::config::{self, Environment, Key, Settings, Sources};
use crate::doctor;
use crate::engine::{Engine, Options};
use crate::logging;
use crate::mcp::{self, Served, Shown};
use crate::selftest::{self, Goal};
use crate::stdio;
use crate::storage::data_dir::{self, DataDir};
use crate::storage::{self, backup, default_user};
use crate::user::UserId;

/// A long-term memory for AI assistants: serves the Model Context Protocol over stdin and stdout.
#[derive(Parser)]
#[command(name = "memoryos", version)]
struct Cli {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Print whose memory this is and how it is doing, as JSON.
    Info,
    /// Copy the memory to a folder in DEST named as the user; works while it is served.
    Backup {
        /// A folder; the copy is made in it under the user's id.
        #[arg(value_name = "DEST")]
        destination: PathBuf,
    },
    /// Try the promises out on this disk: kill servers, damage, copy and move files, count losses.
    Selftest(SelftestArgs),
    /// Examine settings, folder, files and model, and say what to do; changes nothing.
    Doctor {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
        /// Try whether one user can reach another, in a temporary folder.
        #[arg(long)]
        isolation: bool,
    },
}

/// How long, where and how to try.
#[derive(Args)]
struct SelftestArgs {
    /// How long [default: 1]; fractions are allowed.
    #[arg(long, value_name = "M", value_parser = selftest::minutes)]
    minutes: Option<Duration>,
    /// Ends after so many kills, damages, copies and moves instead.
    #[arg(long, value_name = "N", conflicts_with = "minutes")]
    points: Option<NonZeroU64>,
    /// A folder on the disk to test; a temporary one is made in it [default: the data directory].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Repeats the test of this number, as far as processes can be repeated [default: another].
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Prints the figures as JSON.
    #[arg(long)]
    json: bool,
}

/// Settings; each is also an environment variable and a key of the config file.
#[derive(Args)]
struct SettingsArgs {
    /// Read settings from a JSON file.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Whose memory to serve [default: made once and remembered].
    #[arg(long, value_name = "ID", global = true)]
    user_id: Option<OsString>,
    /// The assistant's name [default: `mcp_assistant`].
    #[arg(long, value_name = "NAME", global = true)]
    assistant_id: Option<OsString>,
    /// Where memories are kept [default: `./memoryos_data`].
    #[arg(long, value_name = "DIR", global = true)]
    data_path: Option<OsString>,
    /// Where a language model is reached [default with a key: `https://api.openai.com/v1`].
    #[arg(long, value_name = "URL", global = true)]
    openai_base_url: Option<OsString>,
    /// Whether a language model may be called: on or off [default: on with a key or a base URL].
    #[arg(long, value_name = "ON|OFF", global = true)]
    llm: Option<OsString>,
    /// Which language model [default: `gpt-4o-mini`].
    #[arg(long, value_name = "NAME", global = true)]
    llm_model: Option<OsString>,
    /// Calls of the language model a day, at most [default: 200].
    #[arg(long, value_name = "N", global = true)]
    llm_daily_calls: Option<OsString>,
    /// Tokens of the language model a day, at most [default: 400000].
    #[arg(long, value_name = "N", global = true)]
    llm_daily_tokens: Option<OsString>,
    /// Which embedding model [default: built-in].
    #[arg(long, value_name = "NAME", global = true)]
    embedding_model: Option<OsString>,
    /// Memories in short-term memory [default: 10].
    #[arg(long, value_name = "N", global = true)]
    short_term_capacity: Option<OsString>,
    /// Topics in mid-term memory [default: 2000].
    #[arg(long, value_name = "N", global = true)]
    mid_term_capacity: Option<OsString>,
    /// Entries of knowledge about the user, and as many of the assistant [default: 100].
    #[arg(long, value_name = "N", global = true)]
    knowledge_capacity: Option<OsString>,
    /// Memories a search returns if the client does not say [default: 10].
    #[arg(long, value_name = "N", global = true)]
    retrieval_capacity: Option<OsString>,
    /// How hot a topic must be to be consolidated [default: 5].
    #[arg(long, value_name = "X", global = true)]
    heat_threshold: Option<OsString>,
    /// How similar a memory must be to join a topic [default: calibrated].
    #[arg(long, value_name = "X", global = true)]
    similarity_threshold: Option<OsString>,
    /// What to log on stderr: a level or filter directives [default: warn].
    #[arg(long, value_name = "FILTER", global = true)]
    log: Option<OsString>,
}

impl SettingsArgs {
    fn given(self) -> (Option<PathBuf>, Vec<(Key, OsString)>) {
        let all = [
            (Key::UserId, self.user_id),
            (Key::AssistantId, self.assistant_id),
            (Key::DataPath, self.data_path),
            (Key::BaseUrl, self.openai_base_url),
            (Key::Llm, self.llm),
            (Key::LlmModel, self.llm_model),
            (Key::LlmDailyCalls, self.llm_daily_calls),
            (Key::LlmDailyTokens, self.llm_daily_tokens),
            (Key::EmbeddingModel, self.embedding_model),
            (Key::ShortTermCapacity, self.short_term_capacity),
            (Key::MidTermCapacity, self.mid_term_capacity),
            (Key::KnowledgeCapacity, self.knowledge_capacity),
            (Key::RetrievalCapacity, self.retrieval_capacity),
            (Key::HeatThreshold, self.heat_threshold),
            (Key::SimilarityThreshold, self.similarity_threshold),
            (Key::Log, self.log),
        ];
        (self.config, all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }
}

/// A command that did not succeed.
enum Failure {
    /// The settings or the usage are wrong.
    Usage(String),
    /// Something went wrong while doing what was asked.
    Run(anyhow::Error),
}

impl Failure {
    fn usage(error: impl fmt::Display) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Does what the command line of this process asks; returns the exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(config::arguments()) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout, errors to stderr. They quote what was given.
            let visible = |given: OsString| logging::visible(&given.to_string_lossy()).into_owned();
            let shown = Cli::try_parse_from(config::arguments().map(visible)).err();
            drop(shown.as_ref().unwrap_or(&error).print());
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => {
            complain(&message);
            ExitCode::from(2)
        }
        Err(Failure::Run(error)) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Says something on stderr that nobody may miss; the log may be off or not there yet.
fn complain(message: &str) {
    drop(writeln!(std::io::stderr(), "memoryos: {}", logging::visible(message)));
}

fn run(cli: Cli) -> Result<(), Failure> {
    let (config_file, flags) = cli.settings.given();
    if let Some(Command::Doctor { json, isolation }) = cli.command {
        let request = doctor::Request { config_file, command_line: flags, isolation };
        return examine(&request, json).map_err(Failure::Run);
    }
    let settings = settings(config_file, &flags).map_err(Failure::usage)?;
    if let Some(Command::Selftest(args)) = &cli.command {
        return selftest(&settings, args).map_err(Failure::Run);
    }
    if settings.model.wanted {
        // Whatever the log shows, whoever starts this learns first what leaves the machine.
        complain(&format!("language model: {}", settings.model.describe()));
    }
    start_log(&settings);
    let (user, data_dir) = locate(&settings)?;
    if let Some(Command::Backup { destination }) = &cli.command {
        let root = data_dir.path().join(user.as_str());
        return back_up(&root, &user, destination).map_err(Failure::Run);
    }
    let options = Options {
        data_path: data_dir.path().to_owned(),
        user: user.clone(),
        assistant: settings.assistant.clone(),
        capacities: settings.capacities,
        heat_threshold: settings.heat_threshold,
        similarity_threshold: settings.similarity_threshold,
        model: cli.command.is_none().then(|| settings.model.options()).flatten(),
        embedding: cli.command.is_none().then(|| settings.model.embedding_options()).flatten(),
    };
    let engine = Engine::open(options).context("cannot open the memory").map_err(Failure::Run)?;
    let shown = Shown {
        user,
        data_dir,
        retrieval_capacity: settings.retrieval_capacity,
        model: settings.model.describe(),
    };
    let served = Served::new(engine.clone(), shown);
    match cli.command {
        Some(Command::Info) => info(&engine, &served, &mut std::io::stdout().lock()),
        _ => serve(served),
    }
    .map_err(Failure::Run)
}

fn settings(
    config_file: Option<PathBuf>,
    command_line: &[(Key, OsString)],
) -> Result<Settings, config::ConfigError> {
    let file = config_file
        .map(|path| config::file::read(&path).map(|map| (path.display().to_string(), map)))
        .transpose()?;
    let environment = Environment(&config::environment);
    config::resolve(&Sources { command_line, environment, file })
}

fn start_log(settings: &Settings) {
    logging::start(&settings.log);
    let unknown = config::unknown_variables(&config::environment_names());
    for warning in settings.warnings.iter().chain(&unknown) {
        tracing::warn!("{warning}");
    }
}

/// Finds the user and the data directory.
fn locate(settings: &Settings) -> Result<(UserId, DataDir), Failure> {
    let platform = settings.platform_data_path.as_deref();
    let data_dir =
        data_dir::prepare(settings.data_path.as_deref(), platform).map_err(Failure::usage)?;
    if data_dir.fell_back() {
        let path = data_dir.path().display();
        tracing::warn!("the working directory is not writable, memories are kept in {path}");
    }
    let user = match &settings.user {
        Some(user) => user.clone(),
        None => default_user::find_or_create(data_dir.path()).map_err(Failure::usage)?,
    };
    let folder = data_dir.user_folder(&user).map_err(Failure::usage)?;
    storage::check_owner(&folder, &user).map_err(Failure::usage)?;
    Ok((user, data_dir))
}

fn serve(served: Served) -> anyhow::Result<()> {
    // One thread: requests take effect in the order in which they are read.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let end = runtime.block_on(async {
        let stop = stop_signal()?;
        mcp::serve(served, stdio::input(), stdio::output(), stop).await
    });
    // A thread may still sit in a read of stdin that never returns.
    runtime.shutdown_timeout(Duration::from_millis(100));
    end
}

/// Returns a future that completes when the program is asked to stop.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Returns a future that completes when the program is asked to stop.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other platforms")]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn info(engine: &Engine, served: &Served, out: &mut dyn Write) -> anyhow::Result<()> {
    let info = engine.info().wait()?;
    let json = serde_json::to_string_pretty(&served.user_info(info))?;
    writeln!(out, "{json}").context("cannot write to stdout")?;
    engine.close().wait().context("cannot close the memory")
}

/// Makes the test; nothing of the user is opened, and no data directory is made.
fn selftest(settings: &Settings, args: &SelftestArgs) -> anyhow::Result<()> {
    let platform = settings.platform_data_path.as_deref();
    let places = match &args.dir {
        Some(dir) => vec![dir.clone()],
        None => data_dir::places(settings.data_path.as_deref(), platform),
    };
    let options = selftest::Options {
        program: config::program().context("cannot find the program itself")?,
        unset: Key::ALL.map(|key| key.variable().into()).into(),
        places,
        seed: args.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().1),
        goal: match args.points {
            Some(n) => Goal::Points(n.get()),
            None => Goal::Time(args.minutes.unwrap_or(Duration::from_mins(1))),
        },
    };
    let good = selftest::command(&options, args.json, &mut std::io::stdout().lock())?;
    anyhow::ensure!(good, "something was found that must not be");
    Ok(())
}

fn examine(request: &doctor::Request, json: bool) -> anyhow::Result<()> {
    let report = doctor::examine(request);
    let text = if json { report.to_json() } else { report.to_string() };
    writeln!(std::io::stdout(), "{text}").context("cannot write to stdout")?;
    anyhow::ensure!(report.n_problems() == 0, "problems were found: {}", report.n_problems());
    Ok(())
}

fn back_up(root: &Path, user: &UserId, destination: &Path) -> anyhow::Result<()> {
    let made = backup::backup(root, user, destination)?;
    let target = destination.join(user.as_str());
    writeln!(
        std::io::stdout(),
        "{} pages up to change {} copied to {}",
        made.pages,
        made.sequence_number,
        logging::visible(&target.to_string_lossy())
    )
    .context("cannot write to stdout")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_but_the_key_has_the_flag_its_errors_name() {
        for key in Key::ALL.into_iter().filter(|key| *key != Key::ApiKey) {
            let cli = Cli::try_parse_from(["memoryos", key.flag(), "x"]).ok().unwrap();
            assert_eq!(cli.settings.given().1, [(key, "x".into())]);
        }
        assert!(Cli::try_parse_from(["memoryos", "--openai-api-key", "x"]).is_err());
    }

    #[test]
    fn a_flag_given_twice_is_refused() {
        let error = Cli::try_parse_from(["memoryos", "--user-id", "a", "--user-id", "b"]).err();
        assert!(error.unwrap().use_stderr());
    }
}
