//! The binary: settings, commands, and how the parts are put together.

mod backup;
mod client;
mod columns;
mod config;
mod connections;
mod database;
mod delivering;
mod demo;
mod invitations;
mod keys;
mod listen;
mod log;
mod master_key;
mod members;
mod organizations;
mod receiver;
mod report;
mod serve;
mod system;
mod terminal;
mod worker;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use terminal::{BAD, Styled, say_aside};

/// For the embedded database, too: it and the server allocate all the time, in small pieces that are freed by other threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tells people's systems that a test run of their AI agent is finished: signed, retried, and visible afterwards.
#[derive(Parser)]
#[command(version, max_term_width = 100, after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  preclinical-webhooks demo
  preclinical-webhooks serve
  preclinical-webhooks keys create --name ci
  preclinical-webhooks report results.xml --agent \"Triage agent\" --create-agent
  preclinical-webhooks listen --fail 503x2";

#[derive(Subcommand)]
enum Command {
    /// Serve the API and send webhooks
    Serve(serve::ServeArgs),
    /// Send webhooks beside nodes that serve the API
    Worker(worker::WorkerArgs),
    /// Manage API keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Manage members, who sign in to the pages
    #[command(subcommand)]
    Members(members::MembersCommand),
    /// Manage organizations, the tenants of one installation
    #[command(subcommand)]
    Organizations(organizations::OrganizationsCommand),
    /// Copy the embedded database, also while it is served
    Backup(backup::BackupArgs),
    /// Turn result files of test tools into one finished run
    Report(report::ReportArgs),
    /// Receive webhooks on this machine, verify and print them
    Listen(listen::ListenArgs),
    /// See everything work on this machine: server, receivers, runs, retries, history
    Demo(demo::DemoArgs),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

fn main() -> ExitCode {
    let outcome = match CommandLine::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Worker(args) => wait_for(worker::run(args)),
        Command::Keys(command) => wait_for(keys::run(command)),
        Command::Members(command) => wait_for(members::run(command)),
        Command::Organizations(command) => wait_for(organizations::run(command)),
        Command::Backup(args) => wait_for(backup::run(args)),
        Command::Report(args) => wait_for(report::run(args)),
        Command::Listen(args) => wait_for(listen::run(args)),
        Command::Demo(args) => wait_for(demo::run(args)),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut CommandLine::command(), "preclinical-webhooks", &mut std::io::stdout());
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_aside(format_args!("{}: {error:#}", Styled(BAD, "error")));
            ExitCode::FAILURE
        }
    }
}

fn wait_for(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(command)
}
