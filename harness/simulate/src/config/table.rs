//! CSV input: a header with known names, then finite numbers, every row as long as the header.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::csv_faults;
use super::reader::{Sign, Value};
use super::{MAX_CSV_BYTES, MAX_DIMENSION};
use birth_death_output::input::{Input, sha256};
use birth_death_terminal::refusal::Refusal;
use birth_death_terminal::refusal::{listed, nearest, quoted};

/// The names a header must hold, in any order.
#[derive(Debug, Clone)]
pub(super) enum Names {
    /// These.
    Exactly(Vec<String>),
    /// x1, x2, ... up to however many columns there are.
    Positions,
}

/// The bytes of a regular file of at most `most` bytes; else a message with what is accepted.
///
/// A pipe without a writer would never end to open, a device never end to read.
pub(super) fn bytes_of(path: &Path, most: u64, accepted: &str) -> Result<Vec<u8>, String> {
    let unreadable = |error| format!("cannot be read ({error}); accepted: {accepted}");
    let data = fs::metadata(path).map_err(unreadable)?;
    if data.is_dir() {
        return Err(format!("is a folder; accepted: {accepted}"));
    }
    if !data.is_file() {
        return Err(format!("is not a regular file; accepted: {accepted}"));
    }
    let too_long = || format!("holds more than {most} bytes; accepted: {accepted}, of at most {most} bytes");
    if data.len() > most {
        return Err(too_long());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(data.len()).unwrap_or(0));
    // Files may grow, and those of /proc have no length.
    File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > most { Err(too_long()) } else { Ok(bytes) }
}

/// Some editors write it before the first character.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The bytes as text; else the line of the first bad byte, and a message.
pub(super) fn text_of(bytes: &[u8]) -> Result<&str, (usize, String)> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or(0);
            Err((line, format!("byte 0x{byte:02x} is not UTF-8")))
        }
    }
}

/// Reads the CSV file that `value` names, relative to `folder`: one `Vec` a name, in the order of the names.
pub(super) fn read(
    value: &Value<'_>,
    folder: &Path,
    names: &Names,
    rows: Option<usize>,
    inputs: &mut Vec<Input>,
) -> Result<Vec<Vec<f64>>, Refusal> {
    let wanted = match names {
        Names::Exactly(names) => format!("a CSV file with the header {}", listed(names)),
        Names::Positions => "a CSV file with the header x1, x2, ...".to_owned(),
    };
    let name = value.text(&wanted)?;
    let path = folder.join(name);
    let bytes = bytes_of(&path, MAX_CSV_BYTES, &wanted)
        .map_err(|message| value.refuse_with(format!("{} = \"{}\": {message}", value.path(), quoted(name))))?;
    let shown = path.display().to_string();
    let text = text_of(&bytes)
        .map_err(|(line, message)| Refusal::at(&shown, Some(line), format!("{message}; accepted: {wanted}")))?;
    let columns = Reading { file: &shown, wanted: &wanted, value }.columns(
        text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text),
        names,
        rows,
    )?;
    inputs.push(Input { key: value.path().to_owned(), name: name.to_owned(), sha256: sha256(&bytes), path });
    Ok(columns)
}

struct Reading<'a> {
    file: &'a str,
    wanted: &'a str,
    value: &'a Value<'a>,
}

