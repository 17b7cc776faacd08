//! The command line: what can be asked, with examples.
//!
//! Knows nothing of how it is answered.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::scenario::lower::REPLICATIONS_MAX;

/// A wind tunnel for container clusters on AWS.
#[derive(Debug, Parser)]
#[command(
    name = "windtunnel",
    version,
    about = "A wind tunnel for container clusters on AWS",
    long_about = "Runs a described workload through the real decisions of Amazon ECS, on EC2 and on Fargate, in \
                  virtual time: what it costs, how fast tasks start, how full machines are, and why each task is \
                  where it is.",
    after_help = "Examples:\n  windtunnel run scenarios/first-flight\n  windtunnel run scenarios/first-flight --platform ecs-fargate --set run_for=2h\n  windtunnel explain out/first-flight/ecs-ec2 front-3\n  windtunnel diff out/before out/after\n  windtunnel settings --swing scenarios/first-flight --measure cost\n  windtunnel catalog m7i"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Simulate a scenario on each of its platforms
    Run(Run),
    /// Check a scenario and its request files without running it
    Check(Check),
    /// Say why a task is where it is, or why it waits
    Explain(Explain),
    /// Explain an error code
    Error(ErrorCode),
    /// List instance types with their memory, density and price
    Catalog(Catalog),
    /// Say where two results part, and what moved
    Diff(Diff),
    /// List every setting with its default and source, or find out which of them matter
    Settings(Settings),
    /// Print the scenario language as a JSON Schema, for editors
    #[command(
        after_help = "Examples:\n  windtunnel schema > windtunnel.schema.json\n\nThen begin a scenario with this line, and editors that speak to the YAML language server check it:\n  # yaml-language-server: $schema=./windtunnel.schema.json"
    )]
    Schema,
    /// Print what a shell needs to complete commands and flags
    Completions(Completions),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  windtunnel run scenarios/first-flight\n  windtunnel run scenarios/first-flight --replications 1 --json\n  windtunnel run my.yaml --set platforms.ecs-ec2.ecs.pools.general.count=12 --seed 7 --out /tmp/what-if\n  windtunnel run my.yaml --set settings.ecs.scheduler.tick=20s\n  windtunnel run scenarios                  # every scenario below it, checked first, then run\n  windtunnel run - --out /tmp/piped < my.yaml\n\nSeveral scenarios are all checked before the first one runs; if one is wrong, none runs.\n\nExit status: 0 good, 2 wrong input, 3 a broken invariant, 4 a file could not be read or written, 130 interrupted."
)]
pub(super) struct Run {
    /// Scenario files, folders that hold `scenario.yaml`, folders of such folders; `-` is standard input
    #[arg(required = true, value_name = "SCENARIO")]
    pub(super) scenario: Vec<PathBuf>,
    /// Only this platform; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) platform: Vec<String>,
    /// The first seed; replications take the ones after it [default: the scenario's]
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// How many runs with neighbouring seeds [default: the scenario's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(REPLICATIONS_MAX)))]
    pub(super) replications: Option<u32>,
    /// How many threads [default: all cores]; never changes a result
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Where results go; several scenarios get a folder each below it [default: out/NAME]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Replace a value of the scenario, by its path; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// Print the summary as JSON instead of a table
    #[arg(long)]
    pub(super) json: bool,
    /// Let pass up to so many rows of each trace that mean nothing
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) skip_bad_rows: u64,
    /// Print no progress and no notes
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Treat warnings as errors
    #[arg(long)]
    pub(super) strict: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  windtunnel check scenarios/first-flight\n  windtunnel check my-scenario.yaml\n  windtunnel check scenarios requests/web.json\n  windtunnel check - < my.yaml"
)]
pub(super) struct Check {
    /// Scenario files, folders that hold `scenario.yaml`, folders of such folders, or files of requests or manifests; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) file: Vec<PathBuf>,
    /// Let pass up to so many rows of each trace that mean nothing
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) skip_bad_rows: u64,
    /// Replace a value of the scenario, by its path; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// Treat warnings as errors
    #[arg(long)]
    pub(super) strict: bool,
    /// Print diagnostics as JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  windtunnel explain out/first-flight/ecs-ec2 front-3\n  windtunnel explain out/last web-42"
)]
pub(super) struct Explain {
    /// The folder of one platform's result, or the folder above it
    pub(super) result: PathBuf,
    /// The name of a task, `workload-number`
    pub(super) name: String,
    /// Where the traces of the run lie, if not where they were; may be given several times
    #[arg(long, value_name = "WORKLOAD=FILE")]
    pub(super) trace: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  windtunnel error E0103\n  windtunnel error --list")]
pub(super) struct ErrorCode {
    /// A code such as E0103
    #[arg(required_unless_present = "list")]
    pub(super) code: Option<String>,
    /// Print every code with its text, as docs/errors.md has them
    #[arg(long)]
    pub(super) list: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  windtunnel catalog m7i\n  windtunnel catalog arm64 --region eu-central-1"
)]
pub(super) struct Catalog {
    /// Words that the name, family or architecture contains
    pub(super) filter: Vec<String>,
    /// The region whose prices are shown
    #[arg(long, default_value = "us-east-1")]
    pub(super) region: String,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  windtunnel diff out/before out/after\n  windtunnel diff out/first-flight/ecs-ec2 out/what-if/ecs-ec2 --json\n\nExit status: 0 equal, 1 different, 2 wrong input, 3 a result that cannot be repeated."
)]
pub(super) struct Diff {
    /// A result: the folder of one platform, or of a whole run
    pub(super) a: PathBuf,
    /// The result to compare it with
    pub(super) b: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  windtunnel settings fargate\n  windtunnel settings A-50\n  windtunnel settings --swing scenarios/first-flight --measure cost\n  windtunnel settings fargate --swing scenarios/first-flight --platform ecs-fargate --replications 3\n\nWith --swing each setting is tried at p10 and p90 of its distribution, an estimated or assumed figure at half and at twice, an assumed choice at every other word."
)]
pub(super) struct Settings {
    /// Words that the name, meaning, source or confidence of a setting contains
    pub(super) filter: Vec<String>,
    /// Run this scenario with each setting low and high, and say which measure moves how far
    #[arg(long, value_name = "SCENARIO")]
    pub(super) swing: Option<PathBuf>,
    /// Only this measure, such as `cost` or `start_p99`; may be given several times
    #[arg(long, value_name = "NAME", requires = "swing")]
    pub(super) measure: Vec<String>,
    /// Only this platform; may be given several times
    #[arg(long, value_name = "NAME", requires = "swing")]
    pub(super) platform: Vec<String>,
    /// Replace a value of the scenario, by its path; may be given several times
    #[arg(long, value_name = "PATH=VALUE", requires = "swing")]
    pub(super) set: Vec<String>,
    /// The first seed [default: the scenario's]
    #[arg(long, requires = "swing")]
    pub(super) seed: Option<u64>,
    /// How many runs with neighbouring seeds [default: the scenario's]
    #[arg(long, value_name = "N", requires = "swing")]
    pub(super) replications: Option<NonZeroUsize>,
    /// How many threads [default: all cores]; never changes a result
    #[arg(long, value_name = "N", requires = "swing")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Print no progress
    #[arg(long, short, requires = "swing")]
    pub(super) quiet: bool,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  windtunnel completions bash > ~/.local/share/bash-completion/completions/windtunnel\n  windtunnel completions zsh > ~/.zfunc/_windtunnel\n  windtunnel completions fish > ~/.config/fish/completions/windtunnel.fish"
)]
pub(super) struct Completions {
    /// The shell
    pub(super) shell: Shell,
}
