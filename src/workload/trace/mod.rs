//! Recorded demand: traces of jobs, machines, containers and request rates, row by row.
//!
//! A trace is a table of columns, plain or compressed with gzip. It is read twice: a first [pass](scan)
//! finds everything that is wrong with it, what it adds up to and which sizes there are; a run then
//! streams it again, one row at a time. Both hold one row in memory, whatever the file. One file per
//! format says what its columns mean. Opens no file: a [`TraceSource`] does, and it is implemented
//! where files are known.

mod azure_vm;
mod cells;
mod dlrm_container;
mod lcg_job;
mod pass;
mod playback;
mod rate;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Read};

use crate::base::{Bytes, Cpu, Span};

pub use pass::{FAULTS_MAX, Pass, SIZES_MAX, scan};
pub use playback::{Arrived, Pace, Playback};
pub use rate::RateColumns;

use cells::Cells;
use table::Table;

/// Where the bytes of a trace come from, as often as they are wanted.
pub trait TraceSource: Send + Sync + fmt::Debug {
    /// What people call it.
    fn name(&self) -> &str;

    /// Its bytes from the beginning, as they are stored.
    ///
    /// # Errors
    /// Whatever the file system answers.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

/// A trace in memory.
impl TraceSource for Vec<u8> {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::Cursor::new(self.clone())))
    }
}

/// What the columns of a trace mean.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Format {
    /// Virtual machines: arrival, size, a range for the lifetime, and how many are alike.
    AzureVm,
    /// Batch jobs: arrival, duration, CPUs.
    LcgJob,
    /// Containers with GPUs: creation, deletion, size.
    DlrmContainer,
    /// A rate: how many requests came in each interval.
    Rate(RateColumns),
}

/// What is read of a trace.
///
/// ```
/// use windtunnel::base::Span;
/// use windtunnel::workload::trace::{Format, Shape, scan};
/// let csv = b"arrival_s,duration_s,cpus\n0,83,1\n3,3611,1\n5,x,1\n".to_vec();
/// let pass = scan(&csv, &Shape::of(Format::LcgJob), Span::HOUR).expect("it can be read");
/// assert_eq!((pass.rows, pass.tasks, pass.bad), (2, 2, 1));
/// assert_eq!(pass.faults[0].line, 4);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// What its columns mean.
    pub format: Format,
    /// Only rows with these texts in these columns.
    pub only: Vec<(String, String)>,
    /// The first part of the trace, which is left out.
    pub skip: Span,
}

/// One row of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// When, counted from where the trace begins to be read.
    pub at: Span,
    /// What.
    pub demand: Demand,
}

/// What a row asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Demand {
    /// Tasks of one size, all at once.
    Tasks {
        /// How many.
        count: u32,
        /// How large each is.
        size: Size,
        /// How long each lasts.
        lifetime: Lifetime,
    },
    /// So many requests, spread over an interval.
    Requests {
        /// How many.
        count: u64,
        /// How long the interval is.
        during: Span,
    },
}

/// How large a task is; none where the trace does not say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Size {
    /// Its CPU.
    pub cpu: Option<Cpu>,
    /// Its memory.
    pub memory: Option<Bytes>,
    /// Its GPUs.
    pub gpus: Option<u32>,
}

/// How long a task lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lifetime {
    /// Anything between two spans is equally likely.
    Between(Span, Span),
    /// It outlived the trace.
    Endless,
    /// The trace does not say.
    Unknown,
}

/// What is wrong with a trace, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What kind of mistake it is.
    pub kind: FaultKind,
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong, in one clause.
    pub message: String,
}

/// Kinds of mistakes in a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// The columns are not those of the format.
    Header,
    /// It cannot be read any further.
    Broken,
    /// One row means nothing; those after it may.
    Row,
    /// There is more of it than can be simulated.
    TooLarge,
}

/// The rows of a trace, one after another.
pub struct Rows {
    table: Table,
    format: Format,
    /// Columns that the format reads, by place.
    columns: Vec<usize>,
    /// Columns that a row is chosen by, by place, and the text that each must have.
    only: Vec<(usize, Vec<u8>)>,
    skip: Span,
    /// The time in the first row, where the format counts from it.
    origin: Option<Span>,
    last: Span,
    passed_over: u64,
}

