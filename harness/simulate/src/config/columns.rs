//! CSV tables of any header: numbers in some columns, text in others, each value with its line.

use std::path::Path;

use birth_death_output::input::sha256;
use birth_death_terminal::refusal::Refusal;
use csv::StringRecord;

use super::csv_faults;
use super::reader::Sign;
use super::table::{BYTE_ORDER_MARK, bytes_of, line_of, text_of};
use super::{MAX_CSV_BYTES, MAX_NUMBERS, Precision};
use birth_death_terminal::refusal::{listed, nearest, quoted};

const ACCEPTED: &str = "a CSV file with a header and a row an example";

/// A table as it was read: nothing is a number yet.
#[derive(Debug, Clone)]
pub struct Columns {
    file: String,
    header: Vec<String>,
    header_line: usize,
    rows: Vec<(usize, StringRecord)>,
    sha256: String,
}

impl Columns {
    /// Reads a CSV file: a header of names that differ, and one row or more of as many fields. Columns without a name,
    /// such as a spreadsheet's index or what a comma at the end of the lines makes, may be there.
    ///
    /// # Errors
    /// A refusal with the line of the first thing that is wrong; without a line if the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        let file = path.display().to_string();
        let bytes = bytes_of(path, MAX_CSV_BYTES, ACCEPTED).map_err(|message| Refusal::of_file(&file, message))?;
        Self::parse(file, &bytes)
    }

    /// The same from the bytes of a file; `file` names it.
    ///
    /// # Errors
    /// As for [`Columns::read`].
    pub fn parse(file: String, bytes: &[u8]) -> Result<Self, Refusal> {
        let text = text_of(bytes)
            .map_err(|(line, message)| Refusal::at(&file, Some(line), format!("{message}; accepted: {ACCEPTED}")))?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        if let Some(line) = csv_faults::unclosed_quote(text) {
            let message = format!("a quote opens a field and nothing closes it; accepted: {ACCEPTED}");
            return Err(Refusal::at(&file, Some(line), message));
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let (mut header, mut header_line): (Vec<String>, usize) = (Vec::new(), 1);
        let mut rows = Vec::new();
        let mut record = StringRecord::new();
        let mut last = 1;
        let refuse = |line, message| Refusal::at(&file, Some(line), message);
        loop {
            let more = reader
                .read_record(&mut record)
                .map_err(|error| refuse(last, format!("{error}; accepted: {ACCEPTED}")))?;
            if !more {
                break;
            }
            last = line_of(text, &record);
            if header.is_empty() {
                header = names(&record).map_err(|message| refuse(last, message))?;
                header_line = last;
                continue;
            }
            let (found, wanted) = (record.len(), header.len());
            if found != wanted {
                let what = csv_faults::row(&record, wanted).map_or_else(String::new, |what| format!(" ({what})"));
                return Err(refuse(
                    last,
                    format!("{found} fields{what}; accepted: {wanted} fields, one for each of {}", listed(&header)),
                ));
            }
            if (rows.len() as u64 + 1).saturating_mul(wanted as u64) > MAX_NUMBERS {
                let most = MAX_NUMBERS / wanted as u64;
                return Err(refuse(last, format!("more rows; accepted: at most {most} of {wanted} fields")));
            }
            rows.push((last, record.clone()));
        }
        if header.is_empty() {
            return Err(refuse(1, format!("is empty; accepted: {ACCEPTED}")));
        }
        if rows.is_empty() {
            return Err(refuse(last, "0 rows below the header; accepted: 1 row or more".to_owned()));
        }
        Ok(Self { sha256: sha256(bytes), file, header, header_line, rows })
    }

    /// The names of the columns, in order.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The number of rows, one at least.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// SHA-256 of the file.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The place of a column, if it is there. One without a name is not found.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|found| found == name && !found.is_empty())
    }

    /// Whether a column has nothing in any row.
    pub fn is_empty(&self, place: usize) -> bool {
        self.fields(place).all(|(_, field)| field.is_empty())
    }

    /// The place of a column that has to be there.
    ///
    /// # Errors
    /// A refusal at the header, with the nearest name.
    pub fn required(&self, name: &str) -> Result<usize, Refusal> {
        self.place(name).ok_or_else(|| {
            let nearest = nearest(name, &self.header).unwrap_or("none");
            let line = Some(self.header_line);
            let (name, header) = (quoted(name), listed(&self.header));
            let message = format!(
                "column \"{name}\" is missing; the nearest there is \"{nearest}\"; accepted: a header with it, this \
                    one has {header}"
            );
            Refusal::at(&self.file, line, message)
        })
    }

    /// A refusal of the table, at its header.
    pub fn refuse(&self, message: impl Into<String>) -> Refusal {
        Refusal::at(&self.file, Some(self.header_line), message)
    }

    /// The fields of a column, with their lines.
    fn fields(&self, place: usize) -> impl Iterator<Item = (usize, &str)> {
        self.rows.iter().map(move |(line, row)| (*line, row.get(place).unwrap_or("")))
    }

    fn refuse_field(&self, line: usize, place: usize, field: &str, accepted: &str) -> Refusal {
        let name = self.header.get(place).map_or("", String::as_str);
        let message = format!("{} = \"{}\"; accepted: {accepted}", quoted(name), quoted(field));
        Refusal::at(&self.file, Some(line), message)
    }

    /// A column of numbers.
    ///
    /// # Errors
    /// A refusal of the first field that is no number, or not finite in `precision`.
    pub fn numbers(&self, place: usize, precision: Precision) -> Result<Vec<f64>, Refusal> {
        self.fields(place)
            .map(|(line, field)| {
                field.parse().ok().filter(|&number| precision.holds(number, Sign::Any)).ok_or_else(|| {
                    let what = csv_faults::number(field).map_or_else(String::new, |what| format!(" ({what})"));
                    let accepted = format!("a number finite in {}{what}", precision.name());
                    self.refuse_field(line, place, field, &accepted)
                })
            })
            .collect()
    }

    /// A column of labels: texts, none of them empty.
    ///
    /// # Errors
    /// A refusal of the first field that is empty.
    pub fn labels(&self, place: usize) -> Result<Vec<&str>, Refusal> {
        self.fields(place)
            .map(
                |(line, field)| {
                    if field.is_empty() { Err(self.refuse_field(line, place, field, "a label")) } else { Ok(field) }
                },
            )
            .collect()
    }

    /// For each row the place of its label in `classes`.
    ///
    /// # Errors
    /// A refusal of the first label that is not among them.
    pub fn classes(&self, place: usize, classes: &[String]) -> Result<Vec<usize>, Refusal> {
        self.fields(place)
            .map(|(line, field)| {
                classes.iter().position(|class| class == field).ok_or_else(|| {
                    let accepted = format!("one of the classes {}", listed(classes));
                    self.refuse_field(line, place, field, &accepted)
                })
            })
            .collect()
    }
}

