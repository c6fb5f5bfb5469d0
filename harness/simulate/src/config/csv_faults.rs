//! What a text is that was meant to be a comma-separated table and is not one: said by name, not only by what it has
//! not.

use csv::StringRecord;

/// The line on which a quoted field begins that nothing ends: the rest of the file would be its text.
pub(super) fn unclosed_quote(text: &str) -> Option<usize> {
    let (mut line, mut opened, mut is_start) = (1, None, true);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, opened) {
            // a quote within a quoted field is written twice
            (b'"', Some(_)) if bytes.peek() == Some(&b'"') => {
                bytes.next();
            }
            (b'"', Some(_)) => opened = None,
            // elsewhere than at its start a quote is a character of the field
            (b'"', None) if is_start => opened = Some(line),
            _ => {}
        }
        is_start = opened.is_none() && matches!(byte, b',' | b'\n' | b'\r');
        line += usize::from(byte == b'\n');
    }
    opened
}

fn separator(fields: &StringRecord) -> Option<&'static str> {
    let has = |separator: char| fields.iter().any(|field| field.contains(separator));
    match (has('\t'), has(';')) {
        (true, _) => Some("separated by tabs, not by commas"),
        (_, true) => Some("separated by semicolons, not by commas"),
        _ => None,
    }
}

/// What is wrong with a header of one field that should be several.
pub(super) fn header(fields: &StringRecord) -> Option<&'static str> {
    if fields.len() == 1 { separator(fields) } else { None }
}

/// Why a row has not as many fields as are wanted.
pub(super) fn row(fields: &StringRecord, wanted: usize) -> Option<&'static str> {
    if fields.len() > wanted {
        let is_whole = |field: &str| !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
        let (mut pairs, mut before) = (0, None);
        for field in fields {
            // a field is the decimals of the one before, or has decimals itself, not both
            let is_decimals = before.is_some() && is_whole(field);
            pairs += usize::from(is_decimals);
            before =
                Some(field.strip_prefix(['-', '+']).unwrap_or(field)).filter(|field| !is_decimals && is_whole(field));
        }
        return (pairs >= fields.len() - wanted).then_some("perhaps decimal commas, which separate fields here");
    }
    match fields.get(0) {
        Some("") if fields.len() == 1 => Some("a line of blanks, which is no empty line"),
        _ => separator(fields),
    }
}

/// What is wrong with a field that should be a number.
pub(super) fn number(field: &str) -> Option<&'static str> {
    let is_number = |text: String| text.parse::<f64>().is_ok();
    let has_comma =
        field.contains(',') && (is_number(field.replacen(',', ".", 1)) || is_number(field.replace(',', "")));
    has_comma.then_some("a comma in a number; a decimal point is wanted, and nothing between thousands")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_that_nothing_ends_is_found_where_it_begins() {
        for (text, line) in [
            ("a,b\n1,\"x\n2,y\n", Some(2)),
            ("\"a,b\n1,x\n", Some(1)),
            ("a,b\n\"1\",\"x \"\"\n", Some(2)),
            ("a,b\n1,\"x\"\"\"\n", None),
            ("a,b\n1,\"x\ny\"\n2,\"", Some(4)),
            ("a,b\n1,x\"\n2,6\" nails\n", None),
            ("a,b\r\n\"1\",\"\"\r\n", None),
            ("", None),
        ] {
            assert_eq!(unclosed_quote(text), line, "{text}");
            // the reader agrees: what is unclosed has no end of line after it, however long the file
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let swallowed = reader
                .records()
                .filter_map(Result::ok)
                .last()
                .is_some_and(|last| last.iter().next_back().is_some_and(|field| field.ends_with('\n')));
            assert!(!swallowed || line.is_some(), "{text}");
        }
    }

    #[test]
    fn rows_and_fields_are_named_as_what_they_are() {
        let of = |fields: &[&str]| StringRecord::from(fields);
        let says =
            |found: Option<&str>, part: &str| assert!(found.is_some_and(|found| found.contains(part)), "{found:?}");
        says(header(&of(&["a;b"])), "semicolons");
        says(header(&of(&["a\tb; c"])), "tabs");
        assert_eq!((header(&of(&["a"])), header(&of(&["a;b", "c"]))), (None, None));
        says(row(&of(&["1;2"]), 2), "semicolons");
        says(row(&of(&["1\t2", "3"]), 3), "tabs");
        says(row(&of(&[""]), 2), "blanks");
        says(row(&of(&["-1", "5", "2", "25"]), 2), "decimal commas");
        says(row(&of(&["1", "5", "x"]), 2), "decimal commas");
        assert_eq!(row(&of(&["1", "5", "2"]), 1), None, "two commas too many, and one pair");
        assert_eq!(
            (row(&of(&["1", "x", "y"]), 2), row(&of(&["1.5", "2.5", "1"]), 2), row(&of(&["1"]), 2)),
            (None, None, None)
        );
        for field in ["1,5", "-0,25", "1,000", "1.234,5", "12,345,678", "1,5e3"] {
            says(number(field), "comma");
        }
        assert_eq!((number("1.5"), number("x,y"), number(""), number("NaN")), (None, None, None, None));
    }
}