impl Format {
    /// What it is called in a scenario.
    pub const fn name(&self) -> &'static str {
        match self {
            Format::AzureVm => "azure-vm",
            Format::LcgJob => "lcg-job",
            Format::DlrmContainer => "dlrm-container",
            Format::Rate(_) => "rate",
        }
    }

    /// The columns that it reads, in the order of its reader.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Format::AzureVm => azure_vm::COLUMNS.to_vec(),
            Format::LcgJob => lcg_job::COLUMNS.to_vec(),
            Format::DlrmContainer => dlrm_container::COLUMNS.to_vec(),
            Format::Rate(columns) => vec![&columns.time, &columns.value],
        }
    }

    /// What of such a trace does not happen in a run.
    pub const fn not_modelled(&self) -> &'static str {
        match self {
            Format::AzureVm => azure_vm::NOT_MODELLED,
            Format::LcgJob => lcg_job::NOT_MODELLED,
            Format::DlrmContainer => dlrm_container::NOT_MODELLED,
            Format::Rate(_) => rate::NOT_MODELLED,
        }
    }
}

impl Shape {
    /// All rows of a trace from its beginning.
    pub const fn of(format: Format) -> Self {
        Shape { format, only: Vec::new(), skip: Span::ZERO }
    }
}

impl Rows {
    /// Begins to read a trace.
    ///
    /// # Errors
    /// When it cannot be opened, or when its first line does not name the columns.
    pub fn open(source: &dyn TraceSource, shape: &Shape) -> Result<Rows, Fault> {
        let broken = |error: io::Error| Fault::at(1, FaultKind::Broken, format!("cannot be opened: {error}"));
        let mut table = Table::open(source.open().map_err(broken)?)?;
        let place = |name: &str| table.column(name).ok_or_else(|| lacks(&table, name, shape));
        let columns = shape.format.columns().into_iter().map(place).collect::<Result<_, _>>()?;
        let chosen = |(column, text): &(String, String)| Ok((place(column)?, text.clone().into_bytes()));
        let only = shape.only.iter().map(chosen).collect::<Result<_, _>>()?;
        table.forget_header();
        Ok(Rows {
            table,
            format: shape.format.clone(),
            columns,
            only,
            skip: shape.skip,
            origin: None,
            last: Span::ZERO,
            passed_over: 0,
        })
    }

    /// The next row; none at the end. After a fault that is not [`FaultKind::Row`] there is nothing more.
    ///
    /// # Errors
    /// What is wrong with the row or with the rest.
    pub fn next_row(&mut self) -> Result<Option<Entry>, Fault> {
        loop {
            let Some(line) = self.table.advance()? else { return Ok(None) };
            if !self.is_chosen() {
                self.passed_over += 1;
                continue;
            }
            let entry = self.entry().map_err(|message| Fault::at(line, FaultKind::Row, message))?;
            match entry.at.checked_sub(self.skip) {
                Some(at) => return Ok(Some(Entry { at, ..entry })),
                None => self.passed_over += 1,
            }
        }
    }

    /// The line of the row that came last.
    pub const fn line(&self) -> u64 {
        self.table.line()
    }

    /// Rows that were not wanted.
    pub const fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// A hash of every byte so far, uncompressed.
    pub fn hash(&self) -> String {
        self.table.hash()
    }

    fn is_chosen(&self) -> bool {
        self.only.iter().all(|(column, text)| self.table.cell(*column).is_none_or(|cell| cell == text))
    }

    fn entry(&mut self) -> Result<Entry, String> {
        let cells = Cells::of(&self.table, &self.columns)?;
        let mut entry = match &self.format {
            Format::AzureVm => azure_vm::entry(&cells),
            Format::LcgJob => lcg_job::entry(&cells),
            Format::DlrmContainer => dlrm_container::entry(&cells),
            Format::Rate(columns) => rate::entry(columns, &cells),
        }?;
        if let Format::Rate(_) = self.format {
            let origin = *self.origin.get_or_insert(entry.at);
            let since = entry.at.checked_sub(origin);
            entry.at = since.ok_or("the time is before that of the first row")?;
        }
        if entry.at < self.last {
            return Err(format!(
                "the time is before that of an earlier row by {}",
                self.last.saturating_sub(entry.at)
            ));
        }
        self.last = match entry.demand {
            Demand::Tasks { .. } => entry.at,
            Demand::Requests { during, .. } => entry.at + during,
        };
        Ok(entry)
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rows of {} at line {}", self.format.name(), self.line())
    }
}

impl Fault {
    fn at(line: u64, kind: FaultKind, message: impl Into<String>) -> Self {
        Fault { kind, line, message: message.into() }
    }
}

fn lacks(table: &Table, name: &str, shape: &Shape) -> Fault {
    let wanted = shape.format.columns().join(", ");
    let found = table.header();
    let message =
        format!("there is no column {name:?} ({} reads {wanted}); found: {found}", shape.format.name());
    Fault::at(1, FaultKind::Header, message)
}
