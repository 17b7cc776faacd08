//! A table of comma-separated values over any reader, compressed or not, in bounded memory.
//!
//! Knows lines and cells, and nothing of what they mean.

use std::io::{self, BufRead, BufReader, Read};

use csv::{ByteRecord, ErrorKind};
use flate2::bufread::MultiGzDecoder;

use crate::engine::Digest;

use super::{Fault, FaultKind};

/// A row is at most this long; what has no line breaks is no table.
const ROW_BYTES_MAX: usize = 64 << 10;
const BUFFER_BYTES: usize = 64 << 10;
/// How a file begins that is compressed with gzip.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// Characters of a header that a message shows.
const HEADER_SHOWN_MAX: usize = 200;

/// A table that is being read.
pub(super) struct Table {
    reader: csv::Reader<Bounded>,
    row: ByteRecord,
    line: u64,
    /// How many cells each row has.
    width: usize,
}

impl Table {
    /// Reads the first line, which names the columns.
    pub(super) fn open(bytes: Box<dyn Read + Send>) -> Result<Table, Fault> {
        let broken = |error: io::Error| Fault::at(1, FaultKind::Broken, format!("cannot be read: {error}"));
        let bounded = Bounded::new(uncompressed(bytes).map_err(broken)?);
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(bounded);
        let mut table = Table { reader, row: ByteRecord::new(), line: 1, width: 0 };
        if table.advance()?.is_none() {
            return Err(Fault::at(1, FaultKind::Header, "it is empty"));
        }
        table.width = table.row.len();
        Ok(table)
    }

    /// Where the column of this name stands in the row at hand, which is the first.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.row.iter().position(|cell| cell.trim_ascii() == name.as_bytes())
    }

    /// The row at hand as text for a message.
    pub(super) fn header(&self) -> String {
        let cells: Vec<_> = self.row.iter().map(String::from_utf8_lossy).collect();
        let text = cells.join(", ");
        let shown: String = text.chars().take(HEADER_SHOWN_MAX).flat_map(char::escape_debug).collect();
        if text.chars().count() > HEADER_SHOWN_MAX { shown + " ..." } else { shown }
    }

    /// Ends the look at the first line.
    pub(super) fn forget_header(&mut self) {
        self.row.clear();
    }

    /// Goes on to the next row; its line, or none at the end.
    pub(super) fn advance(&mut self) -> Result<Option<u64>, Fault> {
        self.reader.get_mut().allowance = ROW_BYTES_MAX;
        match self.reader.read_byte_record(&mut self.row) {
            Ok(true) => {
                self.line = self.row.position().map_or(self.line, csv::Position::line);
                Ok(Some(self.line))
            }
            Ok(false) => {
                self.line = self.reader.position().line();
                Ok(None)
            }
            Err(error) => Err(Fault::at(self.reader.position().line(), FaultKind::Broken, why(&error))),
        }
    }

    /// The line of the row at hand.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// A cell of the row at hand.
    pub(super) fn cell(&self, column: usize) -> Option<&[u8]> {
        self.row.get(column)
    }

    /// How many cells the row at hand has, and how many it should have.
    pub(super) fn widths(&self) -> (usize, usize) {
        (self.row.len(), self.width)
    }

    /// A hash of every byte so far, uncompressed.
    pub(super) fn hash(&self) -> String {
        self.reader.get_ref().fingerprint.text()
    }
}

fn why(error: &csv::Error) -> String {
    match error.kind() {
        ErrorKind::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the compressed data ends too early".to_owned()
        }
        ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    }
}

/// The bytes themselves, or what was compressed in them.
fn uncompressed(bytes: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut bytes = BufReader::with_capacity(BUFFER_BYTES, bytes);
    if bytes.fill_buf()?.starts_with(GZIP) {
        return Ok(Box::new(MultiGzDecoder::new(bytes)));
    }
    Ok(Box::new(bytes))
}

/// A reader that hands out no more than an allowance between two rows, and hashes what passes.
struct Bounded {
    bytes: Box<dyn Read + Send>,
    allowance: usize,
    fingerprint: Fingerprint,
}

impl Bounded {
    fn new(bytes: Box<dyn Read + Send>) -> Self {
        Bounded { bytes, allowance: ROW_BYTES_MAX, fingerprint: Fingerprint::default() }
    }
}

impl Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let room = into.len().min(self.allowance);
        if room == 0 {
            let message = format!("a row is longer than {} KiB", ROW_BYTES_MAX >> 10);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let count = self.bytes.read(&mut into[..room])?;
        self.allowance -= count;
        self.fingerprint.take(&into[..count]);
        Ok(count)
    }
}

/// A digest of bytes, however they are cut into reads.
#[derive(Clone, Copy, Default)]
struct Fingerprint {
    digest: Digest,
    /// Bytes that do not fill a word yet.
    rest: [u8; 8],
    length: u64,
}

impl Fingerprint {
    fn take(&mut self, mut bytes: &[u8]) {
        let held = usize::try_from(self.length % 8).expect("below 8");
        self.length += bytes.len() as u64;
        if held > 0 {
            let more = bytes.len().min(8 - held);
            self.rest[held..held + more].copy_from_slice(&bytes[..more]);
            bytes = &bytes[more..];
            if held + more < 8 {
                return;
            }
            self.digest.words(&[u64::from_le_bytes(self.rest)]);
        }
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.digest.words(&[u64::from_le_bytes(*word)]);
        }
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    fn text(mut self) -> String {
        let held = usize::try_from(self.length % 8).expect("below 8");
        self.rest[held..].fill(0);
        self.digest.words(&[u64::from_le_bytes(self.rest), self.length]);
        self.digest.to_string()
    }
}
