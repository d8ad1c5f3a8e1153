//! The binary: settings, commands, and how the parts are put together.

mod config;
mod keys;
mod serve;
mod system;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tells people's systems that a test run of their AI agent is finished: signed, retried, and visible afterwards.
#[derive(Parser)]
#[command(version, max_term_width = 100, after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  preclinical-webhooks serve
  preclinical-webhooks keys create --name ci";

#[derive(Subcommand)]
enum Command {
    /// Serve the API and send webhooks
    Serve(serve::ServeArgs),
    /// Manage API keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = CommandLine::parse().command;
    let outcome = match command {
        Command::Serve(args) => serve::run(args).await,
        Command::Keys(keys::KeysCommand::Create(args)) => keys::create(args).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the one place where a command says why it failed")]
            {
                eprintln!("error: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
