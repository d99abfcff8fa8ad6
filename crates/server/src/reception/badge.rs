//! What a visitor wears: who they are, whom they visit, and a code by which they leave.

use super::ROOT;
use super::ask::{Ask, time};
use crate::api::Problem;
use jiff::Timestamp;
use portreeve_directory::visit_locations::NameStyle;
use portreeve_directory::visits::Visit;
use qrcode::{Color, EcLevel, QrCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::fmt::Write;

/// The empty modules around a code (ISO/IEC 18004 section 6.3.8 asks for four).
const QUIET: usize = 4;

/// A badge.
#[derive(Serialize)]
pub(super) struct BadgeView {
    name: String,
    company: String,
    visitor_host: String,
    location: String,
    at: Timestamp,
    /// The secret by which the visitor leaves.
    code: String,
    /// The address of the page that signs the visitor out, as a picture (SVG).
    qr: String,
}

/// The badge of a visit.
pub(super) fn of(ask: &Ask, visit: &Visit, secret: &SecretString) -> Result<BadgeView, Problem> {
    let code = secret.expose_secret();
    let address = format!("{}{ROOT}/out/{code}", ask.app.public_url());
    Ok(BadgeView {
        name: visit.visitor_name.clone(),
        company: visit.company.clone(),
        visitor_host: shown(&visit.host_name, ask.location.settings.names),
        location: ask.location.name.clone(),
        at: time(visit.at),
        code: code.to_owned(),
        qr: picture(&address).ok_or_else(Problem::internal)?,
    })
}

/// As much of a stored name as visitors of a location see.
pub(super) fn shown(name: &str, style: NameStyle) -> String {
    let mut words = name.split_whitespace();
    match (style, words.next(), words.next_back()) {
        (NameStyle::Short, Some(first), Some(last)) => {
            let letter: String = last.chars().take(1).collect();
            format!("{first} {letter}.")
        }
        _ => name.to_owned(),
    }
}

/// A text as a QR code: dark modules as one path, a rectangle for those that lie side by side. `None` if it is too long.
fn picture(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (width, colors) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        while let Some(color) = row.get(x) {
            let run = row[x..].iter().take_while(|it| *it == color).count();
            if *color == Color::Dark {
                // Writing to a string does not fail.
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run;
        }
    }
    let side = width + 2 * QUIET;
    Some(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>"##
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_as_far_as_the_location_wants() {
        for (name, style, expected) in [
            ("Jane Doe", NameStyle::Full, "Jane Doe"),
            ("Jane Doe", NameStyle::Short, "Jane D."),
            ("Jane van der Berg", NameStyle::Short, "Jane B."),
            ("Jane", NameStyle::Short, "Jane"),
            ("", NameStyle::Short, ""),
        ] {
            assert_eq!(shown(name, style), expected, "{name}");
        }
    }

    #[test]
    fn a_picture_has_a_module_for_each_of_its_code() {
        let text = "https://portreeve.example/visit/out/prv_visit_code";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let dark = code
            .to_colors()
            .iter()
            .filter(|it| **it == Color::Dark)
            .count();
        let picture = picture(text).unwrap();
        let (_, path) = picture.split_once(r#"<path d=""#).unwrap();
        let runs = path.split('h').skip(1).step_by(2);
        let drawn: usize = runs
            .map(|run| run.split('v').next().unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(drawn, dark);
        assert!(super::picture(&"x".repeat(5000)).is_none(), "too long");
    }
}