impl Reading<'_> {
    fn refuse(&self, line: usize, message: String) -> Refusal {
        Refusal::at(self.file, Some(line), message)
    }

    fn columns(&self, text: &str, names: &Names, rows: Option<usize>) -> Result<Vec<Vec<f64>>, Refusal> {
        if let Some(line) = csv_faults::unclosed_quote(text) {
            let message = format!("a quote opens a field and nothing closes it; accepted: {}", self.wanted);
            return Err(self.refuse(line, message));
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut header: Option<(Vec<String>, Vec<usize>)> = None;
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let mut record = csv::StringRecord::new();
        let mut last = 1;
        loop {
            let more = reader
                .read_record(&mut record)
                .map_err(|error| self.refuse(last, format!("{error}; accepted: {}", self.wanted)))?;
            if !more {
                break;
            }
            let line = line_of(text, &record);
            last = line;
            let Some((names, places)) = &header else {
                let found = self.header(&record, line, names)?;
                columns = vec![Vec::with_capacity(rows.unwrap_or(0)); found.0.len()];
                header = Some(found);
                continue;
            };
            if record.len() != names.len() {
                let what = csv_faults::row(&record, names.len()).map_or_else(String::new, |what| format!(" ({what})"));
                return Err(self.refuse(
                    line,
                    format!("{} fields{what}; accepted: {} fields, {}", record.len(), names.len(), listed(names)),
                ));
            }
            for (field, &place) in record.iter().zip(places) {
                let number = self.number(field, line, &names[place])?;
                columns[place].push(number);
            }
        }
        if header.is_none() {
            return Err(self.refuse(1, format!("is empty; accepted: {}", self.wanted)));
        }
        let found = columns.first().map_or(0, Vec::len);
        match rows {
            Some(rows) if rows != found => Err(self.refuse(
                last,
                format!("{found} rows below the header; accepted: {rows}, as many as there are particles"),
            )),
            None if found == 0 => Err(self.refuse(last, "0 rows below the header; accepted: 1 row or more".to_owned())),
            _ => Ok(columns),
        }
    }

    /// The names wanted, and for each field of a row which of them it is.
    fn header(
        &self,
        record: &csv::StringRecord,
        line: usize,
        names: &Names,
    ) -> Result<(Vec<String>, Vec<usize>), Refusal> {
        let names = match names {
            Names::Exactly(names) => names.clone(),
            Names::Positions if record.len() as u64 > MAX_DIMENSION => {
                return Err(self.refuse(line, format!("{} columns; accepted: at most {MAX_DIMENSION}", record.len())));
            }
            Names::Positions => positions(record.len()),
        };
        let accepted = format!("the header {}, in any order", listed(&names));
        if let Some(what) = csv_faults::header(record) {
            return Err(self.refuse(line, format!("the fields are {what}; accepted: {accepted}, separated by commas")));
        }
        let mut places = Vec::with_capacity(names.len());
        for field in record {
            let Some(place) = names.iter().position(|name| name == field) else {
                let nearest = nearest(field, &names).unwrap_or("none");
                return Err(self.refuse(
                    line,
                    format!(
                        "unknown column \"{}\"; the nearest valid one is \"{nearest}\"; accepted: {accepted}",
                        quoted(field)
                    ),
                ));
            };
            if places.contains(&place) {
                return Err(self.refuse(line, format!("column \"{}\" twice; accepted: {accepted}", quoted(field))));
            }
            places.push(place);
        }
        match (0..names.len()).find(|place| !places.contains(place)) {
            Some(missing) => {
                Err(self.refuse(line, format!("column \"{}\" is missing; accepted: {accepted}", names[missing])))
            }
            None => Ok((names, places)),
        }
    }

    fn number(&self, field: &str, line: usize, name: &str) -> Result<f64, Refusal> {
        let precision = self.value.precision();
        field.parse().ok().filter(|&number| precision.holds(number, Sign::Any)).ok_or_else(|| {
            let what = csv_faults::number(field).map_or_else(String::new, |what| format!(" ({what})"));
            let accepted = format!("a number finite in {}{what}", precision.name());
            self.refuse(line, format!("{name} = \"{}\"; accepted: {accepted}", quoted(field)))
        })
    }
}

/// The line of a record, from 1: the reader's position may stand on blank lines that it is about to skip.
pub(super) fn line_of(text: &str, record: &csv::StringRecord) -> usize {
    let Some(position) = record.position() else {
        return 1;
    };
    let from = usize::try_from(position.byte()).unwrap_or(0);
    let blank = text.as_bytes().get(from..).map_or(0, |rest| {
        rest.iter().take_while(|&&byte| byte == b'\n' || byte == b'\r').filter(|&&byte| byte == b'\n').count()
    });
    usize::try_from(position.line()).unwrap_or(1) + blank
}
/// `x1, x2, ...`
pub(super) fn positions(dimension: usize) -> Vec<String> {
    (1..=dimension).map(|k| format!("x{k}")).collect()
}
