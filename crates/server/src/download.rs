//! Files that are written while they are sent, page by page from the database, so that no memory grows with them.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use portreeve_directory::Refusal;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// CSV (RFC 4180).
    Csv,
    /// JSON, an object on each line.
    Json,
}

impl Form {
    /// What it is called in `Content-Type`.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/x-ndjson",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "jsonl",
        }
    }
}

/// What is on a line of a file.
pub(crate) trait Record {
    /// The heading of a CSV.
    const COLUMNS: &'static [&'static str];

    /// What stands below each heading.
    fn cells(&self) -> Vec<String>;

    /// The record as a JSON object.
    fn json(&self) -> String;
}

/// A file for somebody to keep.
pub(crate) struct File {
    form: Form,
    /// Without what it ends in.
    name: &'static str,
    body: Body,
}

impl File {
    /// A file of pages, of which the first that cannot be read ends it. That breaks the connection off, so that nobody takes
    /// a part for the whole.
    pub(crate) fn of<R: Record + 'static>(
        form: Form,
        name: &'static str,
        pages: impl Stream<Item = Result<Vec<R>, Refusal>> + Send + 'static,
    ) -> Self {
        let head = match form {
            Form::Csv => format!("{}\r\n", R::COLUMNS.join(",")),
            Form::Json => String::new(),
        };
        let line: fn(&R) -> String = match form {
            Form::Csv => |record: &R| row(&record.cells()),
            Form::Json => |record: &R| format!("{}\n", record.json()),
        };
        let pieces = pages.map(move |page| {
            let page = page?;
            Ok::<_, Refusal>(Bytes::from(page.iter().map(line).collect::<String>()))
        });
        let head = stream::iter([Ok::<_, Refusal>(Bytes::from(head))]);
        // What compresses it asks once more after its end.
        let body = Body::from_stream(head.chain(pieces).fuse());
        Self { form, name, body }
    }
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        let name = format!(
            "attachment; filename=\"{}.{}\"",
            self.name,
            self.form.extension()
        );
        let mut response = Response::new(self.body);
        let headers = response.headers_mut();
        let media_type = HeaderValue::from_static(self.form.media_type());
        headers.insert(CONTENT_TYPE, media_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(name) = HeaderValue::try_from(name) {
            headers.insert(CONTENT_DISPOSITION, name);
        }
        response
    }
}

/// A line of CSV.
fn row(cells: &[String]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| quoted(cell)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A field of CSV. What a spreadsheet would take for a formula gets an apostrophe before it, because names come from
/// elsewhere.
fn quoted(field: &str) -> String {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let safe = if is_formula {
        format!("'{field}")
    } else {
        field.to_owned()
    };
    match safe.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", safe.replace('"', "\"\"")),
        false => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula_or_ends_early() {
        for (field, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("@SUM(A1,B1)", "\"'@SUM(A1,B1)\""),
            ("+1", "'+1"),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(quoted(field), expected);
        }
    }
}
