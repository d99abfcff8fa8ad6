//! The files that pages ask for.

use std::collections::HashSet;
use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use portreeve_console::assets;
use portreeve_console::parts::Icon;

use crate::samples::{self, Words};

#[test]
fn every_file_that_a_page_asks_for_is_there() {
    for sample in samples::all(Words::PLAIN) {
        let asked = sample
            .html
            .split('"')
            .filter_map(|part| part.strip_prefix("/assets/"));
        let asked: Vec<&str> = asked.collect();
        assert!(asked.len() > 3, "{}", sample.name);
        for name in asked {
            assert!(assets::find(name).is_some(), "{}: {name}", sample.name);
        }
    }
}

#[test]
fn every_script_that_a_script_imports_is_there() {
    for asset in assets::all() {
        let text = String::from_utf8_lossy(&asset.bytes);
        for name in text.split('"').filter_map(|part| part.strip_prefix("./")) {
            assert!(assets::find(name).is_some(), "{}: {name}", asset.name);
        }
    }
}

#[test]
fn names_differ() {
    let names: HashSet<&str> = assets::all()
        .iter()
        .map(|asset| asset.name.as_str())
        .collect();
    assert_eq!(names.len(), assets::all().len());
}

/// The Overview, its styles and its scripts, all compressed: what somebody waits for at the first visit.
#[test]
fn the_first_load_is_small() {
    let samples = samples::all(Words::PLAIN);
    let page = samples
        .iter()
        .find(|sample| sample.name == "overview")
        .expect("the Overview");
    let files: usize = assets::all().iter().map(|asset| asset.gzip.len()).sum();
    assert!(files > 10_000, "{files}");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(page.html.as_bytes()).expect("memory");
    let all = files + gzip.finish().expect("memory").len();
    assert!(all < 40_000, "{all} bytes");
}

#[test]
fn every_icon_has_its_picture() {
    let samples = samples::all(Words::PLAIN);
    for sample in &samples {
        for icon in Icon::ALL {
            let symbol = format!("<symbol id=\"i-{icon:?}\"");
            assert!(sample.html.contains(&symbol), "{}: {icon:?}", sample.name);
        }
    }
}