/// The header's names; else a message.
fn names(record: &StringRecord) -> Result<Vec<String>, String> {
    if let Some(what) = csv_faults::header(record) {
        return Err(format!("the fields are {what}; accepted: {ACCEPTED}, separated by commas"));
    }
    if record.iter().all(str::is_empty) {
        return Err(format!("no column has a name; accepted: {ACCEPTED}"));
    }
    let mut names: Vec<String> = Vec::with_capacity(record.len());
    for field in record {
        if !field.is_empty() && names.iter().any(|name| name == field) {
            return Err(format!("column \"{}\" twice; accepted: a header of names that differ", quoted(field)));
        }
        names.push(field.to_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Columns, String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        Columns::read(file.path()).map_err(|refusal| {
            let message = refusal.to_string();
            assert!(
                message.contains("accepted") && message.starts_with(&file.path().display().to_string()),
                "{message}"
            );
            message.replace(&file.path().display().to_string(), "F")
        })
    }

    #[test]
    fn columns_are_found_by_name_and_read_as_what_they_are() {
        let table = read("\u{feff}a, b ,kind\n1,-2.5e3,\"x, y\"\n\n0x,4,z\n").expect("a table");
        assert_eq!((table.header().join("|"), table.rows()), ("a|b|kind".to_owned(), 2));
        let b = table.required("b").expect("there");
        assert_eq!(table.numbers(b, Precision::F32), Ok(vec![-2500.0, 4.0]));
        let kind = table.place("kind").expect("there");
        assert_eq!(table.labels(kind), Ok(vec!["x, y", "z"]));
        assert_eq!(table.classes(kind, &["z".to_owned(), "x, y".to_owned()]), Ok(vec![1, 0]));
        let message = table.classes(kind, &["z".to_owned()]).expect_err("unknown").to_string();
        assert!(message.contains(":2: kind = \"x, y\"; accepted: one of the classes z"), "{message}");
        let message = table.numbers(0, Precision::F32).expect_err("no number").to_string();
        assert!(message.contains(":4: a = \"0x\"; accepted: a number finite in f32"), "{message}");
        let message = table.required("kinf").expect_err("not there").to_string();
        assert!(message.contains(":1: column \"kinf\" is missing; the nearest there is \"kind\""), "{message}");
    }

    #[test]
    fn columns_without_a_name_are_passed_over() {
        let table = read(",a,,b,\n0,1,x,2,\n1,3,y,4,\n").expect("a table");
        assert_eq!((table.place(""), table.place("a"), table.place("b")), (None, Some(1), Some(3)));
        assert_eq!(table.numbers(3, Precision::F32), Ok(vec![2.0, 4.0]));
        assert_eq!([0, 1, 2, 3, 4].map(|place| table.is_empty(place)), [false, false, false, false, true]);
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        for (text, part) in [
            ("", "F:1: is empty"),
            ("a,b\n", "F:1: 0 rows"),
            ("a,a\n1,2\n", "F:1: column \"a\" twice"),
            (",\n1,2\n", "F:1: no column has a name"),
            ("  \na,b\n1,2\n", "F:1: no column has a name"),
            ("a;b\n1;2\n", "F:1: the fields are separated by semicolons, not by commas"),
            ("a\tb\n1\t2\n", "F:1: the fields are separated by tabs, not by commas"),
            ("a,b\n1,2\n3;4\n", "F:3: 1 fields (separated by semicolons, not by commas); accepted: 2 fields"),
            (
                "a,b\n1,5,2,5\n",
                "F:2: 4 fields (perhaps decimal commas, which separate fields here); accepted: 2 fields",
            ),
            ("a,b\n1,2\n  \n", "F:3: 1 fields (a line of blanks, which is no empty line); accepted: 2 fields"),
            ("a,b\n1,\"2\n3,4\n5,6\n", "F:2: a quote opens a field and nothing closes it"),
            ("a,b\n1,2\n1\n", "F:3: 1 fields; accepted: 2 fields"),
        ] {
            let message = read(text).expect_err(text);
            assert!(message.contains(part), "{message}");
        }
        let message = read("a,b\n1,\"2,5\"\n").expect("a table").numbers(1, Precision::F32).expect_err("a comma");
        let message = message.to_string();
        assert!(message.contains("b = \"2,5\"; accepted: a number finite in f32 (a comma in a number"), "{message}");
        for number in ["", "NaN", "inf", "1e39", "-1e39", "one"] {
            let table = read(&format!("a,b\n{number},1\n")).expect("a table");
            table.numbers(0, Precision::F32).expect_err(number);
        }
    }
}
